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
    private static let buyers = [
        OrderSnapshot.Customer(externalID: "7", name: "Ann Lee", email: "ann@example.test"),
        OrderSnapshot.Customer(name: "Bo", email: "bo@example.test"),
        OrderSnapshot.Customer(externalID: "9", name: "Cy"),
    ]

    /// The life of some orders with a time of its own for each state.
    private static func lives(_ random: inout SeededRandom) -> [OrderSnapshot] {
        (0..<4).flatMap { number in
            (1...5).map { step -> OrderSnapshot in
                var state = anyState(of: "o\(number)", &random)
                state.updatedAt = moment(Int64(step * 10 + number))
                return state
            }
        }
    }

    /// Any state of an order, in which the source tells everything anew.
    private static func anyState(of order: String, _ random: inout SeededRandom) -> OrderSnapshot {
        func amount() -> Money { usd(.random(in: 0...90, using: &random)) }
        var lines = (0..<4).filter { _ in Bool.random(using: &random) }.map { anyLine(at: $0, &random) }
        if lines.isEmpty { lines = [anyLine(at: 0, &random)] }
        var state = snapshot(
            order, status: OrderStatus.allCases.randomElement(using: &random), lines: lines,
            refunds: anyRefunds(&random))
        state.tellsRefunds = true
        state.sourceStatus = ["a", "b"].randomElement(using: &random)
        state.number = ["#1", "#2"].randomElement(using: &random)
        (state.discount, state.shipping, state.tax) = (amount(), amount(), amount())
        state.total = Bool.random(using: &random) ? amount() : nil
        state.presentment = OrderSnapshot.Presentment(
            discount: amount(), shipping: amount(), tax: amount(), total: amount())
        state.customer = buyers.randomElement(using: &random) ?? buyers[0]
        return state
    }

    /// Two lines by their SKU, of which "X" is nobody's, one by its item, and a fee.
    private static func anyLine(at place: Int, _ random: inout SeededRandom) -> OrderSnapshot.Line {
        let sku = place < 2 ? ["K", "M", "X"].randomElement(using: &random) : nil
        var told = line(
            place == 3 ? "fee:3" : "l\(place)", .random(in: 1...5, using: &random), sku: sku,
            item: place == 2 ? "20" : nil, price: .random(in: 50...60, using: &random))
        told.total.minorUnits -= Int64.random(in: 0...9, using: &random)
        told.tax = usd(.random(in: 0...9, using: &random))
        told.title = ["Line", "Other"].randomElement(using: &random) ?? ""
        return told
    }

    /// What the source says was refunded: amounts on lines, or a list. Stores restate both, take them back and go from
    /// one to the other.
    private static func anyRefunds(_ random: inout SeededRandom) -> [OrderSnapshot.Refund] {
        let names = Bool.random(using: &random) ? ["line:l0", "line:l1"] : ["r1", "r2", "r3"]
        return names.filter { _ in Bool.random(using: &random) }.map { name in
            OrderSnapshot.Refund(
                externalID: name, amount: usd(.random(in: 1...50, using: &random)),
                reason: Bool.random(using: &random) ? "broken" : nil)
        }
    }

    /// All of an order that follows from what its source told last.
    ///
    /// The rest can't: an older state changes nothing any more, so what is remembered of older ones depends on which of
    /// them were seen. `docs/limits.md` says so of dropped lines and refunds, the highest quantity ordered, what was
    /// fulfilled once, and whatever the newest state leaves out (here it leaves nothing out). What counts or stamps
    /// arrivals (version, times of ours, the inbox entry) differs by its nature, and whether an order waits for pieces
    /// that are not there depends on who came to the stock first. Of two states with one time, or without any, the last
    /// to arrive applies (`ties` below).
    private struct Face: Equatable {
        let texts: [String?]
        let version: Timestamp?
        let amounts: [Money]
        let presentment: OrderSnapshot.Presentment?
        let match: Order.MatchStatus
        let lines: [[String]]
        let refunds: Set<[String]>
        let customer: OrderSnapshot.Customer
        /// Who of our customers it is linked to.
        let buyer: [String]

        init(_ order: Order, buyer: Customer?, names: [VariantID: String]) {
            texts = [order.status.rawValue, order.sourceStatus, order.number]
            version = order.sourceVersion
            amounts = [
                order.discount, order.shipping, order.tax, order.total, order.subtotal, order.totalDifference,
                order.refunded,
            ]
            presentment = order.presentment
            match = order.matchStatus
            lines = order.lines.filter { $0.quantityCurrent > 0 }.map { line -> [String] in
                let words = [line.key, line.title, line.match.rawValue, String(line.quantityCurrent)]
                let amounts = [line.unitPrice, line.total, line.tax].map(\.decimalText)
                let found: [String?] = [line.sku, line.itemID, line.variant.flatMap { names[$0] }]
                return words + amounts + found.map { $0 ?? "-" }
            }
            refunds = Set(
                order.adjustments.filter { $0.amount.minorUnits > 0 }.map { refund in
                    [refund.externalID, refund.amount.decimalText, refund.reason ?? "-"]
                })
            customer = order.customer
            self.buyer = [buyer?.lastName ?? "-", buyer?.email ?? "-"] + (buyer?.references ?? []).map(\.externalID)
        }
    }

    private func faces(_ engine: TestEngine, _ batches: [[OrderSnapshot]]) async throws -> [String: Face] {
        try await withShop(engine) { shop in
            let (first, second) = (try await shop.variant("K").id, try await shop.variant("M").id)
            let names = [first: "K", second: "M"]
            try await shop.map("20", to: first)
            for batch in batches { try await shop.take(batch) }
            var faces: [String: Face] = [:]
            for (external, order) in try await shop.stored() {
                let buyer = try #require(order.customerID)
                let customer = try await shop.customers.require(buyer, scope: Shop.scope).customer
                faces[external] = Face(order, buyer: customer, names: names)
            }
            return faces
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
        "Of states of one time, or without any, the last to arrive stands", arguments: TestEngine.allCases,
        UInt64(1)...8)
    func ties(_ engine: TestEngine, _ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        var told: [OrderSnapshot] = []
        for _ in 0..<24 {
            let number = Int.random(in: 0..<3, using: &random)
            var state = Self.anyState(of: "o\(number)", &random)
            let second = Int64.random(in: 0...4, using: &random)
            state.updatedAt = second == 0 ? nil : moment(second)
            told.append(state)
        }
        told += told.filter { _ in Bool.random(using: &random) }
        told.shuffle(using: &random)
        // What applies, told in the plainest words: whatever is not older than the newest time that was told.
        var standing: [String: OrderSnapshot] = [:]
        for var state in told {
            let newest = standing[state.externalID]?.updatedAt
            if let newest, let time = state.updatedAt, time < newest { continue }
            state.updatedAt = state.updatedAt ?? newest
            standing[state.externalID] = state
        }
        let alone = try await faces(engine, standing.values.map { [$0] })
        let batches = Self.split(told, &random)
        #expect(try await faces(engine, batches) == alone, "seed \(seed)")
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
