import Kernel
import Testing

@testable import Webhooks

@Suite("How far looks at the store have come")
struct PollsTests {
    private var polls = Polls()

    private mutating func look(at range: Range<UInt64>, claimed: Int = 0) -> Bool {
        polls.begin()
        polls.looked(at: range.map { SubscriptionID(high: 1, low: $0) }, most: 4)
        polls.end(claimed: claimed, most: 10)
        return polls.isMore
    }

    @Test("Who has just started looks at all endpoints without a pause, and at a part each time from then on")
    mutating func start() {
        #expect(polls.isMore == false && polls.last == .zero)
        var more = [look(at: 1..<5), look(at: 5..<9)]
        #expect(more == [true, true] && polls.last == SubscriptionID(high: 1, low: 8))
        more = [look(at: 9..<11), look(at: 1..<5)]
        #expect(more == [false, false] && polls.last == SubscriptionID(high: 1, low: 4) && polls.count == 4)
    }

    @Test("A full batch means that more is due")
    mutating func batch() {
        let more = [look(at: 1..<2, claimed: 10), look(at: 1..<2, claimed: 9)]
        #expect(more == [true, false])
    }

    @Test("A look that fails is not made again without a pause, and goes on where it was")
    mutating func failure() {
        let isMore = look(at: 1..<5)
        polls.begin()
        #expect(isMore && !polls.isMore && polls.last == SubscriptionID(high: 1, low: 4))
        polls.looked(at: [], most: 4)
        #expect(!polls.isMore)
    }
}
