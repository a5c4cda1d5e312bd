import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Orders that callers place, move and list")
struct OrderServiceTests {
    private static let body = """
        {"idempotency_key":"k1","currency":"USD","channel":"web","items":[
            {"sku":"A","quantity":2,"unit_price":74.99,"title":"Shirt"},{"sku":" x ","quantity":1,"unit_price":"5"}]}
        """

    private func place(
        _ shop: Shop, _ body: String = body, scope: Scope = Shop.scope
    ) async throws -> (order: Order, isNew: Bool) {
        try await shop.orders.place(request(body) { NewOrder($0) }, scope: scope, actor: Shop.actor)
    }

    // MARK: Placing

    @Test("An order is placed with what matches and what does not", arguments: TestEngine.allCases)
    func placing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            let (order, isNew) = try await place(shop)
            #expect(isNew && order.status == .pendingPayment && order.channel == "web")
            #expect(order.total == usd(15498) && order.matchStatus == .partial && order.sourcePlatform == "api")
            #expect(order.lines.map(\.variant) == [variant.id, nil])
            #expect(order.lines.map(\.sku) == ["A", "x"] && order.lines[1].title == "x")
            let story = try await shop.orders.require(order.id, scope: Shop.scope, withSource: true)
            #expect(story.order == order && story.sourcePayload == nil)
            #expect(story.timeline.map(\.type) == ["order.created"])
            #expect(story.timeline[0].actor == Shop.actor && story.timeline[0].source == "api")
        }
    }

    @Test(
        "An order with a long story shows the newest 200 events and notes, oldest first", arguments: TestEngine.allCases
    )
    func longStory(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await place(shop).order.id
            for number in 1...203 {
                _ = try await shop.orders.add(note: "\(number)", to: id, scope: Shop.scope, actor: Shop.actor)
                shop.time.advance(by: .seconds(1))
            }
            let story = try await shop.orders.require(id, scope: Shop.scope, withSource: false)
            #expect(story.notes.map(\.text) == (4...203).map { "\($0)" })
            #expect(story.timeline.count == 200 && story.timeline.allSatisfy { $0.type == "order.updated" })
            #expect(story.timeline.map(\.occurredAt) == story.notes.map(\.createdAt))
        }
    }

    @Test("The same key gives the first order, also with another body", arguments: TestEngine.allCases)
    func sameKey(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let first = try await place(shop)
            let other = #"{"idempotency_key":"k1","currency":"EUR","items":[{"sku":"B","quantity":1,"unit_price":1}]}"#
            let second = try await place(shop, other)
            #expect(!second.isNew && second.order == first.order)
            #expect(try await shop.eventTypes() == ["order.created"])
            #expect(try await place(shop, scope: Shop.stranger).isNew)
        }
    }

    @Test("A key that a sister organisation uses is a conflict", arguments: TestEngine.allCases)
    func sisterKey(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            _ = try await place(shop)
            await #expect(
                throws: Refusal.conflict("The idempotency key is used by another organisation of the tenant.")
            ) {
                _ = try await place(shop, scope: Shop.sister)
            }
        }
    }

    @Test("Two calls at once with one key make one order", arguments: TestEngine.allCases, 0..<5)
    func race(_ engine: TestEngine, _: Int) async throws {
        try await withShop(engine) { shop in
            async let first = place(shop)
            async let second = place(shop)
            let both = try await [first, second]
            #expect(both.count { $0.isNew } == 1 && both[0].order.id == both[1].order.id)
            #expect(try await shop.eventTypes() == ["order.created"])
        }
    }

    @Test("Two lines that name their variant by id and by SKU that only differ in case", arguments: TestEngine.allCases)
    func lineMatches(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("Cap")
            try await shop.variant("CAP")
            let (order, _) = try await place(
                shop,
                """
                {"idempotency_key":"k","currency":"JPY","items":[
                    {"variant_id":"\(variant.id)","quantity":1,"unit_price":1980},
                    {"sku":"cap","quantity":3,"unit_price":10}]}
                """)
            #expect(order.lines.map(\.match) == [.item, .ambiguous] && order.total.decimalText == "2010")
        }
    }

    @Test("A line that names another tenant's variant is refused at its place", arguments: TestEngine.allCases)
    func foreignVariants(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let own = try await shop.variant("A").id
            let foreign = try await shop.variant("A", scope: Shop.stranger).id
            let unknown: VariantID = shop.ids.next()
            // The SKU would find a variant, and is not what was asked for.
            let body = """
                {"idempotency_key":"k","currency":"USD","items":[
                    {"variant_id":"\(own)","quantity":1,"unit_price":1},
                    {"variant_id":"\(foreign)","sku":"A","quantity":1,"unit_price":1},
                    {"variant_id":"\(unknown)","quantity":1,"unit_price":1}]}
                """
            await #expect(throws: Refusal.notFound("variant", at: ["/items/1/variant_id", "/items/2/variant_id"])) {
                _ = try await place(shop, body)
            }
            #expect(try await shop.stored().isEmpty)
            // A store tells what it has sold: its order is kept, whatever it names.
            try await shop.take([snapshot("told", lines: [line("1", item: foreign.description)])])
            #expect(try await shop.order("told").lines.map(\.match) == [.unmatched])
        }
    }

    @Test("An order of a variant that is gone since is still answered to its key", arguments: TestEngine.allCases)
    func goneVariant(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(#"{"title":"T","variants":[{"sku":"A"}]}"#)
            let variant = try #require(product.variants.first).id
            func body(_ key: String) -> String {
                """
                {"idempotency_key":"\(key)","currency":"USD","items":[
                    {"variant_id":"\(variant)","quantity":1,"unit_price":1}]}
                """
            }
            let first = try await place(shop, body("k1"))
            try await shop.products.delete(product.id, scope: Shop.scope, actor: Shop.actor)
            let again = try await place(shop, body("k1"))
            #expect(!again.isNew && again.order == first.order)
            await #expect(throws: Refusal.notFound("variant", at: ["/items/0/variant_id"])) {
                _ = try await place(shop, body("k2"))
            }
        }
    }

    // MARK: Moving

    @Test(
        "Each state can be moved to its next ones and to no other", arguments: TestEngine.allCases, OrderStatus.allCases
    )
    func moves(_ engine: TestEngine, _ from: OrderStatus) async throws {
        try await withShop(engine) { shop in
            for next in OrderStatus.allCases {
                let external = "\(from)-\(next)"
                try await shop.take([snapshot(external, status: from, lines: [line("1", 3)])])
                let order = try await shop.order(external)
                guard from.nextStates.contains(next) else {
                    let refusal = await #expect(throws: Refusal.self) {
                        _ = try await shop.orders.move(order.id, to: next, scope: Shop.scope, actor: Shop.actor)
                    }
                    let allowed = JSONValue.array(from.nextStates.map { .string($0.rawValue) })
                    #expect(refusal?.kind == .conflict && refusal?.fields == [Refusal.Field("allowed", allowed)])
                    #expect(try await shop.order(external) == order)
                    continue
                }
                let moved = try await shop.orders.move(order.id, to: next, scope: Shop.scope, actor: Shop.actor)
                #expect(moved.status == next && moved.version == 2)
                #expect(try await shop.order(external) == moved)
                if next == .fulfilled { #expect(moved.lines[0].quantityFulfilled == 3) }
                #expect(try await shop.events().last?.payload["changed"] == .array([.string("status")]))
            }
        }
    }

    @Test("Orders of other owners are not found", arguments: TestEngine.allCases, [Shop.sister, Shop.stranger])
    func owners(_ engine: TestEngine, _ scope: Scope) async throws {
        try await withShop(engine) { shop in
            let id = try await place(shop).order.id
            await #expect(throws: Refusal.notFound("order")) {
                _ = try await shop.orders.require(id, scope: scope, withSource: false)
            }
            await #expect(throws: Refusal.notFound("order")) {
                _ = try await shop.orders.move(id, to: .cancelled, scope: scope, actor: Shop.actor)
            }
            #expect(try await shop.stored(scope).isEmpty)
        }
    }

    @Test("Two moves at once out of one state: one is made, the other refused", arguments: TestEngine.allCases)
    func moveRace(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await place(shop).order.id
            let results = await withTaskGroup(of: Bool.self) { group in
                for next in [OrderStatus.failed, .cancelled] {
                    group.addTask {
                        let moved = try? await shop.orders.move(id, to: next, scope: Shop.scope, actor: Shop.actor)
                        return moved != nil
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.sorted { !$0 && $1 } == [false, true])
            #expect(try await shop.eventTypes() == ["order.created", "order.updated"])
        }
    }

    // MARK: Listing

    @Test("A list is paged by its cursor and narrowed by state, channel and time", arguments: TestEngine.allCases)
    func listing(_ engine: TestEngine) async throws {
        try await withShop(engine) { (shop: Shop) async throws -> Void in
            for number in 0..<5 {
                try await shop.take([snapshot("o\(number)", status: number < 3 ? .processing : .cancelled)])
                shop.time.advance(by: .seconds(1))
            }
            _ = try await place(shop)
            func list(_ narrow: (inout OrderQuery) -> Void = { _ in }) async throws -> [String] {
                var query = OrderQuery(limit: 50)
                narrow(&query)
                return try await shop.orders.list(query, scope: Shop.scope).map { $0.externalID ?? "" }
            }
            #expect(try await list() == ["o0", "o1", "o2", "o3", "o4", "k1"])
            #expect(try await list { $0.limit = 2 } == ["o0", "o1"])
            let second = try await shop.order("o1")
            #expect(try await list { ($0.after, $0.limit) = (second.id, 2) } == ["o2", "o3"])
            #expect(try await list { $0.status = .cancelled } == ["o3", "o4"])
            #expect(try await list { $0.channel = "web" } == ["k1"])
            let narrow = try await list {
                ($0.status, $0.channel, $0.since) = (.processing, "woocommerce", second.updatedAt)
            }
            #expect(narrow == ["o1", "o2"])
            #expect(try await list { $0.since = shop.time.now + .milliseconds(1) } == [])
        }
    }
}
