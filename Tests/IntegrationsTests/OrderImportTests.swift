import Commerce
import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("Deliveries that become orders")
struct OrderImportTests {
    // MARK: The gateway

    @Test(
        "A delivery becomes an order with its lines matched, and is shown as processed", arguments: TestEngine.allCases)
    func processed(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let new = try request(#"{"title":"T","variants":[{"sku":"A"}]}"#) { NewProduct($0) }
            let product = try await door.products.create(new, scope: Door.scope, actor: Door.actor)
            let body = envelope(order("a"))
            let id = try #require(try await door.send(body, over: link).accepted)
            #expect(try await door.log(link).map(\.state) == ["queued"])
            await door.runner.drain()
            let order = try #require(try await door.orders().first)
            #expect(order.total.decimalText == "149.98" && order.matchStatus == .full && order.status == .confirmed)
            #expect(order.lines[0].variant == product.variants.first?.id)
            let entry = try #require(try await door.log(link).first)
            #expect(entry.state == "processed" && entry.reason == nil && entry.order == order.id.cast())
            let story = try await door.orders.require(order.id, scope: Door.scope, withSource: true)
            #expect(story.sourcePayload == Array(body.utf8))
            #expect(story.timeline.map(\.type) == ["order.created"] && story.timeline[0].causation == id.cast())
            #expect(try await door.connections.require(link.id, scope: Door.scope).lastReceivedAt == door.time.now)
        }
    }

