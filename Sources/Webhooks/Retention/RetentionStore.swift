import Events
import Kernel
import Storage

/// Clears out what is older than it is held: bites of a few rows, each a transaction of its own.
///
/// The order matters. The feed goes first, and its floor with it: from then on a cursor that has missed something is
/// told so. Deliveries go before their events, so that none is ever claimed without its event.
enum RetentionStore {
    // MARK: Everybody's

    /// Removes the oldest entries of all feeds and raises their floors; returns how many went.
    static func removeFeed(before bound: EventID, limit: Int, in transaction: any Transaction) throws -> Int {
        let removed = try transaction.all(
            """
            DELETE FROM feed WHERE event_id IN (
                SELECT event_id FROM feed WHERE event_id < $1 ORDER BY event_id LIMIT $2
            ) RETURNING tenant_id, org_id, position, event_id
            """, [.id(bound), .int(limit)], removed)
        try raiseFloors(removed, in: transaction)
        return removed.count
    }

    /// Removes deliveries whose event is too old, in whatever state they are, with their attempts.
    static func removeDeliveries(before bound: EventID, limit: Int, in transaction: any Transaction) throws -> Int {
        let removed = try transaction.all(
            """
            DELETE FROM delivery WHERE id IN (
                SELECT id FROM delivery WHERE event_id < $1 ORDER BY event_id LIMIT $2
            ) RETURNING id
            """, [.id(bound), .int(limit)]
        ) { $0.id(0, of: Delivery.self) }
        try removeAttempts(of: removed, in: transaction)
        return removed.count
    }

    /// Removes events, where days are not dropped whole.
    static func removeEvents(before bound: EventID, limit: Int, in transaction: any Transaction) throws -> Int {
        try transaction.executeCounting(
            "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id < $1 ORDER BY id LIMIT $2)",
            [.id(bound), .int(limit)])
    }

    /// Removes inbox entries, where days are not dropped whole. What became of them goes with `removeWorkflows`.
    static func removeInbox(before bound: EventID, limit: Int, in transaction: any Transaction) throws -> Int {
        try transaction.executeCounting(
            "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE id < $1 ORDER BY id LIMIT $2)",
            [.id(bound), .int(limit)])
    }

    /// Removes settled workflows, the dead ones too: what they would work on is gone.
    static func removeWorkflows(before bound: Timestamp, limit: Int, in transaction: any Transaction) throws -> Int {
        let removed = try transaction.all(
            """
            DELETE FROM workflow WHERE id IN (
                SELECT id FROM workflow WHERE id < $1 AND state <> 'pending' AND updated_at < $2 ORDER BY id LIMIT $3
            ) RETURNING id
            """, [.id(EventID(from: bound)), .time(bound), .int(limit)]
        ) { $0.id(0, of: Event.self) }
        let rows = rows(removed)
        try transaction.execute(
            "DELETE FROM workflow_step WHERE workflow_id IN (SELECT wanted FROM {rows} r)", rows: rows)
        return removed.count
    }

    static func removeReplays(before bound: Timestamp, limit: Int, in transaction: any Transaction) throws -> Int {
        try transaction.executeCounting(
            """
            DELETE FROM replay WHERE id IN (
                SELECT id FROM replay WHERE id < $1 AND state IN ('completed', 'cancelled') ORDER BY id LIMIT $2
            )
            """, [.id(EventID(from: bound)), .int(limit)])
    }

    // MARK: One organisation's

