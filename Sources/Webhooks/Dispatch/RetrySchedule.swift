import Kernel

/// When a failed delivery is tried again: the waits between attempts, as data. Every schedule ends.
package struct RetrySchedule: Sendable, Equatable {
    package enum Waits: Sendable, Equatable {
        /// Each wait is the one before times `factor`, from `first` up to `longest`.
        case growing(first: Duration, factor: Int, longest: Duration)
        /// One wait for each retry; where more attempts are allowed, the last one repeats.
        case table([Duration])
    }

    package let waits: Waits
    /// Attempts at most, the first one included.
    package let attempts: Int
    /// After this much time since the delivery came into being, no further attempt is made; nil leaves the end to
    /// the number of attempts.
    package let window: Duration?

    package init(_ waits: Waits, attempts: Int, window: Duration? = nil) {
        self.waits = waits
        self.attempts = attempts
        self.window = window
    }

    /// One attempt at once and one after each wait.
    package init(table waits: [Duration]) {
        self.init(.table(waits), attempts: waits.count + 1)
    }

    /// No schedule, whoever asks for it, has more attempts than this.
    package static let attemptsMost = 50

    /// Seed 002: exponential back-off for up to 72 hours. Twenty attempts at most: seconds at first, six hours at last.
    package static let seventyTwoHours = RetrySchedule(
        .growing(first: .seconds(5), factor: 3, longest: .seconds(6 * 3600)), attempts: attemptsMost,
        window: .seconds(72 * 3600))

    /// Seed 004: three retries with exponential back-off; how long they wait is ours.
    package static let threeRetries = RetrySchedule(
        .growing(first: .seconds(30), factor: 10, longest: .seconds(3000)), attempts: 4)

    /// The example schedule of Standard Webhooks 1.0.0: ten attempts within 75 hours and 35 minutes.
    package static let standard = RetrySchedule(table: [
        .seconds(5), .seconds(5 * 60), .seconds(30 * 60), .seconds(2 * 3600), .seconds(5 * 3600), .seconds(10 * 3600),
        .seconds(14 * 3600), .seconds(20 * 3600), .seconds(24 * 3600),
    ])

    /// The wait after that many failed attempts, without jitter.
    package func wait(afterAttempts attempts: Int) -> Duration {
        switch waits {
        case .growing(let first, let factor, let longest):
            var wait = min(first, longest)
            for _ in 1..<max(1, attempts) {
                if wait >= longest || factor < 2 { break }
                wait = min(wait * factor, longest)
            }
            return wait
        case .table(let waits):
            return waits.isEmpty ? .seconds(1) : waits[min(max(1, attempts), waits.count) - 1]
        }
    }

    /// When the next attempt is due; nil when no attempt is left or the window is over.
    ///
    /// Jitter only ever adds (up to a fifth), so that a receiver never sees an attempt before its time. A receiver's
    /// own `Retry-After` moves the attempt later, never earlier, and no further than the longest wait or an hour.
    ///
    /// - Parameter jitter: at least 0, below 1.
    package func nextAttempt(
        afterAttempts attempts: Int, createdAt: Timestamp, now: Timestamp, retryAfter: Duration?, jitter: Double
    ) -> Timestamp? {
        if attempts >= self.attempts { return nil }
        let base = wait(afterAttempts: attempts)
        let asked = min(retryAfter ?? .zero, max(longest, .seconds(3600)))
        let extra = Duration.milliseconds(Int64(Double(base.wholeMilliseconds) * 0.2 * jitter))
        let due = now + max(base + extra, asked)
        if let window, due > createdAt + window { return nil }
        return due
    }

    private var longest: Duration {
        switch waits {
        case .growing(_, _, let longest): longest
        case .table(let waits): waits.max() ?? .zero
        }
    }
}