    @Test("The seed's and Unified.to's own spelling both land", arguments: TestEngine.allCases)
    func spellings(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let names = [
                "seed-order-created", "seed-order-updated", "short-order-created", "totals-order-updated",
                "unifiedto-order-created", "unifiedto-order-updated",
            ]
            for name in names {
                let recording = try Recording("unified", name)
                let external = try #require(try JSONValue(parsing: Array(recording.body.utf8))["connection_id"]?.string)
                let link = try await door.connect(external)
                _ = try await door.send(recording.body, over: link)
            }
            await door.runner.drain()
            #expect(try await door.count("SELECT count(*) FROM workflow WHERE outcome <> 'processed'") == 0)
            let seed = try #require(try await door.orders().first { $0.externalID == "ord-1001" })
            #expect(seed.lines.map(\.sku) == ["SYNQ-SHIRT-M-BLK", "SYNQ-CAP"] && seed.customer.externalID == "42")
        }
    }

    @Test(
        "A state older than the stored one is stale, in one batch and in two", arguments: TestEngine.allCases,
        [true, false])
    func stale(_ engine: TestEngine, _ isOneBatch: Bool) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.send(envelope(order("a", at: 9, status: "VOIDED")), over: link)
            if !isOneBatch { await door.runner.drain() }
            _ = try await door.send(envelope(order("a", at: 5), event: "order.updated"), over: link)
            await door.runner.drain()
            let log = try await door.log(link)
            #expect(log.map(\.state) == ["stale", "processed"])
            #expect(log[0].reason == "a newer state of the order is stored already" && log[0].order == log[1].order)
            #expect(try await door.orders().map(\.status) == [.cancelled])
            #expect(try await door.eventTypes() == ["order.created"])
        }
    }

    @Test("The same state in other bytes changes nothing and says so", arguments: TestEngine.allCases)
    func unchanged(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.send(envelope(order("a")), over: link)
            _ = try await door.send(envelope(order("a")) + "\n", over: link)
            await door.runner.drain()
            #expect(try await door.log(link).map(\.reason) == ["nothing has changed", nil])
            #expect(try await door.eventTypes() == ["order.created"])
        }
    }

    // MARK: WooCommerce as recorded

    private func send(_ names: [String], to door: Door, over link: Link) async throws {
        for name in names {
            let recording = try Recording("woocommerce", name)
            let secret = try #require(recording.secret)
            _ = try await door.sendNative(recording.body, topic: recording.topic, to: link.id, secret: secret)
        }
    }

    /// A connection that signs with the secret of the recordings.
    private func store(_ door: Door) async throws -> Link {
        let link = try await door.connect("store", provider: "woocommerce")
        let recording = try Recording("woocommerce", "hook-burst-order-created")
        let text = try #require(recording.secret).revealText(for: "a recording")
        return Link(connection: link.connection, secret: try await door.rotate(link.id, secret: text))
    }

    private func product(_ sku: String, in door: Door) async throws {
        let new = try request(#"{"title":"T","variants":[{"sku":"\#(sku)"}]}"#) { NewProduct($0) }
        _ = try await door.products.create(new, scope: Door.scope, actor: Door.actor)
    }

    @Test("A recorded signature is good as it was sent", arguments: TestEngine.allCases)
    func recordedSignature(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await store(door)
            let recording = try Recording("woocommerce", "hook-burst-order-created")
            let made = try await door.sendNative(
                recording.body, topic: recording.topic, to: link.id, secret: link.secret)
            #expect(made.accepted != nil)
        }
    }

    @Test("A guest's checkout whose update comes first is one order", arguments: TestEngine.allCases, [false, true])
    func checkout(_ engine: TestEngine, _ createdFirst: Bool) async throws {
        try await withDoor(engine) { door in
            let link = try await store(door)
            try await product("HUB-MUG-01", in: door)
            let names = ["hook-checkout-guest-order-updated", "hook-checkout-guest-order-created"]
            try await send(createdFirst ? names.reversed() : names, to: door, over: link)
            try await send(["hook-checkout-guest-product-updated"], to: door, over: link)
            await door.runner.drain()
            let order = try #require(try await door.orders().first)
            #expect(order.externalID == "39" && order.total.decimalText == "55.87" && order.matchStatus == .partial)
            #expect(order.totalDifference.minorUnits == 0 && order.channel == "woocommerce")
            #expect(order.status == .processing && order.lines.map(\.match) == [.sku, .unmatched])
            #expect(try await door.orders().count == 1)
            #expect(try await door.log(link).map(\.state) == ["ignored", "processed", "processed"])
            #expect(try await door.eventTypes().filter { $0.hasPrefix("order") } == ["order.created"])
        }
    }

    @Test(
        "A burst of collapsed deliveries in any order ends as its three orders", arguments: TestEngine.allCases,
        UInt64(1)...3)
    func burst(_ engine: TestEngine, _ seed: UInt64) async throws {
        try await withDoor(engine) { door in
            let link = try await store(door)
            var names = ["", "-2", "-3"].flatMap { ["hook-burst-order-created\($0)", "hook-burst-order-updated\($0)"] }
            var random = SeededRandom(seed: seed)
            names.shuffle(using: &random)
            for name in names {
                try await send([name], to: door, over: link)
                if Bool.random(using: &random) { await door.runner.drain() }
            }
            await door.runner.drain()
            let orders = try await door.orders().sorted { $0.externalID ?? "" < $1.externalID ?? "" }
            #expect(orders.map(\.externalID) == ["36", "37", "38"])
            #expect(orders.map(\.total.decimalText) == ["4.60", "9.20", "13.80"])
            #expect(orders.map(\.sourceStatus) == ["completed", "pending", "pending"])
            #expect(orders[0].lines[0].quantityFulfilled == 1)
            #expect(try await door.eventTypes().count { $0 == "order.created" } == 3)
        }
    }

    @Test("An order's life with refunds and a deleted product keeps its match", arguments: TestEngine.allCases)
    func life(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await store(door)
            let all = [
                "hook-order-create-full-order-created", "hook-order-create-full-order-updated",
                "hook-order-to-processing-order-updated", "hook-order-edit-line-order-updated",
                "hook-order-custom-line-order-updated", "hook-order-refund-partial-order-updated",
                "hook-order-refund-rest-order-updated", "hook-order-completed-order-updated",
                "hook-order-with-deleted-product-order-updated", "hook-order-jpy-order-created",
                "hook-order-jpy-2dec-order-created", "hook-order-jpy-refund-order-updated",
                "hook-order-kwd-order-created", "hook-order-zero-order-created", "hook-oversell-order-created",
            ]
            try await send(all, to: door, over: link)
            await door.runner.drain()
            let states = Set(try await door.log(link).map(\.state))
            #expect(states.isSubset(of: ["processed", "stale"]))
            for order in try await door.orders() {
                #expect(order.totalDifference.minorUnits == 0, "order \(order.externalID ?? "")")
                #expect(order.refunded.minorUnits >= 0 && order.total.minorUnits >= 0)
            }
            #expect(Set(try await door.orders().map(\.currency.code)).isSuperset(of: ["USD", "JPY", "KWD"]))
        }
    }

    @Test("What is no order of the store's is kept and ignored", arguments: TestEngine.allCases)
    func ignored(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await store(door)
            try await send(
                [
                    "hook-order-gone-before-delivery-order-created", "hook-order-trash-order-deleted",
                    "hook-order-trashed-before-delivery-order-created", "hook-legacy-order-trash-product-deleted",
                ], to: door, over: link)
            await door.runner.drain()
            #expect(try await door.log(link).allSatisfy { $0.state == "ignored" && $0.reason != nil })
            #expect(try await door.orders().isEmpty)
        }
    }
}
