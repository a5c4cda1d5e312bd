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

    /// The first lane in which anything waits.
    package var foremost: Lane? { lines.firstIndex { $0.count > 0 }.flatMap(Lane.init(rawValue:)) }

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

/// How much of the writer's time the lanes that nobody waits behind get while others wait: a third each at the most.
///
/// Without a bound of its own, work on orders would stand between senders and their answers whenever much comes in at
/// once; with none for the others, a long burst would starve it.
package struct LaneShares {
    /// Time that others get after a lane's work, as a multiple of what that took.
    private static let rest: UInt64 = 2
    /// The same in nanoseconds at least, in the order of `Lane`.
    private static let restLeast: [UInt64] = [0, 0, 0, 10_000_000]

    private var restsUntil = [UInt64](repeating: 0, count: Lane.allCases.count)

    package init() {}

    /// Whether a lane's work may be part of a commit that begins at `now` (monotonic nanoseconds).
    ///
    /// - Parameter foremost: the first lane in which anything waits.
    package func isDue(_ lane: Lane, now: UInt64, foremost: Lane?) -> Bool {
        lane.isAwaited || !lane.standsBehind(foremost) || now >= restsUntil[lane.rawValue]
    }

    /// Notes the work of a commit that ended at `now`.
    package mutating func record(_ cycle: CommitCycle, now: UInt64) {
        for lane in Lane.allCases where cycle.nanoseconds(of: lane) > 0 {
            let rest = max(cycle.nanoseconds(of: lane) &* LaneShares.rest, LaneShares.restLeast[lane.rawValue])
            restsUntil[lane.rawValue] = now &+ rest
        }
    }
}

/// Chooses what one commit takes: whole lanes while their share of time lasts, and at least one piece of each.
package struct CommitCycle {
    /// Nanoseconds that a lane may run in one commit when nobody waits in a lane before it, nor has work in this
    /// commit: the more a commit has, the fewer times a page is written.
    static let share: UInt64 = 20_000_000
    /// The same while somebody does, in the order of `Lane`. One piece is taken all the same.
    static let pressedShares: [UInt64] = [20_000_000, 20_000_000, 4_000_000, 0]

    private var lane = Lane.intake
    private var laneStart: UInt64
    private var takenInLane = 0
    /// The first lane of which this commit has something: whoever is behind it waits for all that the commit takes.
    private var foremostTaken: Lane?
    private let admitted: [Bool]
    private var spent = [UInt64](repeating: 0, count: Lane.allCases.count)

    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - foremost: the first lane in which anything waits.
    package init(now: UInt64, shares: LaneShares = LaneShares(), foremost: Lane? = nil) {
        laneStart = now
        admitted = Lane.allCases.map { shares.isDue($0, now: now, foremost: foremost) }
    }

    /// How long the works of a lane ran in this commit, but for the lane that `next` is at.
    package func nanoseconds(of lane: Lane) -> UInt64 { spent[lane.rawValue] }

    /// The next work of this commit, or nil when it should end. `now` is monotonic nanoseconds.
    ///
    /// - Parameter foremost: the first lane in which anything waits now.
    package mutating func next(from lanes: inout Lanes, now: UInt64, foremost: Lane?) -> Work? {
        while true {
            let isPressed = lane.standsBehind(foremost) || lane.standsBehind(foremostTaken)
            let share = isPressed ? CommitCycle.pressedShares[lane.rawValue] : CommitCycle.share
            let hasTime = takenInLane == 0 || now &- laneStart < share
            if hasTime, admitted[lane.rawValue], let work = lanes.popFirst(lane) {
                takenInLane += 1
                foremostTaken = foremostTaken ?? lane
                return work
            }
            if takenInLane > 0 { spent[lane.rawValue] = now &- laneStart }
            takenInLane = 0
            laneStart = now
            guard let following = Lane(rawValue: lane.rawValue + 1) else { return nil }
            lane = following
        }
    }
}

extension Lane {
    /// Whether somebody waits for an answer.
    fileprivate var isAwaited: Bool { self == .intake || self == .interactive }

    fileprivate func standsBehind(_ other: Lane?) -> Bool {
        guard let other else { return false }
        return other < self
    }
}
