import HTTPTypes
import Kernel
import Logging
import NIOCore
import TestSupport
import Testing

@testable import API

@Suite("Requests that are answered at the door")
struct DoorTests {
    private static let path = "/here"

    /// A route that takes all POSTs of one path.
    private struct Anything: DoorRoute {
        func call(at path: String, _ headers: HTTPFields, length: Int, from peer: SocketAddress?) -> DoorCall? {
            path == DoorTests.path ? DoorCall(route: path) { _, _, reply in reply(.success(JSONResponse([]))) } : nil
        }
    }

    private static func head(
        _ method: HTTPRequest.Method = .post, _ path: String = path, _ fields: HTTPFields = [.contentLength: "2"]
    ) -> HTTPRequest {
        HTTPRequest(method: method, scheme: "http", authority: "x", path: path, headerFields: fields)
    }

    @Test("Taken is a POST with an announced length, and nothing else")
    func forms() async throws {
        try await withAPI { api in
            let door = Door(api.dependencies, routes: [Anything()], logger: Logger(label: "test"))
            #expect(door.call(of: Self.head(), from: nil)?.route == Self.path)
            let most = api.dependencies.bodies.limit
            #expect(door.call(of: Self.head(.post, Self.path, [.contentLength: "\(most)"]), from: nil) != nil)
            let others: [HTTPRequest] = [
                Self.head(.get), Self.head(.put), Self.head(.post, "/there"), Self.head(.post, "/here?a=1"),
                Self.head(.post, Self.path, [:]), Self.head(.post, Self.path, [.contentLength: "0"]),
                Self.head(.post, Self.path, [.contentLength: "-1"]),
                Self.head(.post, Self.path, [.contentLength: "\(most + 1)"]),
                Self.head(.post, Self.path, [.contentLength: "2", .expect: "100-continue"]),
                Self.head(.post, Self.path, [.contentLength: "2", .transferEncoding: "chunked"]),
            ]
            for other in others { #expect(door.call(of: other, from: nil) == nil, "\(other)") }
        }
    }

    @Test("No route of the door is one whose calls are put on record: the router does that")
    func audit() throws {
        let all = OperationCatalog.groups.flatMap(\.operations)
        let creation = try #require(all.first { $0.method == .post && $0.path == ProductRoutes.path })
        #expect(creation.audit == nil)
        #expect(!all.contains { $0.path == InboundRoutes.unifiedPath && $0.audit != nil })
    }

    @Test("Callers are let in once they are known, with their role and both of their headers")
    func callers() async throws {
        try await withAPI { api in
            let callers = DoorCallers(api.dependencies, needing: .member)
            let principal = APIHarness.principal(.member)
            let headers = try api.headers(principal)
            #expect(callers.admit(headers, from: nil) == nil, "nobody has verified the token yet")
            #expect(try await api.send(.get, "/api/v1/api-keys", headers).status == 403)
            let admitted = try #require(callers.admit(headers, from: nil))
            #expect(admitted.0 == principal)
            #expect(admitted.1[.rateLimitLimit] == "6000" && admitted.1[.rateLimitRemaining] == "5998")

            let viewer = try api.headers(APIHarness.principal(.viewer))
            _ = try await api.send(.get, "/api/v1/api-keys", viewer)
            #expect(callers.admit(viewer, from: nil) == nil)
            for name in [HTTPField.Name.tenantID, .organisationID, .authorization] {
                var others = headers
                others[name] = nil
                #expect(callers.admit(others, from: nil) == nil, "without \(name)")
                others[name] = name == .authorization ? "Bearer nobody" : APIHarness.user.description
                #expect(callers.admit(others, from: nil) == nil, "with another \(name)")
            }
            api.time.advance(by: .seconds(3601))
            #expect(callers.admit(headers, from: nil) == nil, "the token is over")
        }
    }

    @Test("A caller is counted once, at the door and by the router together")
    func rates() async throws {
        var settings = APISettings()
        settings.tokenRequestsPerMinute = 3
        settings.addressRequestsPerMinute = 1
        try await withAPI(settings: settings) { api in
            let callers = DoorCallers(api.dependencies, needing: .member)
            let headers = try api.headers()
            #expect(try await api.send(.get, "/api/v1/api-keys", headers).headers[.rateLimitRemaining] == "2")
            let (one, other) = (
                try SocketAddress(ipAddress: "192.0.2.1", port: 1), try SocketAddress(ipAddress: "192.0.2.2", port: 1)
            )
            #expect(callers.admit(headers, from: one)?.1[.rateLimitRemaining] == "1")
            #expect(callers.admit(headers, from: one) == nil, "the address has had its one call")
            #expect(callers.admit(headers, from: other) == nil, "so has the token its three")
            let refused = try await api.send(.get, "/api/v1/api-keys", headers)
            #expect(refused.status == 429 && refused.headers[.rateLimitRemaining] == "0")
        }
    }
}
