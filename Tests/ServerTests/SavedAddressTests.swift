import API
import DeliveryClient
import Events
import HTTPTypes
import Kernel
import Logging
import TestSupport
import Testing

@testable import Server

/// The whole server with names that mean what a test says.
@Suite("Names of endpoints when they are saved", .endsWhenHung)
struct SavedAddressTests {
    /// Knows the names below `example.com` that a test gave it, and no other.
    private final class Names: AddressResolver {
        private let known: [String: [String]]
        let asked = Recorder<String>()

        init(_ known: [String: [String]]) { self.known = known }

        func addresses(of name: String) throws(ExchangeError) -> [IPAddress] {
            asked.record(name)
            guard let texts = known[name] else { throw ExchangeError(.dns, "\(name) has no address") }
            return texts.compactMap { IPAddress($0) }
        }
    }

    private static let path = "/api/v1/webhooks/subscriptions"
    private static let outside = "93.184.216.34"

    @Test("A name is refused with the address that no delivery may go to", arguments: TestEngine.allCases)
    func names(engine: TestEngine) async throws {
        let forbidden = ["inside": "10.0.0.7", "mapped": "::ffff:10.0.0.7", "metadata": "169.254.169.254"]
        var known = [
            "shop.example.com": [Self.outside], "mixed.example.com": [Self.outside, "10.0.0.7"],
        ]
        for (name, address) in forbidden { known["\(name).example.com"] = [address] }
        let names = Names(known)
        try await withServer(engine, names) { caller in
            func body(_ name: String) -> String { #"{"url": "https://\#(name).example.com/in", "event_types": ["*"]}"# }
            for name in forbidden.keys.sorted() + ["mixed"] {
                let refused = try await caller.call(.post, Self.path, body(name))
                #expect(refused.status == 422, "\(name): \(refused.json)")
                let fault = try #require(refused.json["errors"]?.array?.first)
                #expect(fault["pointer"]?.string == "/url")
                #expect(fault["detail"]?.string?.contains("is not a public one") == true, "\(fault)")
            }
            #expect(try await caller.call(.get, Self.path).json["data"]?.array == [])
            #expect(try await caller.call(.post, Self.path, body("later")).status == 201)
            let made = try await caller.call(.post, Self.path, body("shop"))
            #expect(made.status == 201, "\(made.json)")
            let one = try Self.path + "/" + #require(made.json["id"]?.string)
            let moved = try await caller.call(.patch, one, #"{"url": "https://mixed.example.com/in"}"#)
            #expect(moved.status == 422, "\(moved.json)")
            #expect(try await caller.call(.get, one).json["url"]?.string == "https://shop.example.com/in")
            let asked = names.asked.elements
            #expect(try await caller.call(.patch, one, #"{"description": "Ours"}"#).status == 200)
            #expect(names.asked.elements == asked, "a change that leaves the URL asks for nothing")
        }
        #expect(Set(names.asked.elements) == Set(known.keys).union(["later.example.com"]))
    }

    // MARK: Stage

    /// An admin who calls over a real socket.
    private struct Caller {
        let exchange: any HTTPExchange
        let address: String
        let headers: HTTPFields

        func call(
            _ method: HTTPRequest.Method, _ path: String, _ body: String = ""
        ) async throws -> (status: Int, json: JSONValue) {
            let request = OutgoingRequest(
                method: method, url: address + path, headers: headers, body: Array(body.utf8), responseLimit: 1 << 20)
            let response = try await exchange.send(request)
            return (response.status, try JSONValue(parsing: response.body))
        }
    }

    private func withServer(
        _ engine: TestEngine, _ names: Names, _ body: (Caller) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await withDatabase(engine) { database in
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let settings = try await SettingsReader.read(
                    flags: [.dataDirectory: folder, .listen: "127.0.0.1:0"], environment: [:], file: nil)
                let server = try ServerBuilder.assemble(
                    DevelopmentSession.developed(settings), database: database, resolver: names, logger: logger)
                let exchange = RunningServer(server).exchange
                let (ports, port) = AsyncStream.makeStream(of: Int.self)
                let serving = Task {
                    defer { port.finish() }
                    try await server.run { port.yield($0) }
                }
                var listening = ports.makeAsyncIterator()
                let result: Result<Void, any Error>
                do {
                    let port = try #require(await listening.next(), "the server did not start")
                    result = .success(try await body(Self.caller(exchange, folder: folder, port: port)))
                } catch { result = .failure(error) }
                serving.cancel()
                _ = await serving.result
                try result.get()
            }
        }
    }

    private static func caller(_ exchange: any HTTPExchange, folder: String, port: Int) throws -> Caller {
        let admin = Principal(
            tenant: TenantID(high: 1, low: 1), organisation: OrganisationID(high: 1, low: 2),
            user: UserID(high: 1, low: 3), role: .admin)
        let issuer = try TokenIssuer.loadOrCreate(directory: folder)
        let token = try issuer.mint(admin, ttl: .seconds(600), now: TimeSource.system.now())
        var headers: HTTPFields = [.authorization: "Bearer \(token)"]
        for (name, id) in [("X-Tenant-ID", admin.tenant.description), ("X-Org-ID", "\(admin.scope.organisation)")] {
            headers[try #require(HTTPField.Name(name))] = id
        }
        return Caller(exchange: exchange, address: "http://127.0.0.1:\(port)", headers: headers)
    }
}
