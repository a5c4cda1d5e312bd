/// What of a dispatcher's work goes by the machine's own threads and clock, so that a simulation can take it into its
/// hands.
package struct DispatchExecution: Sendable {
    /// Runs a call beside its starter.
    let start: @Sendable (@escaping @Sendable () async -> Void) -> Void
    /// How long the records of attempts wait for others to share their commit.
    let linger: Duration?

    /// As a server does it. Five milliseconds make hundreds of records share a flush, and nobody waits for them.
    package static let standard = DispatchExecution(
        start: { work in Task { await work() } }, linger: .milliseconds(5))
}
