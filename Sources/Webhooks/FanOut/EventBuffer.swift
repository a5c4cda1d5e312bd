import Events
import Kernel

/// Collects the events of one transaction, which are recorded together when its body has ended.
package final class EventBuffer {
    package private(set) var events: [DomainEvent] = []
    private let ids: IDGenerator
    /// The instant that the whole transaction is stamped with.
    package let now: Timestamp

    init(ids: IDGenerator, now: Timestamp) {
        self.ids = ids
        self.now = now
    }

    /// Adds an occurrence, in the order in which subscribers are to see them; ids and the time are given here.
    package func append(
        _ event: some EventType, scope: Scope, actor: Actor, source: String, causation: ID<DomainEvent.Cause>? = nil
    ) {
        events.append(
            event.occurred(
                id: ids.next(), at: now, scope: scope, actor: actor, source: source, causation: causation))
    }
}
