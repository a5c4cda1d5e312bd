import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

/// Several callers at once, each with its own mix of everything that moves stock.
@Suite("Levels under callers at once", .endsWhenHung)
struct ConcurrentStockTests {
    private static let skus = ["A", "B"]
    private static let callers = 6
    private static let steps = 12

    private struct Stage: Sendable {
        let shop: Shop
        let variants: [VariantID]
        let places: [LocationID]
        let hasImports: Bool
    }

    @Test(
        "Nothing is lost or taken twice, and nothing goes below zero where the tenant forbids it",
        arguments: TestEngine.allCases, UInt64(1)...3)
    func forbidden(_ engine: TestEngine, _ seed: UInt64) async throws {
        try await run(engine, seed, .hard, hasImports: false)
    }

    @Test(
        "Nothing is lost or taken twice between imports that nobody can refuse",
        arguments: TestEngine.allCases, UInt64(4)...6)
    func allowed(_ engine: TestEngine, _ seed: UInt64) async throws {
        try await run(engine, seed, .soft, hasImports: true)
    }

    private func run(
        _ engine: TestEngine, _ seed: UInt64, _ allocation: InventorySettings.Allocation, hasImports: Bool
    ) async throws {
        try await withShop(engine, seed: seed) { shop in
            try await shop.allocate(allocation)
            let places = [try await shop.location("First").id, try await shop.location("Second").id]
            var variants: [VariantID] = []
            for sku in Self.skus { variants.append(try await shop.variant(sku).id) }
            let stage = Stage(shop: shop, variants: variants, places: places, hasImports: hasImports)
            let adjusted = try await withThrowingTaskGroup(of: [VariantID: Int64].self) { group in
                for caller in 0..<Self.callers {
                    group.addTask { try await call(stage, caller, seed) }
                }
                return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            }
            try await expectNothingLost(stage, adjusted, seed)
            if allocation == .hard {
                let below = try await shop.ledger().filter { $0.after.onHand < 0 }
                #expect(below.isEmpty, "seed \(seed)")
            }
        }
    }

    /// One caller's steps; returns what its adjustments came to.
    private func call(_ stage: Stage, _ caller: Int, _ seed: UInt64) async throws -> [VariantID: Int64] {
        var random = SeededRandom(seed: seed &* 1000 &+ UInt64(caller))
        var adjusted: [VariantID: Int64] = [:]
        for step in 0..<Self.steps {
            let variant = stage.variants[Int.random(in: 0..<stage.variants.count, using: &random)]
            do {
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    let delta = Int64.random(in: -3...6, using: &random)
                    let place = stage.places.randomElement(using: &random)
                    if try await stage.shop.stock(variant, delta, at: place) != nil {
                        adjusted[variant, default: 0] += delta
                    }
                case 2: try await transfer(stage, variant, Int.random(in: 1...3, using: &random))
                case 3: try await order(stage, "\(caller)-\(step)", &random)
                default: try await act(stage, &random)
                }
            } catch let refusal as Refusal {
                #expect(refusal.kind == .conflict, "seed \(seed): \(refusal)")
            } catch let invalid as InvalidDocument {
                #expect(!invalid.faults.isEmpty)
            }
        }
        return adjusted
    }

    private func transfer(_ stage: Stage, _ variant: VariantID, _ quantity: Int) async throws {
        let body = """
            {"variant_id":"\(variant)","from_location_id":"\(stage.places[0])","to_location_id":"\(stage.places[1])",
             "quantity":\(quantity)}
            """
        _ = try await stage.shop.inventory.transfer(
            request(body) { TransferRequest($0) }, scope: Shop.scope, actor: Shop.actor)
    }

    /// A new order by a caller, or one that all callers tell of by turns.
    private func order(_ stage: Stage, _ key: String, _ random: inout SeededRandom) async throws {
        let sku = Self.skus.randomElement(using: &random) ?? ""
        let quantity = Int64.random(in: 1...3, using: &random)
        if stage.hasImports {
            let told = snapshot(
                "o\(Int.random(in: 0..<3, using: &random))", at: Int64.random(in: 1...50, using: &random),
                status: OrderStatus.allCases.randomElement(using: &random), lines: [line("l", quantity, sku: sku)])
            try await stage.shop.take([told])
        } else {
            let body = """
                {"idempotency_key":"\(key)","currency":"USD",
                 "items":[{"sku":"\(sku)","quantity":\(quantity),"unit_price":1}]}
                """
            _ = try await stage.shop.orders.place(
                request(body) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor)
        }
    }

    /// Moves some order, sends a part of it, or takes one back.
    private func act(_ stage: Stage, _ random: inout SeededRandom) async throws {
        let orders = try await stage.shop.orders.list(OrderQuery(limit: 100), scope: Shop.scope)
        guard let order = orders.randomElement(using: &random), let line = order.lines.first else { return }
        let parcel = #"{"items":[{"line_id":"\#(line.key)","quantity":1}]}"#
        let (scope, actor) = (Shop.scope, Shop.actor)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            let next = OrderStatus.allCases.randomElement(using: &random) ?? .draft
            _ = try await stage.shop.orders.move(order.id, to: next, scope: scope, actor: actor)
        case 1:
            let sent = try request(parcel) { ParcelRequest(.fulfilment, $0) }
            _ = try await stage.shop.orders.record(sent, on: order.id, scope: scope, actor: actor)
        default:
            let back = try request(parcel) { ParcelRequest(.returned, $0) }
            _ = try await stage.shop.orders.record(back, on: order.id, scope: scope, actor: actor)
        }
    }

    /// Each level is the sum of its ledger; over all places a variant has what was adjusted and what its orders hold;
    /// and each line of the ledger was told once.
    private func expectNothingLost(_ stage: Stage, _ adjusted: [VariantID: Int64], _ seed: UInt64) async throws {
        try await stage.shop.expectLedgerAddsUp(isInOrder: false)
        let held = try await stage.shop.held()
        for variant in stage.variants {
            let expected = Balance(onHand: adjusted[variant] ?? 0) + (held[variant] ?? Balance())
            #expect(try await stage.shop.balance(variant) == expected, "seed \(seed)")
        }
        let ledger = try await stage.shop.ledger()
        #expect(!ledger.isEmpty)
        #expect(
            try await stage.shop.eventTypes().count { $0 == "inventory.adjusted" } == ledger.count, "seed \(seed)")
    }
}
