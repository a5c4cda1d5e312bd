import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// A JSON answer made of bytes that a `JSONWriter` wrote.
package struct JSONResponse: ResponseGenerator, Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
        self.status = status
        self.headers = headers
        self.bytes = bytes
    }

    /// One object, written by the closure.
    package init<E: Error>(
        status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        _ body: (inout JSONWriter) throws(E) -> Void
    ) throws(E) {
        self.init(try JSONWriter.object(body), status: status, headers: headers)
    }

    package func response(from request: Request, context: some RequestContext) -> Response { response() }

    /// The same without a request at hand, for answers that are put together outside a handler.
    package func response() -> Response {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
