import HTTPTypes
import Kernel
import TestSupport
import Testing

/// The parameters of feed and log, one by one.
@Suite("Parameters of the feed and the event log")
struct EventRowsTests {
    private static let feed = "/api/v1/webhooks/events"
    private static let log = "/api/v1/events"

    /// A server whose feed holds this many products, and an order by a store before them.
    private func withEvents(
        _ engine: TestEngine, products: Int, order: String = "",
        _ body: @escaping @Sendable (_ server: TestServer, _ shop: Shop) async throws -> Void
    ) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.deliver(shop.orderEvent("o-1", more: order))
            _ = try await shop.order("o-1")
            for number in 0..<products { try await shop.makeProduct("Cup \(number)", sku: "CUP-\(number)") }
            try await until("all stand in the feed") { try await shop.feed().count > products }
            try await body(server, shop)
        }
    }

    private func ids(_ answer: Answer) throws -> [String] { try answer.page().map { try $0.text("id") } }

    @Test(
        "GET /api/v1/webhooks/events: a page holds 50, 100 by per_page, 1000 by limit, and wait is 0 to 30",
        arguments: TestEngine.allCases)
    func sizes(_ engine: TestEngine) async throws {
        try await withEvents(engine, products: 101) { _, shop in
            let all = try await ids(shop.api.get(Self.feed + "?limit=1000"))
            for (query, count) in [("", 50), ("?per_page=100", 100), ("?per_page=1", 1), ("?limit=2&per_page=9", 2)] {
                let page = try await shop.api.get(Self.feed + query)
                #expect(try ids(page) == Array(all.prefix(count)), "\(query)")
                #expect(page["has_more"] == .bool(true) && page["next_cursor"]?.string == all[count - 1], "\(query)")
            }
            let last = try await shop.api.get(Self.feed + "?after=\(all[all.count - 2])")
            #expect(try ids(last) == [all[all.count - 1]] && last["has_more"] == .bool(false))
            for query in ["per_page=101", "per_page=0", "limit=1001", "limit=0", "wait=31", "wait=-1", "limit=many"] {
                let refused = try await shop.api.get("\(Self.feed)?\(query)")
                let name = query.prefix { $0 != "=" }
                #expect(refused.status == 422, "\(query)")
                #expect(refused["errors"]?.array?.first?["pointer"]?.string == "/\(name)", "\(refused.text)")
            }
        }
    }

    @Test(
        "GET /api/v1/webhooks/events: event_type and entity_type narrow; what is no type is 422 with the nearest",
        arguments: TestEngine.allCases)
    func narrowing(_ engine: TestEngine) async throws {
        try await withEvents(engine, products: 2) { _, shop in
            for (query, types) in [
                ("event_type=order.created", ["order.created"]), ("entity_type=order", ["order.created"]),
                ("event_type=product.*", ["product.created", "product.created"]),
                ("event_type=product.*&entity_type=order", []), ("event_type=*&limit=1", ["order.created"]),
            ] {
                let page = try await shop.api.get("\(Self.feed)?\(query)").page()
                #expect(try page.map { try $0.text("event_type") } == types, "\(query)")
            }
            for path in [Self.feed, Self.log] {
                let refused = try await shop.api.get(path + "?event_type=order.craeted")
                #expect(refused.status == 422 && refused.text.contains("order.created"), "\(refused.text)")
            }
        }
    }

    @Test("An event's id is taken as ULID and as UUID wherever there is one", arguments: TestEngine.allCases)
    func forms(_ engine: TestEngine) async throws {
        try await withEvents(engine, products: 1) { _, shop in
            _ = try await shop.subscribe("http://127.0.0.1:9/nobody")
            let events = try await shop.feed()
            let ulid = try events[0].text("id")
            let uuid = try #require(ID<Receiver>(ulid)).description
            #expect(ulid.utf8.count == 26 && uuid.utf8.count == 36)
            let behind = try events.dropFirst().map { try $0.text("id") }
            for id in [ulid, uuid, ulid.lowercased(), uuid.uppercased()] {
                #expect(try await ids(shop.api.get("\(Self.feed)?after=\(id)")) == behind, "\(id)")
                #expect(try await shop.api.get("\(Self.log)/\(id)").text("event_id") == uuid, "\(id)")
                #expect(try await shop.api.post("\(Self.log)/\(id)/replay").text("event_id") == uuid, "\(id)")
                #expect(try await shop.api.get("\(Self.log)?cursor=\(id)").page().isEmpty, "\(id)")
            }
        }
    }

    @Test(
        "GET /api/v1/events: it narrows by what an event is, whence, when and what became of it",
        arguments: TestEngine.allCases)
    func log(_ engine: TestEngine) async throws {
        try await Receiver.run { receiver in
            try await withEvents(engine, products: 0) { _, shop in
                let subscription = try await shop.subscribe(receiver.url, to: "product.*").id
                let product = try await shop.makeProduct("Cup", sku: "CUP").text("id")
                let order = try await shop.order("o-1").text("id")
                try await until("the cup was told of") { !receiver.deliveries.isEmpty }
                func found(_ query: String) async throws -> [String] {
                    try await shop.api.get("\(Self.log)?\(query)").page().map { try $0.text("event_type") }
                }
                try await until("its delivery is done") {
                    try await found("delivery_state=delivered") == ["product.created"]
                }
                let both = ["product.created", "order.created"]
                for (query, types) in [
                    ("", both), ("event_type=order.*", ["order.created"]), ("entity_type=product", ["product.created"]),
                    ("entity_id=\(product)", ["product.created"]), ("entity_id=\(order)", ["order.created"]),
                    ("source=api", ["product.created"]), ("source=connection:\(shop.connection)", ["order.created"]),
                    ("since=2020-01-01T00:00:00Z", both), ("since=2099-01-01T00:00:00Z", []),
                    ("until=2099-01-01T00:00:00Z", both), ("until=2020-01-01T00:00:00Z", []),
                    ("subscription_id=\(subscription)", ["product.created"]), ("delivery_state=failed", []),
                    ("subscription_id=\(subscription)&delivery_state=delivered", ["product.created"]),
                ] {
                    #expect(try await found(query) == types, "\(query)")
                }
                for query in ["since=today", "entity_id=x", "delivery_state=lost", "limit=101", "cursor=x"] {
                    #expect(try await shop.api.get("\(Self.log)?\(query)").status == 422, "\(query)")
                }
            }
        }
    }

    @Test(
        "What is withheld stands in an admin's log, and in no viewer's nor in the feed", arguments: TestEngine.allCases)
    func withheld(_ engine: TestEngine) async throws {
        let buyer = #" "customer": {"email": "ada@example.com"},"#
        try await withEvents(engine, products: 0, order: buyer) { server, shop in
            let event = try #require(try await shop.api.get(Self.log + "?event_type=order.created").page().first)
            #expect(event["user_id"]?.string == "00000000-0000-0000-0000-000000000000")
            #expect(event["role"]?.string == "system" && event["source"]?.string == "connection:\(shop.connection)")
            let one = "\(Self.log)/\(try event.text("event_id"))"
            #expect(try await shop.api.get(one)["withheld"]?["customer_email"]?.string == "ada@example.com")
            let viewer = try await server.caller(token: server.token(role: "viewer"))
            for path in [one, Self.log, Self.feed] {
                let seen = try await viewer.get(path)
                #expect(seen.status == 200 && !seen.text.contains("ada@example.com"), "\(path): \(seen.text)")
            }
        }
    }
}
