import Events
import Kernel
import Testing

@testable import Commerce

@Suite("What a snapshot does to a stored order")
struct OrderMergeTests {
    private static let now = moment(500)
    private static let later = moment(600)
    private static let variant = VariantID(high: 9, low: 9)

    private func decide(
        _ snapshot: OrderSnapshot, stored: Order? = nil, matches: [MatchedVariant]? = nil, now: Timestamp = later
    ) -> OrderMerge.Decision {
        OrderMerge.decide(
            OrderMerge.Arrival(
                id: stored?.id ?? OrderID(high: 5, low: 5), scope: Shop.scope, idempotencyKey: "k",
                connection: Shop.connection, channel: "woocommerce", sourcePlatform: "woocommerce",
                inbox: ID<OrderSource>(high: 6, low: UInt64(now.milliseconds)), snapshot: snapshot,
                matches: matches ?? snapshot.lines.map { _ in .unmatched }), stored: stored, now: now)
    }

    private func created(_ snapshot: OrderSnapshot, matches: [MatchedVariant]? = nil) throws -> Order {
        guard case .create(let order) = decide(snapshot, matches: matches, now: Self.now) else {
            throw Unexpected()
        }
        return order
    }

    private func updated(
        _ stored: Order, _ snapshot: OrderSnapshot, matches: [MatchedVariant]? = nil
    ) throws -> (order: Order, changed: [String]) {
        guard case .update(let order, let changed) = decide(snapshot, stored: stored, matches: matches) else {
            throw Unexpected()
        }
        return (order, changed)
    }

    private struct Unexpected: Error {}

    // MARK: Which of the five it is

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let snapshot: OrderSnapshot
        let word: String
        let changed: [String]

