import Events
import Kernel

/// Collects the events of one transaction, which are recorded together when its body has ended.
package final class EventBuffer {
    package private(set) var events: [DomainEvent] = []
    private(set) var afterCommit: [@Sendable () -> Void] = []
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

    /// Has something done once the transaction is on disk: waking those who work on what it has written. It must not
    /// block.
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { afterCommit.append(action) }

    /// Adds an event of a tenant's own type, whose payload its schema has accepted. Without an entity it is about
    /// itself.
    package func append(
        _ type: OwnType, _ payload: JSONObject, entity: ID<DomainEvent.Entity>?, scope: Scope, actor: Actor
    ) -> DomainEvent {
        let id: EventID = ids.next()
        let sides = type.sides(of: payload)
        let event = DomainEvent(
            id: id, type: type.name, occurredAt: now, scope: scope, actor: actor,
            entity: DomainEvent.Entity(type: type.entityType, id: entity ?? id.cast()), source: "api", causation: nil,
            payload: sides.payload, withheld: sides.withheld)
        events.append(event)
        return event
    }
}
