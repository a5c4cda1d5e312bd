import Kernel

/// When a failed delivery is tried again: the waits between attempts, as data.
package struct RetrySchedule: Sendable, Equatable {
    /// The wait after the first failure.
    package let first: Duration
    /// What each further wait is multiplied by.
    package let factor: Int
    /// No wait is longer than this, before jitter.
    package let longest: Duration
    /// After this much time since the delivery came into being, no further attempt is made.
    package let window: Duration

    /// Seed 002: exponential back-off for up to 72 hours. Twenty attempts at most: seconds at first, six hours at last.
    package static let seventyTwoHours = RetrySchedule(
        first: .seconds(5), factor: 3, longest: .seconds(6 * 3600), window: .seconds(72 * 3600))

    /// The wait after that many failed attempts, without jitter.
    package func wait(afterAttempts attempts: Int) -> Duration {
        var wait = first
        for _ in 1..<max(1, attempts) {
            wait *= factor
            if wait >= longest { return longest }
        }
        return wait
    }

    /// When the next attempt is due; nil when the window is over.
    ///
    /// Jitter only ever adds (up to a fifth), so that a receiver never sees an attempt before its time. A receiver's
    /// own `Retry-After` moves the attempt later, never earlier, and no further than the longest wait.
    ///
    /// - Parameter jitter: at least 0, below 1.
    package func nextAttempt(
        afterAttempts attempts: Int, createdAt: Timestamp, now: Timestamp, retryAfter: Duration?, jitter: Double
    ) -> Timestamp? {
        let base = wait(afterAttempts: attempts)
        let asked = min(retryAfter ?? .zero, longest)
        let extra = Duration.milliseconds(Int64(Double(base.wholeMilliseconds) * 0.2 * jitter))
        let due = now + max(base + extra, asked)
        return due > createdAt + window ? nil : due
    }
}
