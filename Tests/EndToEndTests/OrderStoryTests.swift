import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("A signed order's way through the server")
struct OrderStoryTests {
    @Test(
        "A signed order becomes one matched order, a verified delivery and a feed entry", arguments: TestEngine.allCases
    )
    func wholeWay(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                try await shop.makeProduct("Shirt", sku: "SHIRT-M")
                let subscription = try await shop.subscribe(receiver.url)

                let answer = try await shop.deliver(shop.orderEvent("o-1"))
                #expect(answer.status == 200)
                #expect(try answer.text("status") == "accepted")

                let order = try await shop.order("o-1")
                #expect(order["match_status"]?.string == "full")
                #expect(order["total"] == .number("149.98"))
                #expect(order["lines"]?.array?.first?["match"]?.string == "sku")

                let delivery = try #require(try await receiver.deliveries(of: "order.created", order: "o-1").first)
                #expect(delivery.isSigned(with: subscription.secret))
                #expect(!delivery.isSigned(with: subscription.secret + "x"))
                #expect(try delivery.headers[#require(HTTPField.Name("X-Subscriber"))] == "abc-123")
                #expect(delivery.json["tenant_id"]?.string == TestServer.tenant)
                #expect(delivery.json["role"]?.string == "system")

                let created = try await eventually("the feed holds the order") {
                    try await shop.feed().first { $0["event_type"]?.string == "order.created" }
                }
                #expect(created["entity_id"] == order["id"])
                let ulid = try #require(ID<Receiver>(try created.text("id")))
                #expect(ulid.description == delivery.eventID)
            }
        }
    }

    @Test("A re-delivery is answered as a duplicate and changes nothing", arguments: TestEngine.allCases)
    func redelivery(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let body = shop.orderEvent("o-1")

            let first = try await shop.deliver(body)
            let order = try await shop.order("o-1")
            let second = try await shop.deliver(body)

            #expect(second.status == 200)
            #expect(try second.text("status") == "duplicate")
            #expect(try second.text("id") == first.text("id"))
            #expect(try await shop.inbox().count == 1)
            #expect(try await shop.order("o-1")["version"] == order["version"])
        }
    }

    @Test("An order is matched again when the product it names appears", arguments: TestEngine.allCases)
    func rematch(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                _ = try await shop.subscribe(receiver.url)
                try await shop.makeProduct("Shirt", sku: "SHIRT-M")
                _ = try await shop.deliver(shop.orderEvent("o-1", lines: [Shop.shirt, Shop.mystery]))
                #expect(try await shop.order("o-1")["match_status"]?.string == "partial")

                try await shop.makeProduct("Nope", sku: "NOPE", price: "1")

                try await until("the order is matched again") {
                    try await shop.order("o-1")["match_status"]?.string == "full"
                }
                let updates = try await receiver.deliveries(of: "order.updated", order: "o-1")
                #expect(updates.count == 1)
            }
        }
    }

    @Test("An update changes its order, and an older one is recorded as stale", arguments: TestEngine.allCases)
    func updates(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.deliver(shop.orderEvent("o-1", more: #""updated_at": "2026-01-02T00:00:00Z","#))
            _ = try await shop.order("o-1")

            let newer = try await shop.deliver(
                shop.orderEvent(
                    "o-1", event: "accounting.order.updated",
                    more: #""updated_at": "2026-01-03T00:00:00Z", "status": "PAID","#))
            #expect(try await shop.settled(newer.text("id"))["state"]?.string == "processed")
            let older = try await shop.deliver(
                shop.orderEvent(
                    "o-1", event: "accounting.order.updated",
                    more: #""updated_at": "2026-01-01T00:00:00Z", "status": "VOIDED","#))
            #expect(try await shop.settled(older.text("id"))["state"]?.string == "stale")

            let order = try await shop.order("o-1")
            #expect(order["status"]?.string == "confirmed")
        }
    }
}
