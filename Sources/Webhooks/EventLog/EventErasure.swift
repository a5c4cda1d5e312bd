import Events
import Kernel
import Storage

/// Takes the contents out of past events, when a customer asks to be forgotten.
///
/// The events stay, in their places in the feed and with their deliveries; what still has to be sent is sent as a
/// tombstone, so that receivers learn of it too.
package enum EventErasure {
    /// What stands in place of a payload.
    package static func tombstone(at now: Timestamp) -> [UInt8] {
        JSONWriter.object { writer in
            writer.field("erased", true)
            writer.field("erased_at", now)
        }
    }

    /// Events that one transaction takes on, each with its deliveries and their attempts.
    package static let atOnce = 100

    /// What one transaction has erased.
    package struct Erased: Sendable {
        package let events: [EventID]
        /// The inbox entries, requests or events that caused them: an inbox entry's body is to be erased with them.
        package let causes: [ID<DomainEvent.Cause>]
    }

    /// Erases the payloads, the withheld fields and the answers of receivers of an entity's next events, oldest first.
    ///
    /// There may be very many, so that a walk over them has transactions of its own. What a dispatcher has already
    /// taken into memory is sent as it was, within a minute at the most.
    package static func eraseNext(
        of entity: DomainEvent.Entity, after last: EventID, limit: Int, scope: Scope, at now: Timestamp,
        in transaction: any Transaction
    ) throws -> Erased {
        let found: [(event: EventID, cause: ID<DomainEvent.Cause>?)] = try transaction.all(
            """
            SELECT id, causation_id FROM event
            WHERE entity_id = $1 AND entity_type = $2 AND tenant_id = $3 AND org_id = $4 AND id > $5
            ORDER BY id LIMIT $6
            """,
            [
                .id(entity.id), .text(entity.type), .id(scope.tenant), .id(scope.organisation), .id(last),
                .int(limit),
            ]
        ) { ($0.id(0), $0.idOrNil(1)) }
        let rows = RowBatch(wanted: found.lazy.map(\.0))
        try transaction.execute(
            """
            UPDATE event SET payload = $1, withheld = NULL
            WHERE entity_id = $2 AND entity_type = $3 AND id IN (SELECT wanted FROM {rows} r)
            """, [.bytes(tombstone(at: now)), .id(entity.id), .text(entity.type)], rows: rows)
        try eraseAnswers(to: rows, in: transaction)
        return Erased(events: found.map(\.event), causes: found.compactMap(\.cause))
    }

    private static func eraseAnswers(to events: RowBatch, in transaction: any Transaction) throws {
        let deliveries = try transaction.all(
            "SELECT id FROM delivery WHERE event_id IN (SELECT wanted FROM {rows} r)", rows: events
        ) { $0.id(0, of: Delivery.self) }
        let attempted = RowBatch(wanted: deliveries)
        try transaction.execute(
            """
            UPDATE attempt SET response_body = NULL, response_headers = NULL
            WHERE delivery_id IN (SELECT wanted FROM {rows} r)
            """, rows: attempted)
    }
}
