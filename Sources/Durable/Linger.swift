/// How long a runner waits for more before its next batch.
///
/// Workflows that share a batch share its statements, at the price of waiting for each other. Up to some hundreds a
/// second that is not worth it: a batch of one or two is done before the next comes. Beyond, a few milliseconds let
/// several come together, and the store has a fraction of the statements.
struct Linger {
    /// Arrivals a second from which on it is waited.
    static let busyRate = 750
    static let longest: Duration = .milliseconds(5)
    /// Arrivals are counted over so long.
    static let window: Duration = .milliseconds(100)

    private var isBusy = false
    private var count = 0
    private var start: ContinuousClock.Instant?

    /// Notes that so many have come.
    mutating func note(_ arrivals: Int, at now: ContinuousClock.Instant) {
        look(now)
        count += arrivals
    }

    /// How long to wait now.
    mutating func wait(at now: ContinuousClock.Instant) -> Duration {
        look(now)
        return isBusy ? Self.longest : .zero
    }

    private mutating func look(_ now: ContinuousClock.Instant) {
        let since = start ?? now
        if start == nil { start = now }
        guard now - since >= Self.window else { return }
        isBusy = Double(count) >= Double(Self.busyRate) * ((now - since) / .seconds(1))
        (start, count) = (now, 0)
    }
}
