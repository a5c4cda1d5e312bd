import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Orders that a caller places itself")
struct PlacedOrderStoryTests {
    private static func document(key: String, sku: String = "SHIRT-M") -> String {
        """
        {"idempotency_key": "\(key)", "currency": "USD", "channel": "web",
         "items": [{"sku": "\(sku)", "quantity": 3, "unit_price": 19.99, "title": "Shirt"}]}
        """
    }

    @Test(
        "order.created, order.updated: a placed order is matched, told of, and moves through its states",
        arguments: TestEngine.allCases)
    func placeAndMove(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                try await shop.makeProduct("Shirt", sku: "SHIRT-M")
                _ = try await shop.subscribe(receiver.url)

                let placed = try await shop.api.post("/api/v1/oms/orders", Self.document(key: "mine-1"))
                #expect(placed.status == 201, "\(placed.text)")
                #expect(placed["total"] == .number("59.97"))
                #expect(placed["match_status"]?.string == "full")
                let again = try await shop.api.post("/api/v1/oms/orders", Self.document(key: "mine-1"))
                #expect(again.status == 200)
                #expect(again["id"] == placed["id"])
                _ = try await receiver.deliveries(of: "order.created", order: "mine-1")

                let path = "/api/v1/oms/orders/\(try placed.text("id"))"
                let moved = try await shop.api.post(path + "/transition", #"{"to": "payment_authorized"}"#)
                #expect(moved["status"]?.string == "payment_authorized")
                #expect(try await shop.api.post(path + "/transition", #"{"to": "delivered"}"#).status == 409)
                #expect(try await shop.api.post(path + "/transition", #"{"to": "nowhere"}"#).status == 422)
                let update = try #require(try await receiver.deliveries(of: "order.updated", order: "mine-1").first)
                #expect(update.json["user_id"]?.string == TestServer.tenant)

                let story = try await shop.api.get(path)
                let timeline = try #require(story["timeline"]?.array)
                #expect(
                    timeline.compactMap { $0["event_type"]?.string }.sorted() == ["order.created", "order.updated"])
            }
        }
    }

    @Test("Another tenant's variant is 404 at its place, in a new order and in an edit", arguments: TestEngine.allCases)
    func foreignVariant(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let product = try await shop.makeProduct("Shirt", sku: "SHIRT-M")
            let variant = try #require(product["variants"]?.array?.first).text("id")
            let token = try await server.token(tenant: TestServer.stranger)
            let stranger = server.caller(token: token, tenant: TestServer.stranger)
            let lines = """
                [{"sku": "SOMETHING", "quantity": 1, "unit_price": 1},
                 {"variant_id": "\(variant)", "sku": "SHIRT-M", "quantity": 1, "unit_price": 1}]
                """
            let order = #"{"idempotency_key": "mine-1", "currency": "USD", "items": \#(lines)}"#

            let refused = try await stranger.post("/api/v1/oms/orders", order)
            #expect(refused.status == 404, "\(refused.text)")
            #expect(refused["errors"]?.array?.compactMap { $0["pointer"]?.string } == ["/items/1/variant_id"])
            #expect(try await stranger.get("/api/v1/oms/orders").page().isEmpty)

            let placed = try await stranger.post("/api/v1/oms/orders", Self.document(key: "mine-2"))
            let path = "/api/v1/oms/orders/\(try placed.text("id"))"
            let edited = try await stranger.call(.patch, path, #"{"add_lines": \#(lines)}"#)
            #expect(edited.status == 404, "\(edited.text)")
            #expect(edited["errors"]?.array?.compactMap { $0["pointer"]?.string } == ["/add_lines/1/variant_id"])
            #expect(try await stranger.get(path)["lines"]?.array?.count == 1)

            let own = try await shop.api.post("/api/v1/oms/orders", order)
            #expect(own.status == 201 && own["lines"]?.array?.last?["match"]?.string == "item", "\(own.text)")
        }
    }

    @Test("A repeated call with its key gets the first answer, another body a conflict", arguments: TestEngine.allCases)
    func idempotencyKey(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let key = try [#require(HTTPField.Name("Idempotency-Key")): "once-1"] as HTTPFields
            let body = #"{"title": "Shirt", "variants": [{"sku": "S-1", "price": 1, "currency": "USD"}]}"#

            let first = try await api.post("/api/v1/pim/products", body, key)
            let second = try await api.post("/api/v1/pim/products", body, key)
            let other = try await api.post("/api/v1/pim/products", #"{"title": "Trousers"}"#, key)

            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(second.body == first.body)
            #expect(other.status == 409)
            #expect(try await api.get("/api/v1/pim/products").page().count == 1)
        }
    }

    @Test("A key's answer outlives a kill", arguments: TestEngine.allCases)
    func idempotencyAfterKill(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let token = try await server.token()
            let key = try [#require(HTTPField.Name("Idempotency-Key")): "once-1"] as HTTPFields
            let body = #"{"connection_id": "conn-1", "provider": "unified"}"#

            let first = try await server.caller(token: token).post("/api/v1/integrations/callback", body, key)
            await server.kill()
            try await server.start()
            let second = try await server.caller(token: token).post("/api/v1/integrations/callback", body, key)

            #expect(first.status == 201)
            #expect(second.status == 201)
            // The secret in it too, which is shown nowhere else.
            #expect(second.body == first.body)
        }
    }

    @Test("Calls that come at once with one key make one product", arguments: TestEngine.allCases)
    func idempotencyRace(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let key = try [#require(HTTPField.Name("Idempotency-Key")): "race-1"] as HTTPFields

            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await api.post("/api/v1/pim/products", #"{"title": "Shirt"}"#, key).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(statuses.contains(201))
            #expect(Set(statuses).isSubset(of: [201, 409]))
            #expect(try await api.get("/api/v1/pim/products").page().count == 1)
        }
    }
}
