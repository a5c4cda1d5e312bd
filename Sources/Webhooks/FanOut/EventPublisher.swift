import Events
import Kernel
import Storage

/// The one way to change business data: a transaction whose events and deliveries are written with it.
///
/// Nobody can change an order and forget to tell of it, or tell of a change that was rolled back.
package final class EventPublisher: Sendable {
    package let database: any Database
    private let fanOut: FanOut
    private let dispatcher: Dispatcher
    private let sequencer: FeedSequencer
    private let ids: IDGenerator
    private let time: TimeSource

    package init(
        database: any Database, dispatcher: Dispatcher, sequencer: FeedSequencer, ids: IDGenerator, time: TimeSource
    ) {
        self.database = database
        self.fanOut = FanOut(ids: ids, dispatcher: dispatcher)
        self.dispatcher = dispatcher
        self.sequencer = sequencer
        self.ids = ids
        self.time = time
    }

    /// Runs `body` as one transaction. Events that it appends are recorded with their deliveries; once all of it is on
    /// disk, first attempts start.
    @discardableResult
    package func write<T: Sendable>(
        _ lane: Lane = .interactive, _ body: @escaping @Sendable (any Transaction, EventBuffer) throws -> T
    ) async throws -> T {
        let (value, announce) = try await database.write(lane) { try self.transact(in: $0, body) }
        announce()
        return value
    }

    /// Group commits of work that raises events, for callers of whom many come at once.
    ///
    /// - Parameters:
    ///   - batchLimit, waitingLimit, weigh: those of `GroupCommitter`.
    ///   - commit: writes a batch, each of whose items has an outcome of its own, in the batch's order.
    package func committer<Item: Sendable, Outcome: Sendable>(
        batchLimit: Int, waitingLimit: Int, weigh: (@Sendable (Item) -> Int)? = nil,
        commit: @escaping @Sendable (any Transaction, EventBuffer, [Item]) throws -> [Outcome]
    ) -> GroupCommitter<Item, Outcome> {
        GroupCommitter(
            database: database, lane: .interactive, batchLimit: batchLimit, waitingLimit: waitingLimit, weigh: weigh
        ) { transaction, items in
            let (outcomes, announce) = try self.transact(in: transaction) { try commit($0, $1, items) }
            return .init(outcomes, announce: announce)
        }
    }

    /// Writes what `body` does and what follows from its events; also what is to be done once that is on disk.
    private func transact<T>(
        in transaction: any Transaction, _ body: (any Transaction, EventBuffer) throws -> T
    ) throws -> (T, announce: @Sendable () -> Void) {
        let buffer = EventBuffer(ids: ids, now: time.now())
        let value = try body(transaction, buffer)
        let new = try fanOut.record(buffer.events, now: buffer.now, in: transaction)
        let (scopes, actions) = (Set(buffer.events.map(\.scope)), buffer.afterCommit)
        return (
            value,
            { [dispatcher, sequencer] in
                dispatcher.offer(new)
                if !scopes.isEmpty { sequencer.wake(for: scopes) }
                for action in actions { action() }
            }
        )
    }
}
