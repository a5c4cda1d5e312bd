import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Endpoints that are told of and given up")
struct EndpointHealthStoryTests {
    private static func states(_ deliveries: [JSONValue]) -> [String: Int] {
        Dictionary(deliveries.map { ($0["state"]?.string ?? "", 1) }, uniquingKeysWith: +)
    }

    /// A shop with two receivers: one is sent everything, the other what is told of endpoints.
    private static func withReceivers(
        _ engine: TestEngine,
        _ body: @escaping @Sendable (_ shop: Shop, _ failing: Receiver, _ watching: Receiver) async throws -> Void
    ) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { failing in
                try await Receiver.run { watching in try await body(Shop.open(server), failing, watching) }
            }
        }
    }

    @Test(
        "Auto-disable: what only fails is disabled, webhook.disabled says why, a replay brings what it missed",
        arguments: TestEngine.allCases)
    func disabled(_ engine: TestEngine) async throws {
        try await Self.withReceivers(engine) { shop, failing, watching in
            let subscription = try await shop.subscribe(failing.url, to: "*")
            _ = try await shop.subscribe(watching.url, to: "webhook.*")
            let path = "/api/v1/webhooks/subscriptions/\(subscription.id)"
            failing.answer(500)
            for number in 0..<12 { _ = try await shop.deliver(shop.orderEvent("o-\(number)")) }
            try await until("the subscription is disabled") {
                try await shop.api.get(path)["status"]?.string == "disabled"
            }
            let reason = try #require(try await shop.api.get(path)["status_reason"]?.string)
            #expect(reason.hasSuffix("attempts failed within 24 hours"))
            _ = try await shop.order("o-11")
            // One that was written beside the disabling ends when it is claimed.
            try await until("nothing waits for the endpoint") {
                let deliveries = try await shop.api.get(path + "/deliveries?limit=100").page()
                return Set(Self.states(deliveries).keys) == ["skipped"]
            }
            try await until("the other endpoint has heard of it") { watching.deliveries.count > 1 }
            let heard = watching.deliveries.sorted { $0.eventType < $1.eventType }
            #expect(heard.map(\.eventType) == ["webhook.disabled", "webhook.failing"])
            let told = try #require(heard.first?.json["payload"])
            #expect(told["subscription_id"]?.string == subscription.id && told["url"] == nil)
            #expect(told["host"]?.string == "127.0.0.1" && told["reason"]?.string == reason + ".")

            failing.answer(200)
            #expect(try await shop.api.post(path + "/activate")["status"]?.string == "active")
            let since = TimeSource.system.now() - .seconds(3600)
            let started = try await shop.api.post(
                "/api/v1/webhooks/replays",
                """
                {"subscription_id": "\(subscription.id)", "since": "\(since)", "event_types": ["order.created"]}
                """)
            #expect(started.status == 202, "\(started.text)")
            try await until("every order has arrived") {
                Set(failing.deliveries.map(\.externalID)).isSuperset(of: (0..<12).map { "o-\($0)" })
            }
            #expect(try await shop.api.get(path)["status"]?.string == "active")
        }
    }

    @Test(
        "webhook.failing, webhook.recovered: one that fails for a while is told of as both, once each",
        arguments: TestEngine.allCases)
    func recovered(_ engine: TestEngine) async throws {
        try await Self.withReceivers(engine) { shop, failing, watching in
            _ = try await shop.api.call(
                .patch, "/api/v1/webhooks/settings", #"{"min_deliveries_for_disable": 1000}"#)
            let subscription = try await shop.subscribe(failing.url, to: "*")
            _ = try await shop.subscribe(watching.url, to: "webhook.*")
            failing.answer(503)
            for number in 0..<12 { _ = try await shop.deliver(shop.orderEvent("o-\(number)")) }
            try await until("the other endpoint has heard of it") { !watching.deliveries.isEmpty }
            failing.answer(200)
            // The breaker tries again after half a minute.
            try await until("everything has arrived", within: .seconds(90)) {
                let path = "/api/v1/webhooks/subscriptions/\(subscription.id)/deliveries?limit=100"
                let states = Self.states(try await shop.api.get(path).page())
                return watching.deliveries.count == 2 && states == ["delivered": 14]
            }
            #expect(Set(watching.deliveries.map(\.eventType)) == ["webhook.failing", "webhook.recovered"])
            #expect(failing.deliveries.count { $0.eventType == "webhook.failing" } == 1)
        }
    }
}
