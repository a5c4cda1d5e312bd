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
        let (ids, time, fanOut) = (ids, time, fanOut)
        let (value, new, scopes, actions) = try await database.write(lane) { transaction in
            let buffer = EventBuffer(ids: ids, now: time.now())
            let value = try body(transaction, buffer)
            let new = try fanOut.record(buffer.events, now: buffer.now, in: transaction)
            return (value, new, Set(buffer.events.map(\.scope)), buffer.afterCommit)
        }
        dispatcher.offer(new)
        if !scopes.isEmpty { sequencer.wake(for: scopes) }
        for action in actions { action() }
        return value
    }
}
