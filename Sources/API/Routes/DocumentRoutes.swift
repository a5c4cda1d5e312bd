import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// `/openapi.json` and `/docs`: the API told to programs and to people. Both are made once.
struct DocumentRoutes {
    private let document: File
    private let page: File

    /// Bytes that stay the same as long as the server runs.
    private struct File: Sendable {
        let bytes: [UInt8]
        let tag: String
        let headers: HTTPFields

        init(_ bytes: [UInt8], _ headers: HTTPFields) {
            self.bytes = bytes
            tag = OpenAPIDocument.tag(of: bytes)
            self.headers = headers + [.eTag: tag, .cacheControl: "no-cache"]
        }

        func answer(to request: Request) -> Response {
            if let tags = request.headers[.ifNoneMatch], FileConditions.matches(tags, tag, isWeakEnough: true) {
                return Response(status: .notModified, headers: headers)
            }
            return Response(
                status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }

    init() {
        document = File(OpenAPIDocument.json(), [.contentType: "application/json"])
        let page = DocumentPage(OperationCatalog.groups)
        self.page = File(
            page.bytes,
            [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: page.policy,
                .xContentTypeOptions: "nosniff",
            ])
    }

    func mount(on routes: some RouterMethods<AppContext>) {
        routes.get("/openapi.json") { request, _ in document.answer(to: request) }
        routes.get("/docs") { request, _ in page.answer(to: request) }
    }
}
