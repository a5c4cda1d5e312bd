import Kernel

/// How many calls a second may still go out: a bucket that fills by the millisecond and overflows after a tenth of a
/// second, so that no second sees more than the rate and that tenth.
struct TokenBucket: Sendable, Equatable {
    /// Calls a second; at least one.
    let rate: Int
    /// Thousandths of a call.
    private var level: Int64
    private var filledAt: Timestamp

    init(rate: Int, now: Timestamp) {
        self.rate = max(1, rate)
        filledAt = now
        level = 0
        level = most
    }

    private var most: Int64 { max(1000, Int64(rate) * 100) }

    /// Takes one call out, if there is one.
    mutating func take(now: Timestamp) -> Bool {
        fill(now)
        guard level >= 1000 else { return false }
        level -= 1000
        return true
    }

    /// When the next call may go out, rounded up to ten milliseconds so that a high rate wakes nobody for each call.
    func next(now: Timestamp) -> Timestamp {
        let missing = max(0, 1000 - level)
        let wait = (missing + Int64(rate) - 1) / Int64(rate)
        return now + .milliseconds(max(wait, 10))
    }

    /// Whether forgetting it would change nothing.
    func isFull(now: Timestamp) -> Bool {
        var later = self
        later.fill(now)
        return later.level == most
    }

    private mutating func fill(_ now: Timestamp) {
        // A clock that steps back brings nothing; the bucket goes on from there.
        let passed = max(0, min((now - filledAt).wholeMilliseconds, 60_000))
        level = min(most, level + passed * Int64(rate))
        filledAt = now
    }
}
