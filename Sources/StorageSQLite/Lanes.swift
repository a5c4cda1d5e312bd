import Storage

/// Waiting work, first come first served within each lane. Pure, so that its order is tested without an engine.
package struct Lanes {
    private struct Line {
        var works: [Work] = []
        var head = 0
        var count: Int { works.count - head }
    }

    private var lines = [Line](repeating: Line(), count: Lane.allCases.count)

    package init() {}

    package var count: Int { lines.reduce(0) { $0 + $1.count } }
    package var isEmpty: Bool { lines.allSatisfy { $0.count == 0 } }

    /// Whether anything waits that somebody is waiting for.
    package var hasForeground: Bool {
        lines[Lane.intake.rawValue].count > 0 || lines[Lane.interactive.rawValue].count > 0
    }

    /// Puts work at the end of the line of its lane.
    package mutating func append(_ work: Work) {
        lines[work.lane.rawValue].works.append(work)
    }

    /// Takes what has waited longest in one lane; nil when nothing waits there.
    package mutating func popFirst(_ lane: Lane) -> Work? {
        let index = lane.rawValue
        guard lines[index].count > 0 else { return nil }
        let work = lines[index].works[lines[index].head]
        lines[index].head += 1
        if lines[index].count == 0 {
            lines[index].works.removeAll(keepingCapacity: lines[index].works.count <= 1024)
            lines[index].head = 0
        }
        return work
    }

    /// Takes over all that `other` holds, behind what is here.
    package mutating func absorb(_ other: inout Lanes) {
        for index in lines.indices where other.lines[index].count > 0 {
            if lines[index].count == 0 {
                swap(&lines[index], &other.lines[index])
            } else {
                lines[index].works.append(contentsOf: other.lines[index].works[other.lines[index].head...])
            }
            other.lines[index].works.removeAll(keepingCapacity: true)
            other.lines[index].head = 0
        }
    }

    /// Everything, the first lane's first; nothing stays.
    package mutating func drain() -> [Work] {
        let all = lines.flatMap { $0.works[$0.head...] }
        self = Lanes()
        return all
    }
}

/// How much of the writer's time background work gets while others wait: a third.
///
/// Without a bound of its own, imports would stand between senders and their answers whenever much comes in at once;
/// with none for the others, a long burst would starve the imports.
package struct BackgroundShare {
    /// Time that others get after background work, as a multiple of what that took.
    private static let rest: UInt64 = 2

    private var restsUntil: UInt64 = 0

    package init() {}

    /// Whether background work may be part of a commit that begins at `now` (monotonic nanoseconds).
    package func isDue(now: UInt64, othersWait: Bool) -> Bool { !othersWait || now >= restsUntil }

    /// Notes how many nanoseconds background work took in the commit that ended at `now`.
    package mutating func record(_ duration: UInt64, now: UInt64) {
        restsUntil = now &+ duration &* BackgroundShare.rest
    }
}

/// Chooses what one commit takes: whole lanes while their share of time lasts, and at least one piece of each.
package struct CommitCycle {
    /// Nanoseconds that each lane may run in one commit, in the order of `Lane`.
    static let shares: [UInt64] = [20_000_000, 20_000_000, 4_000_000]
    /// The same for background work that nobody waits behind: the more of it a commit has, the fewer times a page is
    /// written.
    static let undisturbedShare: UInt64 = 20_000_000

    private var lane = Lane.intake
    private var laneStart: UInt64
    private var takenInLane = 0
    private let takesBackground: Bool

    package init(now: UInt64, takesBackground: Bool = true) {
        laneStart = now
        self.takesBackground = takesBackground
    }

    /// When the background's part of this commit began; nil when it took none.
    package var backgroundStart: UInt64? { lane == .background && takenInLane > 0 ? laneStart : nil }

    /// The next work of this commit, or nil when it should end. `now` is monotonic nanoseconds.
    ///
    /// - Parameter othersWait: whether somebody waits for the next commit.
    package mutating func next(from lanes: inout Lanes, now: UInt64, othersWait: Bool) -> Work? {
        while true {
            let hasTime = takenInLane == 0 || now &- laneStart < share(othersWait: othersWait)
            if hasTime, lane != .background || takesBackground, let work = lanes.popFirst(lane) {
                takenInLane += 1
                return work
            }
            guard let following = Lane(rawValue: lane.rawValue + 1) else { return nil }
            lane = following
            laneStart = now
            takenInLane = 0
        }
    }

    private func share(othersWait: Bool) -> UInt64 {
        if lane == .background, !othersWait { return CommitCycle.undisturbedShare }
        return CommitCycle.shares[lane.rawValue]
    }
}
