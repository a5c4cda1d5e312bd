import Events
import Kernel
import Storage

/// Keeps events and their place in the feed. Nothing here is ever updated.
package enum EventStore {
    static func insert(_ events: [DomainEvent], in transaction: any Transaction) throws {
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
        try placeInFeed(events.map { ($0.scope.tenant, $0.id) }, in: transaction)
    }

    /// Where commits are in order the events get their positions at once; elsewhere the sequencer numbers them later.
    private static func placeInFeed(
        _ events: [(tenant: TenantID, event: EventID)], in transaction: any Transaction
    ) throws {
        if transaction.dialect.commitsInOrder {
            try number(events, in: transaction)
        } else {
            var rows = RowBatch(["tenant_id": .uuid, "event_id": .uuid])
            for entry in events { rows.append(.id(entry.tenant), .id(entry.event)) }
            try transaction.execute(
                "INSERT INTO feed_pending (tenant_id, event_id) SELECT tenant_id, event_id FROM {rows} r", rows: rows)
        }
    }

    /// Takes the next positions under the lock of the one row that counts them, which is held until the commit: whoever
    /// sees a position sees all lower ones too.
    static func number(_ events: [(tenant: TenantID, event: EventID)], in transaction: any Transaction) throws {
        let head = try transaction.first(
            "UPDATE feed_head SET position = position + $1 WHERE id = 1 RETURNING position", [.int(events.count)]
        ) { $0.int(0) }
        guard let head else { throw StorageError(.corrupt, "feed_head has no row") }
        var rows = RowBatch(["tenant_id": .uuid, "position": .int, "event_id": .uuid])
        for (index, entry) in events.enumerated() {
            let position = head - Int64(events.count) + Int64(index) + 1
            rows.append(.id(entry.tenant), .int(position), .id(entry.event))
        }
        try transaction.execute(
            "INSERT INTO feed (tenant_id, position, event_id) SELECT tenant_id, position, event_id FROM {rows} r",
            rows: rows)
    }

    /// The columns that `decode` reads, for a statement that calls the event table `e`.
    static let columns = """
        e.id, e.tenant_id, e.org_id, e.user_id, e.role, e.type, e.entity_type, e.entity_id, e.occurred_at, e.source,
        e.causation_id, e.payload, e.withheld
        """

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

    /// The events of one entity of a tenant, oldest first.
    package static func timeline<Kind>(
        of entity: ID<Kind>, scope: Scope, limit: Int, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM event e
                    WHERE e.entity_id = $1 AND e.tenant_id = $2 AND e.org_id = $3 ORDER BY e.id LIMIT $4
                    """),
            [.id(entity), .id(scope.tenant), .id(scope.organisation), .int(limit)]
        ) { decode($0) }
    }
}
