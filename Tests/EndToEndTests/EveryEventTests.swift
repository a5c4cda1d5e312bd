import Events
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// A tenant, an endpoint that is told of everything, and two that fail.
private struct Scene: Sendable {
    let shop: Shop
    let everything: String
    let dying: Receiver
    let ailing: Receiver

    /// Calls the API, which must take it.
    @discardableResult
    func call(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> Answer {
        let answer = try await shop.api.call(method, path, body)
        #expect((200..<300).contains(answer.status), "\(method) \(path): \(answer.text)")
        return answer
    }

    func product(_ status: String) async throws -> Answer {
        try await call(
            .post, "/api/v1/pim/products",
            #"{"title": "Cup", "status": "\#(status)", "variants": [{"price": 5, "currency": "USD"}]}"#)
    }

    /// Makes a product and calls something below it; answers the product's id.
    func product(_ status: String, _ move: String) async throws -> String {
        let id = try await product(status).text("id")
        try await call(.post, "/api/v1/pim/products/\(id)/\(move)")
        return id
    }

    func customer(_ move: String, _ body: String) async throws -> String {
        let root = "/api/v1/crm/customers"
        let id = try await call(.post, root, #"{"type": "individual", "first_name": "Ada"}"#).text("id")
        if !move.isEmpty { try await call(.post, "\(root)/\(id)/\(move)", body) }
        return id
    }

    /// Subscribes an endpoint that answers with an error and sends it a dozen tests; answers the subscription's id.
    func fail(_ receiver: Receiver) async throws -> String {
        receiver.answer(500)
        let id = try await shop.subscribe(receiver.url, to: "webhook.test").id
        for _ in 0..<12 {
            // The last ones may come when it is given up already.
            let test = try await shop.api.post("/api/v1/webhooks/subscriptions/\(id)/test")
            #expect([202, 409].contains(test.status), "\(test.text)")
        }
        return id
    }

    func subscription(_ id: String) async throws -> Answer {
        try await call(.get, "/api/v1/webhooks/subscriptions/\(id)")
    }
}

/// What has an event of a type raised.
private struct Cause: Sendable {
    let type: String
    /// Does it, and answers the id of what the event has to be about; nil where no single thing is.
    let act: @Sendable (Scene) async throws -> String?

    init(_ type: String, _ act: @escaping @Sendable (Scene) async throws -> String?) {
        self.type = type
        self.act = act
    }

    static let all = orders + products + productStates + customers + endpoints

    static let orders = [
        Cause("order.created") { scene in
            _ = try await scene.shop.deliver(scene.shop.orderEvent("o-1"))
            return try await scene.shop.order("o-1").text("id")
        },
        Cause("order.updated") { scene in
            let id = try await scene.shop.order("o-1").text("id")
            try await scene.call(.patch, "/api/v1/oms/orders/\(id)", #"{"tags": ["gift"]}"#)
            return id
        },
    ]

    static let products = [
        Cause("product.created") { try await $0.product("draft").text("id") },
        Cause("product.updated") { scene in
            let id = try await scene.product("draft").text("id")
            try await scene.call(.patch, "/api/v1/pim/products/\(id)", #"{"title": "Large cup"}"#)
            return id
        },
        Cause("product.price_changed") { scene in
            let made = try await scene.product("active")
            let id = try made.text("id")
            let variant = try #require(made["variants"]?.array?.first).text("id")
            try await scene.call(.patch, "/api/v1/pim/products/\(id)/variants/\(variant)", #"{"price": 6}"#)
            return id
        },
    ]

    static let productStates = [
        Cause("product.activated") { try await $0.product("draft", "activate") },
        Cause("product.deactivated") { try await $0.product("active", "deactivate") },
        Cause("product.discontinued") { try await $0.product("active", "discontinue") },
    ]

    static let customers = [
        Cause("customer.created") { try await $0.customer("", "") },
        Cause("customer.status_changed") { try await $0.customer("status", #"{"status": "at_risk"}"#) },
        Cause("customer.assigned") {
            try await $0.customer("assign", #"{"user_id": "\#(TestServer.tenant)"}"#)
        },
        Cause("inventory.adjusted") { scene in
            let variant = try #require(try await scene.product("active")["variants"]?.array?.first).text("id")
            try await scene.call(
                .post, "/api/v1/inventory/adjust", #"{"variant_id": "\#(variant)", "quantity_delta": 3}"#)
            return nil
        },
    ]

    static let endpoints = [
        Cause("webhook.test") { scene in
            try await scene.call(.post, "/api/v1/webhooks/subscriptions/\(scene.everything)/test")
            return nil
        },
        Cause("webhook.disabled") { scene in
            let id = try await scene.fail(scene.dying)
            try await until("it is disabled") { try await scene.subscription(id)["status"]?.string == "disabled" }
            return id
        },
        // Not to be disabled as well.
        Cause("webhook.failing") { scene in
            try await scene.call(.patch, "/api/v1/webhooks/settings", #"{"min_deliveries_for_disable": 1000}"#)
            let id = try await scene.fail(scene.ailing)
            try await until("its breaker opens") {
                try await scene.subscription(id + "/stats")["breaker"]?["state"]?.string == "open"
            }
            return id
        },
        // Half a minute later it is tried again.
        Cause("webhook.recovered") { scene in
            scene.ailing.answer(200)
            return nil
        },
    ]
}

/// A type that nothing raises any more, or never did, is found here.
@Suite("Every event type", .endsWhenHung)
struct EveryEventTests {
    /// Raised by store sync, which is not there yet.
    private static let storeSync: [String] = [
        "inventory.updated", "integration.synced", "product.synced", "collection.synced", "sync.failed",
    ]
    /// Told to its endpoint alone: nothing happened.
    private static let unfed: Set<String> = ["webhook.test"]

    @Test("Each declared type has a cause here, or is of store sync")
    func complete() {
        let caused = Cause.all.map(\.type)
        #expect(Set(caused).count == caused.count)
        #expect(Set(caused).isDisjoint(with: Self.storeSync))
        #expect(Set(caused).union(Self.storeSync) == Set(EventCatalog.names))
    }

    @Test("order.created, order.updated: raised by a change, pushed and fed", arguments: TestEngine.allCases)
    func orders(_ engine: TestEngine) async throws { try await expectRaised(Cause.orders, engine) }

    @Test(
        "product.created, product.updated, product.price_changed: raised by a change, pushed and fed",
        arguments: TestEngine.allCases)
    func products(_ engine: TestEngine) async throws { try await expectRaised(Cause.products, engine) }

    @Test(
        "product.activated, product.deactivated, product.discontinued: raised by a change, pushed and fed",
        arguments: TestEngine.allCases)
    func productStates(_ engine: TestEngine) async throws { try await expectRaised(Cause.productStates, engine) }

    @Test(
        "customer.created, customer.status_changed, customer.assigned, inventory.adjusted: raised, pushed and fed",
        arguments: TestEngine.allCases)
    func customers(_ engine: TestEngine) async throws { try await expectRaised(Cause.customers, engine) }

    @Test(
        "webhook.disabled, webhook.failing, webhook.recovered: raised, pushed and fed; webhook.test is not fed",
        arguments: TestEngine.allCases)
    func endpoints(_ engine: TestEngine) async throws { try await expectRaised(Cause.endpoints, engine) }

    @Test(
        "inventory.updated, integration.synced, product.synced, collection.synced, sync.failed: sent as examples",
        arguments: TestEngine.allCases)
    func examples(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url, to: "*")
                for type in Self.storeSync {
                    let asked = try await shop.api.post(
                        "/api/v1/webhooks/subscriptions/\(subscription.id)/test", #"{"event_type": "\#(type)"}"#)
                    #expect(asked.status == 202, "\(asked.text)")
                    let told = try await delivery(of: type, nil, to: receiver)
                    #expect(told.isSigned(with: subscription.secret), "\(type)")
                    try await expectSchema(of: type, told, shop)
                }
                #expect(try await shop.feed().isEmpty, "nothing of it has happened")
            }
        }
    }

    /// Each is raised by a real change, reaches an endpoint as its schema says, and stands in the feed.
    private func expectRaised(_ all: [Cause], _ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { watching in
                try await Receiver.run { dying in
                    try await Receiver.run { ailing in
                        let shop = try await Shop.open(server)
                        let subscription = try await shop.subscribe(watching.url, to: "*")
                        let scene = Scene(shop: shop, everything: subscription.id, dying: dying, ailing: ailing)
                        var causes: [(type: String, entity: String?)] = []
                        for cause in all { causes.append((cause.type, try await cause.act(scene))) }
                        for (type, entity) in causes {
                            let told = try await delivery(of: type, entity, to: watching)
                            #expect(told.isSigned(with: subscription.secret), "\(type)")
                            try await expectSchema(of: type, told, shop)
                            try await expectPlace(of: type, told, shop)
                        }
                    }
                }
            }
        }
    }

    /// The delivery of a type, about an entity where one is given.
    private func delivery(
        of type: String, _ entity: String?, to receiver: Receiver
    ) async throws -> ReceivedDelivery {
        try await eventually("\(type) is told of", within: .seconds(120)) {
            receiver.deliveries.first { delivery in
                delivery.eventType == type && (entity == nil || Self.entity(delivery) == entity)
            }
        }
    }

    private func expectSchema(of type: String, _ told: ReceivedDelivery, _ shop: Shop) async throws {
        let declared = try await shop.api.get("/api/v1/webhooks/event-types/\(type)")
        let schema = try JSONSchema(try #require(declared["schema"]))
        #expect(try schema.faults(in: #require(told.json["payload"])).isEmpty, "\(type): \(told.json)")
    }

    /// On PostgreSQL an event can be delivered before it has its place in the feed.
    private func expectPlace(of type: String, _ told: ReceivedDelivery, _ shop: Shop) async throws {
        let id = try #require(ID<Receiver>(told.eventID)).ulid
        func stands() async throws -> Bool { try await shop.feed().contains { $0["id"]?.string == id } }
        if Self.unfed.contains(type) {
            #expect(try await !stands(), "\(type)")
        } else {
            try await until("\(type) stands in the feed", stands)
        }
    }

    /// The id that payloads show of what they are about.
    private static func entity(_ delivery: ReceivedDelivery) -> String? {
        let payload = delivery.json["payload"]
        let noun = delivery.eventType.prefix { $0 != "." }
        return payload?["\(noun)_id"]?.string ?? payload?["subscription_id"]?.string ?? payload?["id"]?.string
    }
}
