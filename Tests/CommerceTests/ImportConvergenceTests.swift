import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

/// Sources collapse, reorder and repeat. Whatever they do, the newest state that they told must be what stands here.
@Suite("Snapshots in any order, any number of times, in any batches")
struct ImportConvergenceTests {
    /// The life of some orders with a time of its own for each state. Refunds are told by all later states too, as
    /// stores do.
    private static func lives(_ random: inout SeededRandom) -> [OrderSnapshot] {
        (0..<4).flatMap { number in
            var refunds: [OrderSnapshot.Refund] = []
            return (1...5).map { step in
                var lines = (0..<4).filter { _ in Bool.random(using: &random) }.map { place in
                    line("l\(place)", Int64.random(in: 1...5, using: &random), sku: place < 2 ? "K" : nil)
                }
                if lines.isEmpty { lines = [line("l0")] }
                if Int.random(in: 0..<3, using: &random) == 0 {
                    refunds.append(.init(externalID: "r\(step)", amount: usd(Int64(step)), reason: nil))
                }
                let states: [OrderStatus] = [.pendingPayment, .processing, .completed, .cancelled, .refunded]
                return snapshot(
                    "o\(number)", at: Int64(step * 10 + number), status: states.randomElement(using: &random),
                    lines: lines, refunds: refunds)
            }
        }
    }

    /// What the source told last. What an order remembers of older states (dropped lines, the highest quantity ordered,
    /// what was fulfilled once, the name of an item that the source has forgotten) depends on which of them were seen,
    /// because an older one changes nothing any more.
    private struct Face: Equatable {
        let status: OrderStatus
        let version: Timestamp?
        let total: Money
        let lines: [String]
        let refunds: Set<String>
        let customer: OrderSnapshot.Customer

        init(_ order: Order) {
            status = order.status
            version = order.sourceVersion
            total = order.total
            lines = order.lines.filter { $0.quantityCurrent > 0 }.map { line in
                "\(line.key) \(line.quantityCurrent) \(line.total.minorUnits) \(line.sku ?? "-")"
            }
            refunds = Set(order.adjustments.map { "\($0.externalID) \($0.amount.minorUnits)" })
            customer = order.customer
        }
    }

    private func faces(_ engine: TestEngine, _ batches: [[OrderSnapshot]]) async throws -> [String: Face] {
        try await withShop(engine) { shop in
            for batch in batches { try await shop.take(batch) }
            return try await shop.stored().mapValues { Face($0) }
        }
    }

    private static func split(_ all: [OrderSnapshot], _ random: inout SeededRandom) -> [[OrderSnapshot]] {
        var batches: [[OrderSnapshot]] = []
        var rest = all[...]
        while !rest.isEmpty {
            let batch = rest.prefix(Int.random(in: 1...12, using: &random))
            batches.append(Array(batch))
            rest = rest.dropFirst(batch.count)
        }
        return batches
    }

    @Test("The newest state of each order stands in the end", arguments: TestEngine.allCases, UInt64(1)...12)
    func interleaved(_ engine: TestEngine, _ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let told = Self.lives(&random)
        let straight = try await faces(engine, told.map { [$0] })
        var wild = told + told.filter { _ in Bool.random(using: &random) }
        wild.shuffle(using: &random)
        let batches = Self.split(wild, &random)
        #expect(try await faces(engine, batches) == straight, "seed \(seed)")
    }

    @Test(
        "In the source's order, repeats and batches leave no trace at all", arguments: TestEngine.allCases,
        UInt64(1)...6)
    func inOrder(_ engine: TestEngine, _ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let told = Self.lives(&random)
        let repeated = told.flatMap { snapshot in
            Array(repeating: snapshot, count: Int.random(in: 1...3, using: &random))
        }
        let batches = Self.split(repeated, &random)
        func run(_ batches: [[OrderSnapshot]]) async throws -> [String: Order] {
            try await withShop(engine) { shop in
                for batch in batches { try await shop.take(batch) }
                return try await shop.stored().mapValues(\.anonymous)
            }
        }
        #expect(try await run(batches) == run(told.map { [$0] }), "seed \(seed)")
    }
}
