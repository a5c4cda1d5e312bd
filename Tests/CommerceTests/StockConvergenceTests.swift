import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

/// Whatever is told, asked and repeated, in whatever order: levels are what the orders that stand there hold.
@Suite("Levels after any interleaving")
struct StockConvergenceTests {
    private static let skus = ["A", "B", "C"]

    /// The life of some orders, each state with a time of its own; refunds are told by all later states too.
    private static func lives(_ random: inout SeededRandom) -> [OrderSnapshot] {
        (0..<4).flatMap { number in
            var refunds: [OrderSnapshot.Refund] = []
            return (1...5).map { step in
                var lines = (0..<3).filter { _ in Bool.random(using: &random) }.map { place in
                    line("l\(place)", .random(in: 1...5, using: &random), sku: skus[place])
                }
                if lines.isEmpty { lines = [line("l0", sku: skus[0])] }
                if Int.random(in: 0..<3, using: &random) == 0 {
                    refunds.append(.init(externalID: "r\(step)", amount: usd(Int64(step)), reason: nil))
                }
                return snapshot(
                    "o\(number)", at: Int64(step * 10 + number),
                    status: OrderStatus.allCases.randomElement(using: &random),
                    lines: lines, refunds: refunds)
            }
        }
    }

    private static func batches(_ all: [OrderSnapshot], _ random: inout SeededRandom) -> [[OrderSnapshot]] {
        var batches: [[OrderSnapshot]] = []
        var rest = all[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Int.random(in: 1...9, using: &random))
            batches.append(Array(batch))
            rest = rest.dropFirst(batch.count)
        }
        return batches
    }

    private func open(_ shop: Shop) async throws -> [VariantID] {
        var variants: [VariantID] = []
        for sku in Self.skus {
            let variant = try await shop.variant(sku).id
            try await shop.stock(variant, 20)
            variants.append(variant)
        }
        return variants
    }

    /// Each level is the sum of its ledger, and that is what was put there and what the orders hold.
    private func expectLevelsOfOrders(_ shop: Shop, _ variants: [VariantID], _ seed: UInt64) async throws {
        try await shop.expectLedgerAddsUp()
        let held = try await shop.held()
        for variant in variants {
            let expected = Balance(onHand: 20) + (held[variant] ?? Balance())
            #expect(try await shop.balance(variant) == expected, "seed \(seed)")
        }
    }

    @Test("Snapshots in any order, any number of times, in any batches", arguments: TestEngine.allCases, UInt64(1)...10)
    func snapshots(_ engine: TestEngine, _ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let told = Self.lives(&random)
        var wild = told + told.filter { _ in Bool.random(using: &random) }
        wild.shuffle(using: &random)
        let batches = Self.batches(wild, &random)
        func run(_ batches: [[OrderSnapshot]]) async throws -> [Balance] {
            try await withShop(engine) { shop in
                let variants = try await open(shop)
                for batch in batches { try await shop.take(batch) }
                try await expectLevelsOfOrders(shop, variants, seed)
                var balances: [Balance] = []
                for variant in variants { balances.append(try await shop.balance(variant)) }
                return balances
            }
        }
        #expect(try await run(batches) == run(told.map { [$0] }), "seed \(seed)")
    }

    /// What a caller may try; what the order's state forbids is refused and changes nothing.
    private func act(_ shop: Shop, _ order: Order, _ random: inout SeededRandom) async throws {
        let (scope, actor) = (Shop.scope, Shop.actor)
        let line = order.lines.randomElement(using: &random)?.key ?? "-"
        let parcel = #"{"items":[{"line_id":"\#(line)","quantity":\#(Int.random(in: 1...3, using: &random))}]}"#
        do {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let next = OrderStatus.allCases.randomElement(using: &random) ?? .draft
                _ = try await shop.orders.move(order.id, to: next, scope: scope, actor: actor)
            case 1:
                let refund = try request(#"{"external_id":"c\#(line)","amount":0.5}"#) { RefundRequest($0) }
                _ = try await shop.orders.refund(order.id, refund, scope: scope, actor: actor)
            case 2:
                let sent = try request(parcel) { ParcelRequest(.fulfilment, $0) }
                _ = try await shop.orders.record(sent, on: order.id, scope: scope, actor: actor)
            default:
                let back = try request(parcel) { ParcelRequest(.returned, $0) }
                _ = try await shop.orders.record(back, on: order.id, scope: scope, actor: actor)
            }
        } catch let refusal as Refusal {
            #expect(refusal.kind == .conflict)
        } catch let invalid as InvalidDocument {
            #expect(!invalid.faults.isEmpty)
        }
    }

    @Test("Imports between moves, parcels, returns and refunds", arguments: TestEngine.allCases, UInt64(1)...8)
    func mixed(_ engine: TestEngine, _ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var told = Self.lives(&random)
        told += told.filter { _ in Bool.random(using: &random) }
        told.shuffle(using: &random)
        let batches = Self.batches(told, &random)
        let start = random
        try await withShop(engine) { shop in
            var random = start
            let variants = try await open(shop)
            for batch in batches {
                try await shop.take(batch)
                for order in try await shop.stored().values.sorted(by: { $0.id < $1.id }) {
                    try await act(shop, order, &random)
                }
            }
            try await expectLevelsOfOrders(shop, variants, seed)
        }
    }
}
