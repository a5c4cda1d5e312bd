import Kernel

/// Stops sending to an endpoint that fails again and again, tries it with single deliveries, and lets the rest follow
/// when one succeeds.
///
/// Pure. Which of several copies may try is decided by the store (`BreakerStore`), where an open breaker has a row.
struct Breaker: Sendable, Equatable {
    enum State: Sendable, Equatable {
        case closed
        case open
        /// One delivery is on its way to find out.
        case halfOpen
    }

    /// What has to be written down and told of.
    enum Turn: Sendable, Equatable {
        /// The next single delivery goes out after `wait`. `trips` counts the openings since it was last closed.
        case opened(trips: Int, wait: Duration)
        case closed
    }

    /// Failures in a row that open it: two bad batches of the smallest kind, not one bad minute of a single event.
    static let failuresMost = 10
    static let firstWait: Duration = .seconds(30)
    static let longestWait: Duration = .seconds(600)

    private(set) var state = State.closed
    private(set) var failures = 0
    private(set) var trips = 0

    mutating func succeeded() -> Turn? {
        failures = 0
        if state == .closed { return nil }
        (state, trips) = (.closed, 0)
        return .closed
    }

    /// - Parameter jitter: at least 0, below 1; it only ever adds.
    mutating func failed(jitter: Double) -> Turn? {
        switch state {
        // Calls that were under way when it opened say nothing new.
        case .open: return nil
        case .closed:
            failures += 1
            if failures < Self.failuresMost { return nil }
        case .halfOpen: break
        }
        (state, trips) = (.open, trips + 1)
        return .opened(trips: trips, wait: Self.wait(trips: trips, jitter: jitter))
    }

    /// The store has given this copy a delivery to try the endpoint with.
    mutating func probe() { if state == .open { state = .halfOpen } }

    /// The delivery to try with never went out.
    mutating func abandonProbe() { if state == .halfOpen { state = .open } }

    /// Takes over what the store says, which another copy may have written.
    mutating func adopt(isOpen: Bool, trips: Int) {
        if isOpen {
            self.trips = max(self.trips, trips)
            if state == .closed { state = .open }
        } else if state != .closed {
            self = Breaker()
        }
    }

    /// 30 seconds, twice as long after each try in vain, ten minutes at most; up to a tenth more.
    static func wait(trips: Int, jitter: Double) -> Duration {
        var wait = firstWait
        for _ in 1..<max(1, trips) where wait < longestWait { wait *= 2 }
        wait = min(wait, longestWait)
        return wait + .milliseconds(Int64(Double(wait.wholeMilliseconds) * 0.1 * jitter))
    }
}
