import Storage

/// What else has to happen in the transactions in which attempts are written down and breakers turn: counting, and
/// telling of it. Throwing undoes the transaction.
package struct DeliveryWatch: Sendable {
    /// Given the attempts that count, in the transaction that writes them.
    let recorded: @Sendable ([AttemptRecord], any Transaction) throws -> Void
    /// Given the breakers that opened or closed in this process, in the transaction that writes them.
    let turned: @Sendable ([DispatchState.Turned], any Transaction) throws -> Void

    /// Nobody watches.
    package static let none = DeliveryWatch(recorded: { _, _ in }, turned: { _, _ in })

    init(
        recorded: @escaping @Sendable ([AttemptRecord], any Transaction) throws -> Void,
        turned: @escaping @Sendable ([DispatchState.Turned], any Transaction) throws -> Void
    ) {
        self.recorded = recorded
        self.turned = turned
    }
}