        init(_ description: String, _ snapshot: OrderSnapshot, _ word: String, _ changed: [String] = []) {
            testDescription = description
            self.snapshot = snapshot
            self.word = word
            self.changed = changed
        }
    }

    private static let euro: OrderSnapshot = {
        var snapshot = OrderSnapshot(externalID: "a", currency: Currency(code: "EUR") ?? .usd, lines: [])
        snapshot.updatedAt = moment(20)
        return snapshot
    }()

    static let cases = [
        Case("an exact repeat", snapshot("a", at: 10), "unchanged"),
        Case("the same at a newer time", snapshot("a", at: 11), "unchanged"),
        Case("the same without a time", snapshot("a", at: nil), "unchanged"),
        Case("older and different", snapshot("a", at: 9, status: .completed), "stale"),
        Case("older and the same", snapshot("a", at: 9), "stale"),
        Case(
            "of equal time and different", snapshot("a", at: 10, status: .completed), "update",
            ["status", "line_items"]),
        Case("newer and different", snapshot("a", at: 11, status: .cancelled), "update", ["status"]),
        Case("different without a time", snapshot("a", at: nil, status: .cancelled), "update", ["status"]),
        Case(
            "with another quantity", snapshot("a", at: 11, lines: [line("1", 2)]), "update", ["total", "line_items"]),
        Case(
            "with a refund", snapshot("a", at: 11, refunds: [.init(externalID: "r", amount: usd(5), reason: nil)]),
            "update", ["refunded_total"]),
        Case("in another currency", euro, "refused"),
    ]

    @Test("A second snapshot updates, repeats, is stale or is refused", arguments: cases)
    func second(_ testCase: Case) throws {
        let stored = try created(snapshot("a", at: 10))
        switch decide(testCase.snapshot, stored: stored) {
        case .create: #expect(Bool(false), "a stored order is not created again")
        case .update(let order, let changed):
            #expect(testCase.word == "update")
            #expect(changed == testCase.changed)
            #expect(order.version == 2 && order.updatedAt == Self.later && order.createdAt == Self.now)
            #expect(order.inbox != stored.inbox && order.id == stored.id && order.placedAt == stored.placedAt)
        case .stale: #expect(testCase.word == "stale")
        case .unchanged(let order):
            #expect(testCase.word == "unchanged")
            #expect(order.version == 1 && order.updatedAt == Self.now)
        case .refused(let reason):
            #expect(testCase.word == "refused")
            #expect(reason == "currency: the order was in USD and now is in EUR")
        }
    }

    @Test("An unknown order is created whatever the event was called, with what the source tells")
    func creation() throws {
        let order = try created(snapshot("a", at: 10))
        #expect(order.version == 1 && order.createdAt == Self.now && order.updatedAt == Self.now)
        #expect(order.status == .processing && order.sourceStatus == "processing" && order.sourceVersion == moment(10))
        #expect(order.total == usd(100) && order.subtotal == usd(100) && order.totalDifference == usd(0))
        #expect(order.placedAt == moment(0) && order.externalID == "a" && order.customer.name == "Ann")
    }

    @Test("A source that tells neither status nor times has confirmed its order now")
    func bare() throws {
        let order = try created(OrderSnapshot(externalID: "a", currency: .usd, lines: []))
        #expect(order.status == .confirmed && order.sourceStatus == nil && order.sourceVersion == nil)
        #expect(order.placedAt == Self.now && order.matchStatus == .none && order.total == usd(0))
    }

    @Test("A newer time without a change is kept, so that what lies between is stale afterwards")
    func quietTime() throws {
        let stored = try created(snapshot("a", at: 10))
        guard case .unchanged(let order) = decide(snapshot("a", at: 20), stored: stored) else { throw Unexpected() }
        #expect(order.sourceVersion == moment(20) && order.version == 1)
        #expect(decide(snapshot("a", at: 15, status: .failed), stored: order) == .stale)
    }

    @Test("An order that was told without a time takes the time of a later snapshot")
    func firstTime() throws {
        let stored = try created(snapshot("a", at: nil))
        let order = try updated(stored, snapshot("a", at: 3, status: .failed)).order
        #expect(order.sourceVersion == moment(3))
        let timeless = try updated(order, snapshot("a", at: nil, status: .cancelled)).order
        #expect(timeless.sourceVersion == moment(3) && timeless.status == .cancelled)
    }

    @Test("A status that is unknown here keeps the state and is kept as text")
    func unknownStatus() throws {
        let stored = try created(snapshot("a", at: 1))
        var next = snapshot("a", at: 2)
        next.status = nil
        next.sourceStatus = "on-its-way"
        let (order, changed) = try updated(stored, next)
        #expect(order.status == .processing && order.sourceStatus == "on-its-way" && changed == ["status"])
    }

    // MARK: Lines

    @Test("A line that the source dropped stays with nothing left of it, and comes back with its highest quantity")
    func droppedLine() throws {
        let stored = try created(snapshot("a", at: 1, lines: [line("1", 3), line("2", 4)]))
        let dropped = try updated(stored, snapshot("a", at: 2, lines: [line("2", 4)])).order
        #expect(dropped.lines.map(\.key) == ["2", "1"])
        #expect(dropped.lines[1].quantityCurrent == 0 && dropped.lines[1].quantityOrdered == 3)
        #expect(dropped.lines[1].total == usd(0) && dropped.subtotal == usd(400))
        #expect(dropped.payload.lines.count == 1)
        let back = try updated(dropped, snapshot("a", at: 3, lines: [line("1", 2), line("2", 4)])).order
        #expect(back.lines[0].quantityCurrent == 2 && back.lines[0].quantityOrdered == 3)
    }

    @Test("A line that was dropped no longer counts for the match status")
    func droppedUnmatched() throws {
        let found = MatchedVariant(variant: Self.variant, how: .sku)
        let stored = try created(
            snapshot("a", at: 1, lines: [line("1", sku: "S"), line("2", sku: "X")]), matches: [found, .unmatched])
        #expect(stored.matchStatus == .partial)
        let (order, changed) = try updated(
            stored, snapshot("a", at: 2, lines: [line("1", sku: "S")]), matches: [found])
        #expect(order.matchStatus == .full)
        #expect(changed == ["total", "match_status", "line_items"])
    }

    @Test("The ordered quantity follows a raise and not a fall", arguments: [(5, 5), (2, 3)])
    func quantities(told: Int64, ordered: Int64) throws {
        let stored = try created(snapshot("a", at: 1, lines: [line("1", 3)]))
        let order = try updated(stored, snapshot("a", at: 2, lines: [line("1", told)])).order
        #expect(order.lines[0].quantityOrdered == ordered && order.lines[0].quantityCurrent == told)
    }

    @Test(
        "Lines of a fulfilled order are fulfilled, and stay so when the state goes on",
        arguments: [OrderStatus.fulfilled, .delivered, .completed])
    func fulfilled(_ status: OrderStatus) throws {
        let stored = try created(snapshot("a", at: 1, lines: [line("1", 3)]))
        #expect(stored.lines[0].quantityFulfilled == 0)
        let done = try updated(stored, snapshot("a", at: 2, status: status, lines: [line("1", 3)])).order
        #expect(done.lines[0].quantityFulfilled == 3)
        let returned = try updated(done, snapshot("a", at: 3, status: .refunded, lines: [line("1", 3)])).order
        #expect(returned.lines[0].quantityFulfilled == 3)
        #expect(try created(snapshot("b", status: status, lines: [line("1", 2)])).lines[0].quantityFulfilled == 2)
    }

    @Test("A fee is a line that no variant is missed for")
    func fees() throws {
        let fee = line("fee:1", price: -20)
        let found = MatchedVariant(variant: Self.variant, how: .sku)
        let order = try created(snapshot("a", lines: [line("1", sku: "S"), fee]), matches: [found, .unmatched])
        #expect(order.matchStatus == .full && order.subtotal == usd(80))
        #expect(try created(snapshot("b", lines: [fee])).matchStatus == .none)
    }

    // MARK: Matches

    @Test("The match of a deleted product stays, by the line's key")
    func deletedProduct() throws {
        let found = MatchedVariant(variant: Self.variant, how: .mapping)
        let stored = try created(snapshot("a", at: 1, lines: [line("1", sku: "S", item: "20")]), matches: [found])
        let (order, changed) = try updated(stored, snapshot("a", at: 2, status: .completed, lines: [line("1")]))
        #expect(order.lines[0].variant == Self.variant && order.lines[0].match == .mapping)
        #expect(order.lines[0].sku == "S" && order.lines[0].itemID == "20")
        #expect(order.matchStatus == .full && !changed.contains("match_status"))
    }

    @Test("What an unmatched line was called stays too, so that it can still be matched later")
    func forgottenName() throws {
        let stored = try created(snapshot("a", at: 1, lines: [line("1", sku: "S", item: "20")]))
        guard case .unchanged(let order) = decide(snapshot("a", at: 2, lines: [line("1")]), stored: stored) else {
            throw Unexpected()
        }
        #expect(order.lines[0].sku == "S" && order.lines[0].itemID == "20" && order.lines[0].variant == nil)
    }

    @Test("A line keeps its variant when the SKU here was changed, and loses it when the source names another")
    func changedSKU() throws {
        let found = MatchedVariant(variant: Self.variant, how: .sku)
        let stored = try created(snapshot("a", at: 1, lines: [line("1", sku: "S")]), matches: [found])
        let same = try updated(stored, snapshot("a", at: 2, status: .failed, lines: [line("1", sku: "S")])).order
        #expect(same.lines[0].variant == Self.variant)
        let other = try updated(stored, snapshot("a", at: 2, lines: [line("1", sku: "T")])).order
        #expect(other.lines[0].variant == nil && other.lines[0].match == .unmatched && other.lines[0].sku == "T")
        let better = MatchedVariant(variant: VariantID(high: 8, low: 8), how: .mapping)
        let moved = try updated(stored, snapshot("a", at: 2, lines: [line("1", sku: "S")]), matches: [better]).order
        #expect(moved.lines[0].variant == better.variant && moved.lines[0].match == .mapping)
    }

    // MARK: Money

    private func refund(_ id: String, _ minor: Int64, _ reason: String? = nil) -> OrderSnapshot.Refund {
        OrderSnapshot.Refund(externalID: id, amount: usd(minor), reason: reason)
    }

    @Test("Refunds are added once by their id, amount to what the newest state says, and stay where none is told")
    func refunds() throws {
        let stored = try created(snapshot("a", at: 1, refunds: [refund("r1", 500, "broken")]))
        #expect(stored.refunded == usd(500) && stored.adjustments[0].isFromSource)
        let (order, changed) = try updated(
            stored, snapshot("a", at: 2, refunds: [refund("r2", 250), refund("r1", 999, "other words")]))
        #expect(order.adjustments.map(\.externalID) == ["r1", "r2"] && changed == ["refunded_total"])
        #expect(order.refunded == usd(1249) && order.total == usd(100))
        #expect(order.adjustments[0].reason == "other words" && order.adjustments[1].reason == nil)
        guard case .unchanged(let silent) = decide(snapshot("a", at: 3), stored: order) else { throw Unexpected() }
        #expect(silent.refunded == usd(1249))
    }

    @Test("A restated refund is the newest amount in whatever order it is told", arguments: [false, true])
    func restatedRefund(newestFirst: Bool) throws {
        let first = snapshot("a", at: 1, refunds: [refund("line:1", 500)])
        let second = snapshot("a", at: 2, refunds: [refund("line:1", 1000)])
        let third = snapshot("a", at: 3, refunds: [refund("line:1", 800)])
        if newestFirst {
            let order = try created(third)
            #expect(order.refunded == usd(800))
            #expect(decide(first, stored: order) == .stale && decide(second, stored: order) == .stale)
            #expect(decide(third, stored: order) == .unchanged(order))
        } else {
            let more = try updated(try created(first), second)
            #expect(more.order.refunded == usd(1000) && more.changed == ["refunded_total"])
            let less = try updated(more.order, third)
            #expect(less.order.refunded == usd(800) && less.order.adjustments.count == 1)
        }
    }

    @Test("Amounts on lines count no longer once the same money is told as refunds, nor the other way round")
    func refundedLines() throws {
        let lines = snapshot("a", at: 1, refunds: [refund("line:1", 500), refund("line:2", 300)])
        let list = snapshot("a", at: 2, refunds: [refund("r1", 800, "broken")])
        let (told, changed) = try updated(try created(lines), list)
        #expect(told.refunded == usd(800) && changed == ["adjustments"])
        #expect(told.adjustments.map(\.externalID) == ["line:1", "line:2", "r1"])
        #expect(told.adjustments.map(\.amount) == [usd(0), usd(0), usd(800)])
        var again = lines
        again.updatedAt = moment(3)
        let back = try updated(told, again).order
        #expect(back.refunded == usd(800) && back.adjustments.map(\.amount) == [usd(500), usd(300), usd(0)])
        #expect(back.adjustments[2].reason == "broken")
    }

    @Test("A refund that a caller recorded here stays as it is, whatever the source tells")
    func recordedRefund() throws {
        var stored = try created(snapshot("a", at: 1, refunds: [refund("r1", 10)]))
        stored.adjustments.append(
            OrderAdjustment(externalID: "own", amount: usd(20), reason: "by hand", isFromSource: false))
        let told = snapshot("a", at: 2, refunds: [refund("own", 99, "told"), refund("r2", 5)])
        let order = try updated(stored, told).order
        #expect(order.adjustments.map(\.externalID) == ["r1", "own", "r2"])
        #expect(order.adjustments.map(\.amount) == [usd(0), usd(20), usd(5)])
        #expect(order.adjustments[1] == stored.adjustments[1] && order.refunded == usd(25))
    }

    @Test("A source that tells that nothing was refunded takes its refunds away, and no others")
    func noRefunds() throws {
        var stored = try created(snapshot("a", at: 1, refunds: [refund("r1", 10, "broken")]))
        stored.adjustments.append(
            OrderAdjustment(externalID: "own", amount: usd(20), reason: nil, isFromSource: false))
        var none = snapshot("a", at: 2)
        none.tellsRefunds = true
        let (order, changed) = try updated(stored, none)
        #expect(order.refunded == usd(20) && changed == ["refunded_total"])
        #expect(order.adjustments.map(\.amount) == [usd(0), usd(20)])
    }

    @Test("The same refunds in another order of the list change nothing")
    func refundOrder() throws {
        let stored = try created(snapshot("a", at: 1, refunds: [refund("r1", 5), refund("r2", 7)]))
        let turned = snapshot("a", at: 1, refunds: [refund("r2", 7), refund("r1", 5)])
        #expect(decide(turned, stored: stored) == .unchanged(stored))
    }

    @Test("What the source's total has more or less than its parts is told and not mended")
    func difference() throws {
        var told = snapshot("a", lines: [line("1", 2, price: 1000)])
        told.shipping = usd(500)
        told.tax = usd(160)
        told.total = usd(2650)
        let order = try created(told)
        #expect(order.total == usd(2650) && order.totalDifference == usd(-10))
        told.total = nil
        #expect(try created(told).total == usd(2660))
    }
}
