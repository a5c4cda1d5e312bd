import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

/// A delivery of a real store, from the recordings that the connectors are tested with.
private struct Recording {
    let name: String
    let headers: HTTPFields
    let body: [UInt8]
    let key: String?
    let isIgnored: Bool

    /// The secret that most of the recordings are signed with.
    static let secret = "whsec-hub-fixture-0123456789abcdef"

    static func all() throws -> [Recording] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ConnectorsTests/Fixtures/woocommerce")
        func json(_ name: String) throws -> JSONValue {
            try JSONValue(parsing: Array(Data(contentsOf: folder.appendingPathComponent(name + ".json"))))
        }
        return try (json("arrivals").object?.members ?? []).map { member in
            let file = try json(member.name)
            var headers = HTTPFields()
            for header in file["request"]?["headers"]?.object?.members ?? [] {
                // These belong to the recorded connection, not to the delivery.
                if ["Host", "Connection", "Content-Length", "Accept-Encoding"].contains(header.name) { continue }
                let name = try #require(HTTPField.Name(header.name))
                headers[name] = header.value.string
            }
            return Recording(
                name: member.name, headers: headers, body: Array(try #require(file["request"]).text("body").utf8),
                key: file["hmac_key"]?.string, isIgnored: member.value["ignored"]?.string != nil)
        }
    }
}

@Suite("Recorded deliveries of a WooCommerce store")
struct WooCommerceStoryTests {
    private static func open(_ server: TestServer) async throws -> Shop {
        let api = try await server.caller(token: server.token())
        return try await Shop.open(api, externalID: "woo-1", provider: "woocommerce")
    }

    private static func rotate(_ shop: Shop, to secret: String) async throws -> Answer {
        try await shop.api.post(
            "/api/v1/integrations/connections/\(shop.connection)/rotate-secret",
            #"{"secret": "\#(secret)", "overlap_hours": 1}"#)
    }

    @Test("Each is taken with its own headers, and its order lands", arguments: TestEngine.allCases)
    func recordings(_ engine: TestEngine) async throws {
        let recordings = try Recording.all().filter { $0.key == Recording.secret }
        #expect(recordings.count > 80)
        try await withServer(engine) { server in
            let shop = try await Self.open(server)
            #expect(try await Self.rotate(shop, to: Recording.secret).status == 200)

            var names: [String: Recording] = [:]
            for recording in recordings {
                let answer = try await shop.api.bare.send(
                    .post, "/webhooks/woocommerce/\(shop.connection)", recording.body, recording.headers)
                #expect(answer.status == 200, "\(recording.name): \(answer.text)")
                names[try answer.text("id")] = recording
            }

            try await until("all entries are settled") {
                try await shop.inbox().allSatisfy { $0["state"]?.string != "queued" }
            }
            let entries = try await shop.inbox()
            #expect(entries.count == names.count)
            for entry in entries {
                let recording = try #require(names[entry.text("id")])
                let states = recording.isIgnored ? ["ignored"] : ["processed", "stale"]
                #expect(states.contains(try entry.text("state")), "\(recording.name): \(entry)")
            }
            let orders = try await shop.api.get("/api/v1/oms/orders?limit=100").page()
            #expect(Set(orders.compactMap { $0["external_id"]?.string }).count == orders.count)
            #expect(orders.count == 17)
        }
    }

    @Test("The ping of a new webhook is answered 200 and stored nowhere", arguments: TestEngine.allCases)
    func ping(_ engine: TestEngine) async throws {
        let pings = try Recording.all().filter { $0.name.hasPrefix("hook-ping") }
        #expect(pings.count == 2)
        try await withServer(engine) { server in
            let shop = try await Self.open(server)
            for ping in pings {
                let answer = try await shop.api.bare.send(
                    .post, "/webhooks/woocommerce/\(shop.connection)", ping.body, ping.headers)
                #expect(answer.status == 200)
            }
            #expect(try await shop.inbox().isEmpty)
        }
    }

    @Test("A delivery under another secret, to another connection or altered is refused in the same words")
    func refusals() async throws {
        let recording = try #require(try Recording.all().first { $0.name == "hook-order-create-full-order-created" })
        try await withServer(.sqlite) { server in
            let shop = try await Self.open(server)
            func post(_ body: [UInt8], to connection: String) async throws -> Answer {
                try await shop.api.bare.send(.post, "/webhooks/woocommerce/\(connection)", body, recording.headers)
            }
            let wrongSecret = try await post(recording.body, to: shop.connection)
            _ = try await Self.rotate(shop, to: Recording.secret)
            let altered = try await post(recording.body + [32], to: shop.connection)
            let elsewhere = try await post(recording.body, to: "0190a000-0000-7000-8000-000000000009")
            for answer in [wrongSecret, altered, elsewhere] {
                #expect(answer.status == 401)
                #expect(answer["error"] == wrongSecret["error"])
            }
            #expect(try await post(recording.body, to: shop.connection).status == 200)
        }
    }
}
