import Storage
import StorageSQLite
import Testing

@Suite("What one SQLite commit takes")
struct SQLiteLanesTests {
    private func lanes(_ counts: [Int]) -> Lanes {
        var lanes = Lanes()
        for (lane, count) in zip(Lane.allCases, counts) {
            for _ in 0..<count { lanes.append(Work(lane: lane, isWrite: true, body: { _ in }, completion: { _ in })) }
        }
        return lanes
    }

    /// Pieces that wait in each lane, milliseconds that each piece runs, pieces that one commit takes of each lane
    /// while senders wait for the next one, and while nobody does. Whoever has work in a commit waits for all of it.
    private static let cases: [([Int], UInt64, [Int], [Int])] = [
        ([0, 0, 0, 0], 1, [0, 0, 0, 0], [0, 0, 0, 0]), ([3, 2, 1, 1], 1, [3, 2, 1, 1], [3, 2, 1, 1]),
        ([0, 0, 0, 9], 0, [0, 0, 0, 1], [0, 0, 0, 9]), ([9, 9, 9, 9], 10, [2, 2, 1, 1], [2, 2, 1, 1]),
        ([9, 9, 9, 9], 50, [1, 1, 1, 1], [1, 1, 1, 1]), ([0, 9, 9, 0], 50, [0, 1, 1, 0], [0, 1, 1, 0]),
        ([50, 50, 50, 50], 1, [20, 20, 4, 1], [20, 20, 4, 1]), ([0, 0, 50, 50], 1, [0, 0, 4, 1], [0, 0, 20, 1]),
        ([0, 0, 0, 50], 1, [0, 0, 0, 1], [0, 0, 0, 20]),
    ]

    @Test("A commit takes what its lanes' time allows, and one piece of each lane at least", arguments: cases)
    func cycle(waiting: [Int], milliseconds: UInt64, pressed: [Int], undisturbed: [Int]) {
        check(waiting, milliseconds, foremost: .intake, pressed)
        check(waiting, milliseconds, foremost: nil, undisturbed)
    }

    @Test("While imports wait, the background gives a commit one piece, and they are not held up by it")
    func prompt() {
        check([0, 0, 50, 50], 1, foremost: .prompt, [0, 0, 20, 1])
    }

    private func check(_ waiting: [Int], _ milliseconds: UInt64, foremost: Lane?, _ taken: [Int]) {
        var lanes = lanes(waiting)
        var now: UInt64 = 5
        var cycle = CommitCycle(now: now)
        var counts = [0, 0, 0, 0]
        var order: [Int] = []
        while let work = cycle.next(from: &lanes, now: now, foremost: foremost) {
            counts[work.lane.rawValue] += 1
            order.append(work.lane.rawValue)
            now += milliseconds * 1_000_000
        }
        #expect(counts == taken)
        #expect(order == order.sorted())
        #expect(lanes.count == waiting.reduce(0, +) - taken.reduce(0, +))
    }

    @Test("A lane that nobody waits behind rests for twice its time while others wait, the background 10 ms at least")
    func shares() {
        var shares = LaneShares()
        var lanes = lanes([0, 0, 1, 1])
        var cycle = CommitCycle(now: 0)
        var now: UInt64 = 0
        while cycle.next(from: &lanes, now: now, foremost: nil) != nil { now += 3_000_000 }
        #expect([Lane.intake, .interactive].map { cycle.nanoseconds(of: $0) } == [0, 0])
        #expect([Lane.prompt, .background].map { cycle.nanoseconds(of: $0) } == [3_000_000, 3_000_000])
        shares.record(cycle, now: now)

        func due(_ foremost: Lane?, after milliseconds: UInt64) -> [Lane] {
            Lane.allCases.filter { shares.isDue($0, now: now + milliseconds * 1_000_000, foremost: foremost) }
        }
        #expect(due(nil, after: 0) == Lane.allCases)
        #expect(due(.intake, after: 5) == [.intake, .interactive])
        #expect(due(.prompt, after: 5) == [.intake, .interactive, .prompt])
        #expect(due(.intake, after: 6) == [.intake, .interactive, .prompt])
        #expect(due(.background, after: 0) == Lane.allCases)
        #expect(due(.prompt, after: 10) == Lane.allCases)
    }

    @Test("What is absorbed stands behind what is there, and nothing is lost or doubled")
    func absorb() {
        var here = lanes([2, 0, 1, 0])
        var there = lanes([3, 4, 0, 1])
        #expect(here.popFirst(.intake) != nil)
        here.absorb(&there)
        #expect(there.isEmpty)
        #expect(here.count == 10)
        #expect(here.drain().map(\.lane.rawValue) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 3])
        #expect(here.isEmpty)
        #expect(here.popFirst(.interactive) == nil)
    }
}
