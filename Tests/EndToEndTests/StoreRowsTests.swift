import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("What connections and orders promise, row by row")
struct StoreRowsTests {
    private static let orders = "/api/v1/oms/orders"

    @Test("Orders are listed by state, channel and time, in pages, oldest first", arguments: TestEngine.allCases)
    func listing(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            for (key, channel) in [("a", "web"), ("b", "till"), ("c", "web")] {
                let placed = try await shop.api.post(
                    Self.orders,
                    """
                    {"idempotency_key": "\(key)", "currency": "USD", "channel": "\(channel)",
                     "items": [{"sku": "S", "quantity": 1, "unit_price": 1, "title": "Cup"}]}
                    """)
                #expect(placed.status == 201, "\(placed.text)")
                if key == "a" {
                    let move = "\(Self.orders)/\(try placed.text("id"))/transition"
                    #expect(try await shop.api.post(move, #"{"to": "cancelled"}"#).status == 200)
                }
            }
            func found(_ query: String) async throws -> [String] {
                try await shop.api.get("\(Self.orders)?\(query)").page().map { try $0.text("external_id") }
            }
            for (query, ids) in [
                ("", ["a", "b", "c"]), ("channel=web", ["a", "c"]), ("status=cancelled", ["a"]),
                ("channel=till&status=cancelled", []), ("since=2020-01-01T00:00:00Z&channel=till", ["b"]),
                ("since=2099-01-01T00:00:00Z", []), ("limit=2", ["a", "b"]),
            ] {
                #expect(try await found(query) == ids, "\(query)")
            }
            let cursor = try await shop.api.get(Self.orders + "?limit=2").text("next_cursor")
            #expect(try await found("limit=2&cursor=\(cursor)") == ["c"])
            for query in ["limit=0", "limit=101", "status=lost", "since=today", "cursor=x"] {
                #expect(try await shop.api.get("\(Self.orders)?\(query)").status == 422, "\(query)")
            }
        }
    }

    @Test(
        "What a store sent word by word is for admins, in the order and in the inbound log",
        arguments: TestEngine.allCases)
    func sources(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let entry = try await shop.deliver(shop.orderEvent("o-1", more: #" "note": "by the door","#)).text("id")
            #expect(try await shop.settled(entry)["state"]?.string == "processed")
            let order = "\(Self.orders)/\(try await shop.order("o-1").text("id"))"
            let inbox = "/api/v1/integrations/connections/\(shop.connection)/inbox"
            #expect(try await shop.api.get(order).text("source_payload").contains("by the door"))
            #expect(try await shop.inbox().first?["payload"]?.string?.contains("by the door") == true)
            for role in ["member", "viewer"] {
                let caller = try await server.caller(token: server.token(role: role))
                for path in [order, inbox] {
                    let seen = try await caller.get(path)
                    #expect(seen.status == 200 && !seen.text.contains("by the door"), "\(role) \(path): \(seen.text)")
                }
            }
        }
    }

    @Test(
        "A connection is of commerce where nothing is said, is told as the list has it, and keeps its secret",
        arguments: TestEngine.allCases)
    func connections(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let root = "/api/v1/integrations"
            for (body, category) in [
                (#"{"connection_id": "a", "provider": "unified"}"#, "commerce"),
                (#"{"connection_id": "b", "provider": "unified", "category": "accounting"}"#, "accounting"),
            ] {
                let saved = try await api.post(root + "/callback", body)
                #expect(saved.status == 201 && saved["status"]?.string == "success", "\(saved.text)")
                let connection = try #require(saved["connection"])
                #expect(connection["category"]?.string == category && connection["webhook_secret"]?.string != nil)
            }
            let listed = try await api.get(root + "/connections")
            let connections = try #require(listed["connections"]?.array)
            #expect(connections.count == 2 && !listed.text.contains("secret"))
            for connection in connections {
                #expect(
                    Set(connection.object?.members.map(\.name) ?? []) == [
                        "id", "connection_id", "provider", "category", "status", "health", "created_at", "updated_at",
                    ])
            }
            for (body, pointer) in [
                (#"{"provider": "unified"}"#, "/connection_id"), (#"{"connection_id": "c"}"#, "/provider"),
                (#"{"connection_id": "c", "provider": "nobody"}"#, "/provider"),
                (#"{"connection_id": "c", "provider": "unified", "category": "crm"}"#, "/category"),
            ] {
                let refused = try await api.post(root + "/callback", body)
                #expect(refused.status == 422, "\(body): \(refused.text)")
                #expect(refused["errors"]?.array?.compactMap { $0["pointer"]?.string } == [pointer], "\(refused.text)")
            }
        }
    }

    @Test("A secret that is brought signs at once, and has 16 characters at least", arguments: TestEngine.allCases)
    func broughtSecret(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let rotate = "/api/v1/integrations/connections/\(shop.connection)/rotate-secret"
            #expect(try await shop.api.post(rotate, #"{"secret": "123456789012345"}"#).status == 422)
            let brought = #"{"overlap_hours": 1, "secret": "1234567890123456"}"#
            #expect(try await shop.api.post(rotate, brought).text("webhook_secret") == "1234567890123456")
            let renewed = Shop(
                api: shop.api, connection: shop.connection, externalID: shop.externalID, secret: "1234567890123456")
            #expect(try await renewed.deliver(shop.orderEvent("o-1")).status == 200)
            #expect(try await shop.deliver(shop.orderEvent("o-2")).status == 200)
        }
    }
}
