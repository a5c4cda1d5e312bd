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
        Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The headers as they are sent: it is JSON where they don't say otherwise.
    var fields: HTTPFields {
        var fields = headers
        if fields[.contentType] == nil { fields[.contentType] = "application/json" }
        return fields
    }
}
