import Kernel

/// How many deliveries of one replay may wait at once, so that it keeps its endpoint busy and floods nobody.
///
/// A pure state machine: the window doubles whenever the endpoint has done with half of it, and halves after some looks
/// that have not seen it get so far. What waits is then about what the endpoint does in a twentieth of a second.
struct ReplayPace {
    static let windowLeast = 64
    /// Half of what is held in memory for one endpoint: the other half stays for what happens now.
    static let windowMost = EndpointQueue.capacityMost / 2

    /// Looks that have seen too little go, after which the window is too wide.
    static let vainLooks = 32

    /// Deliveries of one transaction at the most.
    let slice: Int
    private(set) var window = windowLeast
    /// What waited after the last look.
    private var left = 0
    private var gone = 0
    private var vain = 0

    init(slice: Int) { self.slice = slice }

    /// How many more may be written now, given how many still wait. Small gaps are left until they are worth a
    /// transaction.
    mutating func room(waiting: Int) -> Int {
        gone += max(0, left - waiting)
        left = waiting
        if gone * 2 >= window {
            window = min(window * 2, Self.windowMost)
            (gone, vain) = (0, 0)
        } else if waiting > 0 {
            vain += 1
            if vain == Self.vainLooks {
                window = max(window / 2, Self.windowLeast)
                (gone, vain) = (0, 0)
            }
        }
        let gap = window - waiting
        return gap >= min(window / 2, slice) ? min(gap, slice) : 0
    }

    /// Says how many were written.
    mutating func wrote(_ count: Int) { left += count }

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
