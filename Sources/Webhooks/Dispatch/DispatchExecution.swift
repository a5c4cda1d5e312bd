import Kernel

/// What of the sending side's work goes by the machine's own threads and clock, so that a simulation can take it into
/// its hands.
package struct DispatchExecution: Sendable {
    /// Runs a call beside its starter.
    let start: @Sendable (@escaping @Sendable () async -> Void) -> Void
    /// Whether the records of attempts wait a while for others to share their commit.
    let lingers: Bool
    /// Time since some beginning, by a clock that nobody sets.
    let uptime: @Sendable () -> Duration
    /// Returns when the bell was rung, and no later than after the duration.
    let wait: @Sendable (Doorbell, Duration) async -> Void

    /// As a server does it.
    package static let standard = DispatchExecution(
        start: { work in Task { await work() } }, lingers: true,
        uptime: { [beginning = ContinuousClock.now] in beginning.duration(to: .now) },
        wait: { bell, limit in await bell.wait(upTo: limit) })
}
