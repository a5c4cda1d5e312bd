import Events
import Kernel
import Storage

/// What a watch has changed in a transaction, to be acted on once that is committed.
struct DeliveryNews: Sendable {
    /// Endpoints that deliveries of new events wait for.
    let backlogs: [SubscriptionID: TenantID]
    /// Subscriptions that take nothing any more.
    let disabled: [SubscriptionID: TenantID]
    /// Organisations whose feeds go on.
    let scopes: Set<Scope>
}

/// What else has to happen in the transactions in which attempts are written down and breakers turn: counting, and
/// telling of it. Throwing undoes the transaction.
package struct DeliveryWatch: Sendable {
    /// Given what came of attempts, in the transaction that writes them.
    let recorded: @Sendable (DeliveryStore.Recorded, any Transaction) throws -> DeliveryNews?
    /// Given the breakers that opened or closed for all copies and are to be told of, in the transaction that writes
    /// them.
    let turned: @Sendable ([DispatchState.Turned], any Transaction) throws -> DeliveryNews?
    /// Given what either came to, after the commit.
    let committed: @Sendable (DeliveryNews) -> Void

    /// Nobody watches.
    package static let none = DeliveryWatch(
        recorded: { _, _ in nil }, turned: { _, _ in nil }, committed: { _ in })

    /// Counts attempts, disables what fails nearly always, and raises operational events.
    ///
    /// - Parameter writer: a number that no other process counts with; chance is enough.
    package static func health(
        ids: IDGenerator, time: TimeSource, writer: UInt64, sequencer: FeedSequencer
    ) -> DeliveryWatch {
        let watch = EndpointWatch(ids: ids, time: time, writer: Chance.claimNumber(writer))
        return DeliveryWatch(
            recorded: { try watch.recorded($0, in: $1) }, turned: { try watch.turned($0, in: $1) },
            committed: { sequencer.wake(for: $0.scopes) })
    }
}
