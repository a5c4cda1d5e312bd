import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

@Suite("Endpoints that do not take what they are sent")
struct SubscriptionStoryTests {
    private static func deliveries(_ shop: Shop, _ subscription: String) async throws -> [JSONValue] {
        try await shop.api.get("/api/v1/webhooks/subscriptions/\(subscription)/deliveries").page()
    }

    @Test(
        "Same webhook-id on each retry: a failed delivery comes again, later, and each attempt is kept",
        arguments: TestEngine.allCases)
    func retry(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url)
                receiver.answer(500)
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                _ = try await receiver.deliveries(of: "order.created", order: "o-1")
                receiver.answer(204)

                let both = try await receiver.deliveries(of: "order.created", order: "o-1", count: 2)
                #expect(Set(both.map { $0.headers[StandardWebhooks.idHeader] }).count == 1)
                #expect(both.allSatisfy { $0.isSigned(with: subscription.secret) })
                let delivery = try await eventually("the delivery is done") {
                    try await Self.deliveries(shop, subscription.id).first { $0["state"]?.string == "delivered" }
                }
                let attempts = try #require(delivery["attempts"]?.array)
                #expect(attempts.compactMap { $0["status"]?.integer } == [500, 204])
                // What the subscriber set may be a credential, so it is not shown.
                #expect(attempts.allSatisfy { $0["request_headers"]?["X-Subscriber"]?.string == "***" })
            }
        }
    }

    @Test(
        "410: an endpoint that is gone is disabled at once, and takes up again when it is activated",
        arguments: TestEngine.allCases)
    func gone(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url)
                let path = "/api/v1/webhooks/subscriptions/\(subscription.id)"
                receiver.answer(410)
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                try await until("the subscription is disabled") {
                    try await shop.api.get(path)["status"]?.string == "disabled"
                }
                _ = try await shop.deliver(shop.orderEvent("o-2"))
                _ = try await shop.order("o-2")

                receiver.answer(200)
                #expect(try await shop.api.post(path + "/activate")["status"]?.string == "active")
                _ = try await shop.deliver(shop.orderEvent("o-3"))
                _ = try await receiver.deliveries(of: "order.created", order: "o-3")
                #expect(!receiver.deliveries.contains { $0.externalID == "o-2" })
            }
        }
    }

    @Test(
        "One slow or dead endpoint never delays another: the living one has everything meanwhile",
        arguments: TestEngine.allCases)
    func neighbours(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { dead in
                try await Receiver.run { living in
                    let shop = try await Shop.open(server)
                    _ = try await shop.subscribe(dead.url)
                    _ = try await shop.subscribe(living.url)
                    let gate = dead.hang()
                    for number in 0..<40 { _ = try await shop.deliver(shop.orderEvent("o-\(number)")) }
                    // Well within the ten seconds for which the other is waited for.
                    try await until("the living endpoint has everything", within: .seconds(8)) {
                        Set(living.deliveries.map(\.externalID)).count == 40
                    }
                    gate.open()
                }
            }
        }
    }

    @Test("Outgoing addresses: one that deliveries may not go to is 422 at save", arguments: TestEngine.allCases)
    func egress(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            for url in [
                "http://10.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]/x", "ftp://127.0.0.1/x", "nonsense",
                "http://user:secret@127.0.0.1/x", "http://0x0a000001/x",
            ] {
                let answer = try await api.post(
                    "/api/v1/webhooks/subscriptions", #"{"url": "\#(url)", "event_types": ["*"]}"#)
                #expect(answer.status == 422, "\(url): \(answer.text)")
            }
            let unknown = try await api.post(
                "/api/v1/webhooks/subscriptions",
                #"{"url": "http://127.0.0.1:9/x", "event_types": ["order.creatd"]}"#)
            #expect(unknown.status == 422)
            #expect(unknown.text.contains("order.created"))
        }
    }
}
