import Kernel

/// How many deliveries of one replay may wait at once, so that it keeps its endpoint busy and floods nobody.
///
/// A pure state machine: the window doubles while the endpoint empties it between two looks, and halves while it does
/// not get on.
struct ReplayPace {
    static let windowLeast = 64
    /// Half of what is held in memory for one endpoint: the other half stays for what happens now.
    static let windowMost = EndpointQueue.capacityMost / 2

    private(set) var window = windowLeast

    /// How many more may be written now, given how many still wait. Small gaps are left until they are worth a
    /// transaction.
    mutating func room(waiting: Int) -> Int {
        if waiting * 4 <= window {
            window = min(window * 2, Self.windowMost)
        } else if waiting >= window {
            window = max(window / 2, Self.windowLeast)
        }
        return waiting * 2 <= window ? window - waiting : 0
    }

    /// How many a rate allows in one go, a tenth of a second's worth, and until when they use it up.
    static func allowance(_ rate: Int?, room: Int, pacedUntil: Timestamp, now: Timestamp) -> Int {
        guard let rate else { return room }
        return pacedUntil > now ? 0 : min(room, max(1, rate / 10))
    }

    /// When the next deliveries may be written after `count` were.
    static func pacedUntil(_ rate: Int?, count: Int, now: Timestamp) -> Timestamp {
        guard let rate else { return now }
        return now + .milliseconds(Int64(count) * 1000 / Int64(rate))
    }
}
