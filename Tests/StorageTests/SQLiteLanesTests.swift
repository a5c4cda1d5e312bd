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
    /// while others wait for the next one, and of the last lane while nobody does.
    private static let cases: [([Int], UInt64, [Int], Int)] = [
        ([0, 0, 0], 1, [0, 0, 0], 0), ([3, 2, 1], 1, [3, 2, 1], 1), ([0, 0, 9], 0, [0, 0, 9], 9),
        ([9, 9, 9], 10, [2, 2, 1], 2), ([9, 9, 9], 50, [1, 1, 1], 1), ([0, 9, 9], 50, [0, 1, 1], 1),
        ([50, 50, 50], 1, [20, 20, 4], 20),
    ]

    @Test("A commit takes what its lanes' time allows, and one piece of each lane at least", arguments: cases)
    func cycle(waiting: [Int], milliseconds: UInt64, taken: [Int], undisturbed: Int) {
        check(waiting, milliseconds, othersWait: true, taken)
        check(waiting, milliseconds, othersWait: false, [taken[0], taken[1], undisturbed])
    }

    private func check(_ waiting: [Int], _ milliseconds: UInt64, othersWait: Bool, _ taken: [Int]) {
        var lanes = lanes(waiting)
        var now: UInt64 = 5
        var cycle = CommitCycle(now: now)
        var counts = [0, 0, 0]
        var order: [Int] = []
        while let work = cycle.next(from: &lanes, now: now, othersWait: othersWait) {
            counts[work.lane.rawValue] += 1
            order.append(work.lane.rawValue)
            now += milliseconds * 1_000_000
        }
        #expect(counts == taken)
        #expect(order == order.sorted())
        #expect(lanes.count == waiting.reduce(0, +) - taken.reduce(0, +))
    }

    @Test("What is absorbed stands behind what is there, and nothing is lost or doubled")
    func absorb() {
        var here = lanes([2, 0, 1])
        var there = lanes([3, 4, 0])
        #expect(here.popFirst(.intake) != nil)
        here.absorb(&there)
        #expect(there.isEmpty)
        #expect(here.count == 9)
        #expect(here.drain().map(\.lane.rawValue) == [0, 0, 0, 0, 1, 1, 1, 1, 2])
        #expect(here.isEmpty)
        #expect(here.popFirst(.interactive) == nil)
    }
}
