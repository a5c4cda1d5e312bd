import Kernel

/// The contract of one kind of event. A kind is one file below this folder and one line in `EventCatalog`.
package protocol EventType: Sendable {
    /// `entity.action`, such as `order.created`.
    static var name: String { get }
    /// One sentence for the list of event types.
    static var summary: String { get }
    /// Every field that `write` may write, in that order.
    static var fields: [EventField] { get }
    /// A made-up occurrence, for documentation and tests.
    static var example: Self { get }

    var entityID: ID<DomainEvent.Entity> { get }

    func write(_ writer: inout PayloadWriter)
}

extension EventType {
    /// The entity's type: what stands before the dot of the name.
    package static var entityType: String { String(name.prefix { $0 != "." }) }

    /// The occurrence as it is kept and sent.
    package func occurred(
        id: EventID, at time: Timestamp, scope: Scope, actor: Actor, source: String, causation: ID<DomainEvent.Cause>?
    ) -> DomainEvent {
        let sides = PayloadWriter.write { write(&$0) }
        return DomainEvent(
            id: id, type: Self.name, occurredAt: time, scope: scope, actor: actor,
            entity: DomainEvent.Entity(type: Self.entityType, id: entityID), source: source, causation: causation,
            payload: sides.payload, withheld: sides.withheld)
    }
}
