import Kernel
import Testing

/// The comparison that ends the kill tests must be able to fail.
@Suite("The books of the kill tests")
struct LedgerBooksTests {
    private static let kept = LedgerBooks(
        acknowledged: ["c0-1", "c1-1"], orders: ["c0-1": ["A"], "c1-1": ["B"], "c1-2": ["C"]],
        // A second delivery is no fault: it is at least once.
        delivered: ["c1-1", "c0-1", "c0-1", "c1-2"],
        feed: [("1", "A"), ("2", nil), ("3", "B"), ("4", "C")], seen: ["1", "2", "3"])

    @Test("Books of a promise that was kept are good, also with more than was acknowledged")
    func good() { #expect(Self.kept.faults() == []) }

    @Test("An acknowledged event without an order is found")
    func lostEvent() {
        var books = Self.kept
        books.acknowledged.insert("c0-2")
        #expect(books.faults() == ["acknowledged and without an order: c0-2"])
    }

    @Test("Two orders of one event are found")
    func twoOrders() {
        var books = Self.kept
        books.orders["c0-1"] = ["A", "D"]
        books.feed.append(("5", "D"))
        #expect(books.faults() == ["an order exists twice: c0-1"])
    }

    @Test("An order that was never delivered is found")
    func missingDelivery() {
        var books = Self.kept
        books.delivered = ["c1-1", "c1-2"]
        #expect(books.faults() == ["an order was never delivered: c0-1"])
    }

    @Test("An order that stands in the feed twice, or not at all, is found")
    func feedCount() {
        var books = Self.kept
        books.feed.append(("5", "B"))
        #expect(books.faults() == ["an order is in the feed twice: B"])
        books = Self.kept
        books.feed.removeLast()
        #expect(books.faults() == ["an order is not in the feed: C"])
        books = Self.kept
        books.feed.append(("4", nil))
        #expect(books.faults() == ["an event is in the feed twice: 4"])
        books = Self.kept
        books.feed.append(("5", "Z"))
        #expect(books.faults() == ["the feed tells of an order that is not there: Z"])
    }

    @Test("A feed that moved after it was read is found")
    func feedOrder() {
        for seen in [["2", "1", "3"], ["1", "3"], ["1", "2", "3", "4", "5"]] {
            var books = Self.kept
            books.seen = seen
            #expect(books.faults() == ["the feed changed between two readings"])
        }
    }

    @Test("Every place where something could be lost is one that servers are killed at")
    func places() {
        #expect(
            Set(KillLedgerTests.places.map(\.rawValue)) == ["after_commit", "after_claim", "mid_import", "after_send"])
        let hit = KillLedgerTests.round.compactMap { blow -> CrashPoint? in
            if case .at(let point) = blow { point } else { nil }
        }
        #expect(Set(hit) == Set(KillLedgerTests.places))
    }
}
