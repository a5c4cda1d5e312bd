import Events
import Kernel
import Storage

/// Keeps events and their place in the feed. Nothing here is ever updated.
package enum EventStore {
    static func insert(_ events: [DomainEvent], in transaction: any Transaction) throws {
        try insertUnfed(events, in: transaction)
        try FeedStore.place(events.map { FeedStore.Entry(scope: $0.scope, event: $0.id) }, in: transaction)
    }

    /// Keeps events without a place in the feed: those that only stand for something, and did not happen.
    static func insertUnfed(_ events: [DomainEvent], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "user_id": .uuid, "role": .text, "type": .text,
            "entity_type": .text, "entity_id": .uuid, "occurred_at": .int, "source": .text, "causation_id": .uuid,
            "payload": .bytes, "withheld": .bytes,
        ])
        rows.reserve(events.count)
        for event in events {
            rows.append(
                .id(event.id), .id(event.scope.tenant), .id(event.scope.organisation), .id(event.actor.user),
                .text(event.actor.role), .text(event.type), .text(event.entity.type), .id(event.entity.id),
                .time(event.occurredAt), .text(event.source), .id(event.causation), .bytes(event.payload),
                .bytes(event.withheld))
        }
        try transaction.execute(
            """
            INSERT INTO event (id, tenant_id, org_id, user_id, role, type, entity_type, entity_id, occurred_at, source,
                causation_id, payload, withheld)
            SELECT id, tenant_id, org_id, user_id, role, type, entity_type, entity_id, occurred_at, source,
                causation_id, payload, withheld
            FROM {rows} r
            """, rows: rows)
    }

    /// The columns that `decode` reads, for a statement that calls the event table `e`.
    static let columns = columns(withheld: "e.withheld")

    /// The same for those that are to be delivered: without what is withheld.
    static let deliveredColumns = columns(withheld: "NULL")

    private static func columns(withheld: String) -> String {
        """
        e.id, e.tenant_id, e.org_id, e.user_id, e.role, e.type, e.entity_type, e.entity_id, e.occurred_at, e.source,
        e.causation_id, e.payload, \(withheld)
        """
    }

    static func decode(_ row: any Row, from first: Int = 0) -> DomainEvent {
        DomainEvent(
            id: row.id(first), type: row.text(first + 5), occurredAt: row.time(first + 8),
            scope: Scope(tenant: row.id(first + 1), organisation: row.id(first + 2)),
            actor: Actor(user: row.id(first + 3), role: row.text(first + 4)),
            entity: DomainEvent.Entity(
                type: row.text(first + 6), id: row.id(first + 7, of: DomainEvent.Entity.self)),
            source: row.text(first + 9), causation: row.idOrNil(first + 10), payload: row.bytes(first + 11),
            withheld: row.bytesOrNil(first + 12))
    }

    /// Events by their ids, as deliveries need them: without what is withheld.
    static func fetch(_ ids: Set<EventID>, in transaction: any Transaction) throws -> [EventID: DomainEvent] {
        let rows = RowBatch(wanted: ids)
        var events: [EventID: DomainEvent] = [:]
        events.reserveCapacity(ids.count)
        try transaction.run(fetchStatement, [], rows: rows) { row in
            let event = decode(row)
            events[event.id] = event
        }
        return events
    }

    private static let fetchStatement = Statement(
        composed: "SELECT \(deliveredColumns) FROM {rows} r JOIN event e ON e.id = r.wanted")

    /// The newest events of one entity of a tenant, oldest first.
    package static func timeline<Kind>(
        of entity: ID<Kind>, scope: Scope, limit: Int, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM event e
                    WHERE e.entity_id = $1 AND e.tenant_id = $2 AND e.org_id = $3 ORDER BY e.id DESC LIMIT $4
                    """),
            [.id(entity), .id(scope.tenant), .id(scope.organisation), .int(limit)]
        ) { decode($0) }.reversed()
    }
}