    /// Removes the oldest events of one organisation with their places in the feed and their deliveries; returns how
    /// many events went. Only the front of the feed is looked at.
    static func remove(
        _ scope: Scope, before bound: EventID, limit: Int, in transaction: any Transaction
    ) throws -> Int {
        let expired = try transaction.all(
            """
            SELECT f.event_id FROM (
                SELECT position, event_id FROM feed WHERE tenant_id = $1 AND org_id = $2 ORDER BY position LIMIT 2000
            ) f WHERE f.event_id < $3 ORDER BY f.position LIMIT $4
            """, [.id(scope.tenant), .id(scope.organisation), .id(bound), .int(limit)]
        ) { $0.id(0, of: Event.self) }
        if expired.isEmpty { return 0 }
        let rows = rows(expired)
        let removed = try transaction.all(
            """
            DELETE FROM feed WHERE event_id IN (SELECT wanted FROM {rows} r)
            RETURNING tenant_id, org_id, position, event_id
            """, rows: rows, removed)
        try raiseFloors(removed, in: transaction)
        let deliveries = try transaction.all(
            "DELETE FROM delivery WHERE event_id IN (SELECT wanted FROM {rows} r) RETURNING id", rows: rows
        ) { $0.id(0, of: Delivery.self) }
        try removeAttempts(of: deliveries, in: transaction)
        try transaction.execute("DELETE FROM event WHERE id IN (SELECT wanted FROM {rows} r)", rows: rows)
        return expired.count
    }

    /// Removes the oldest inbox entries of one connection.
    static func removeInbox(
        of connection: ID<Event>, before bound: EventID, limit: Int, in transaction: any Transaction
    ) throws -> Int {
        try transaction.executeCounting(
            """
            DELETE FROM inbox WHERE id IN (
                SELECT id FROM inbox WHERE connection_id = $1 AND id < $2 ORDER BY id LIMIT $3
            )
            """, [.id(connection), .id(bound), .int(limit)])
    }

    // MARK: Deduplication keys

    /// Goes through a slice of the deduplication keys and removes the old ones; returns where the next slice begins,
    /// or nil at the end.
    ///
    /// An index by age would cost each accepted delivery a second insert; walking through all keys once in a while
    /// costs nobody anything.
    static func sweepKeys(
        after key: [UInt8], before bound: EventID, limit: Int, in transaction: any Transaction
    ) throws -> (next: [UInt8]?, removed: Int) {
        let slice: [(key: [UInt8], isOld: Bool)] = try transaction.all(
            "SELECT key, inbox_id FROM inbox_key WHERE key > $1 ORDER BY key LIMIT $2", [.bytes(key), .int(limit)]
        ) { ($0.bytes(0), $0.id(1) < bound) }
        var rows = RowBatch(["wanted": .bytes])
        for entry in slice where entry.isOld { rows.append(.bytes(entry.key)) }
        let removed = try transaction.executeCounting(
            "DELETE FROM inbox_key WHERE key IN (SELECT wanted FROM {rows} r)", rows: rows)
        return (slice.count == limit ? slice.last?.key : nil, removed)
    }

    // MARK: Shared

    private static func removed(_ row: any Row) -> (scope: Scope, place: FeedStore.Placed) {
        (
            Scope(tenant: row.id(0), organisation: row.id(1)),
            FeedStore.Placed(position: row.int(2), event: row.id(3))
        )
    }

    private static func raiseFloors(
        _ removed: [(scope: Scope, place: FeedStore.Placed)], in transaction: any Transaction
    ) throws {
        var highest: [Scope: FeedStore.Placed] = [:]
        for (scope, place) in removed where place.position > highest[scope]?.position ?? -1 { highest[scope] = place }
        var rows = RowBatch(["tenant_id": .uuid, "org_id": .uuid, "position": .int, "event_id": .uuid])
        for (scope, place) in highest {
            rows.append(.id(scope.tenant), .id(scope.organisation), .int(place.position), .id(place.event))
        }
        try transaction.execute(
            """
            INSERT INTO feed_floor (tenant_id, org_id, position, event_id)
            SELECT tenant_id, org_id, position, event_id FROM {rows} r WHERE true
            ON CONFLICT (tenant_id, org_id) DO UPDATE SET position = excluded.position, event_id = excluded.event_id
            WHERE feed_floor.position < excluded.position
            """, rows: rows)
    }

    private static func removeAttempts(of deliveries: [DeliveryID], in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM attempt WHERE delivery_id IN (SELECT wanted FROM {rows} r)", rows: rows(deliveries))
    }

    private static func rows<Kind>(_ ids: [ID<Kind>]) -> RowBatch {
        let rows = RowBatch(wanted: ids)
        return rows
    }
}
