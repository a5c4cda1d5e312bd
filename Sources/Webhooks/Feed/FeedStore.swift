import Events
import Kernel
import Storage

/// The rows of the feed: which place each event has among those of its organisation.
enum FeedStore {
    struct Entry: Sendable {
        let scope: Scope
        let event: EventID
    }

    /// Where commits are in order the events get their positions at once; elsewhere the sequencer numbers them later.
    static func place(_ entries: [Entry], in transaction: any Transaction) throws {
        if transaction.dialect.commitsInOrder {
            let head = try transaction.first(
                "UPDATE feed_head SET position = position + $1 WHERE id = 1 RETURNING position", [.int(entries.count)]
            ) { $0.int(0) }
            return try insert(entries, behind: required(head) - Int64(entries.count), in: transaction)
        }
        var rows = RowBatch(["tenant_id": .uuid, "org_id": .uuid, "event_id": .uuid])
        rows.reserve(entries.count)
        for entry in entries {
            rows.append(.id(entry.scope.tenant), .id(entry.scope.organisation), .id(entry.event))
        }
        try transaction.execute(
            """
            INSERT INTO feed_pending (tenant_id, org_id, event_id) SELECT tenant_id, org_id, event_id FROM {rows} r
            """, rows: rows)
    }

    /// Gives entries the positions behind `head` under the lock of the one row that counts them, which is held until
    /// the commit: whoever sees a position sees all lower ones too.
    private static func insert(_ entries: [Entry], behind head: Int64, in transaction: any Transaction) throws {
        var rows = RowBatch(["tenant_id": .uuid, "org_id": .uuid, "position": .int, "event_id": .uuid])
        rows.reserve(entries.count)
        for (index, entry) in entries.enumerated() {
            rows.append(
                .id(entry.scope.tenant), .id(entry.scope.organisation), .int(head + Int64(index) + 1),
                .id(entry.event))
        }
        try transaction.execute(
            """
            INSERT INTO feed (tenant_id, org_id, position, event_id)
            SELECT tenant_id, org_id, position, event_id FROM {rows} r
            """, rows: rows)
    }

    private static func required(_ head: Int64?) throws -> Int64 {
        guard let head else { throw StorageError(.corrupt, "feed_head has no row") }
        return head
    }

    /// Takes committed events that have no position yet out of the waiting room, and numbers them in the order of
    /// insertion.
    ///
    /// - Returns: them, and how far the feed was numbered before.
    static func numberPending(limit: Int, in transaction: any Transaction) throws -> (entries: [Entry], head: Int64) {
        // The lock comes before the look: a look before it could miss what the holder is about to leave behind.
        let lock = try transaction.ask("SELECT position FROM feed_head WHERE id = 1 {for update}") { $0.int(0) }
        var pending: [(sequence: Int64, entry: Entry)] = try transaction.all(
            """
            DELETE FROM feed_pending
            WHERE sequence IN (SELECT sequence FROM feed_pending ORDER BY sequence LIMIT $1)
            RETURNING sequence, tenant_id, org_id, event_id
            """, [.int(limit)]
        ) { ($0.int(0), Entry(scope: Scope(tenant: $0.id(1), organisation: $0.id(2)), event: $0.id(3))) }
        pending.sort { $0.sequence < $1.sequence }
        let (entries, head) = (pending.map(\.entry), try required(lock.first()))
        if entries.isEmpty { return (entries, head) }
        try transaction.execute(
            "UPDATE feed_head SET position = $1 WHERE id = 1", [.int(head + Int64(entries.count))])
        try insert(entries, behind: head, in: transaction)
        return (entries, head)
    }

    /// An entry of one organisation's feed.
    struct Placed: Sendable {
        let position: Int64
        let event: EventID
    }

    private static func placed(_ row: any Row) -> Placed { Placed(position: row.int(0), event: row.id(1)) }

    /// The oldest entry that is held.
    static func first(_ scope: Scope, in transaction: any Transaction) throws -> Placed? {
        try transaction.first(
            """
            SELECT position, event_id FROM feed WHERE tenant_id = $1 AND org_id = $2 ORDER BY position LIMIT 1
            """, [.id(scope.tenant), .id(scope.organisation)], placed)
    }

    /// The newest entry behind a position.
    static func last(after position: Int64, _ scope: Scope, in transaction: any Transaction) throws -> Placed? {
        try transaction.first(
            """
            SELECT position, event_id FROM feed
            WHERE tenant_id = $1 AND org_id = $2 AND position > $3 ORDER BY position DESC LIMIT 1
            """, [.id(scope.tenant), .id(scope.organisation), .int(position)], placed)
    }

    /// The entry that is `count` entries behind a position; nil when there are not so many.
    static func entry(
        _ count: Int, after position: Int64, _ scope: Scope, in transaction: any Transaction
    ) throws -> Placed? {
        try transaction.first(
            """
            SELECT position, event_id FROM feed
            WHERE tenant_id = $1 AND org_id = $2 AND position > $3 ORDER BY position LIMIT 1 OFFSET $4
            """, [.id(scope.tenant), .id(scope.organisation), .int(position), .int(count - 1)], placed)
    }

    /// The entry that is `count` entries before a position; nil when there are not so many.
    static func entry(
        _ count: Int, before position: Int64, _ scope: Scope, in transaction: any Transaction
    ) throws -> Placed? {
        try transaction.first(
            """
            SELECT position, event_id FROM feed
            WHERE tenant_id = $1 AND org_id = $2 AND position < $3 ORDER BY position DESC LIMIT 1 OFFSET $4
            """, [.id(scope.tenant), .id(scope.organisation), .int(position), .int(count - 1)], placed)
    }

    // MARK: Positions by time

    /// How far the order of ids and the order of commits can be apart: clocks of copies differ by less, and no
    /// transaction stays open that long.
    private static let slack: Duration = .seconds(3600)

    /// A position up to which nothing happened at `time` or later: that of the last event, by its id, which is so old
    /// that whatever was committed before it is older than `time`. The first one that is not so old would not do: after
    /// a quiet hour it may be the second that was committed, of a copy whose clock is behind.
    static func position(before time: Timestamp, in transaction: any Transaction) throws -> Int64 {
        try transaction.first(
            "SELECT position FROM feed WHERE event_id < $1 ORDER BY event_id DESC LIMIT 1",
            [.id(EventID(from: time - slack))]
        ) { $0.int(0) } ?? 0
    }

    /// A position from which on nothing happened before `time`.
    static func position(behind time: Timestamp, in transaction: any Transaction) throws -> Int64 {
        try transaction.first(
            "SELECT position FROM feed WHERE event_id >= $1 ORDER BY event_id LIMIT 1",
            [.id(EventID(from: time + slack))]
        ) { $0.int(0) } ?? .max
    }
}
