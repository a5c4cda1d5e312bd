import Kernel
import Storage

/// Deduplication keys on SQLite: new ones are appended to `inbox_arrival`, where a page takes a hundred of them, and
/// held sorted in a table of the writer's memory. Beyond a bound each batch also moves a slice of that table, keys that
/// stand side by side, into `inbox_key`: there they share pages.
///
/// The table in memory belongs to the transaction as any other: what is undone on disk is undone there too. A key is
/// always in `inbox_key` or among the arrivals, so a process that dies finds all of them again.
enum RecentInboxKeys {
    /// Keys that are gathered before any is moved: four megabytes, read in a tenth of a second at the next start. The
    /// more there are, the more of a slice fall on one page of `inbox_key`.
    static let gathered: Int64 = 65_536

    static func insert(
        _ keys: RowBatch, gathering bound: Int64 = gathered, in transaction: any Transaction
    ) throws -> Set<InboxID> {
        try prepare(transaction)
        var arrivals = RowBatch(["key": .bytes, "inbox_id": .uuid])
        var fresh: Set<InboxID> = []
        try transaction.run(
            """
            INSERT INTO temp.recent_key (key, inbox_id) SELECT r.key, r.inbox_id FROM {rows} r
            WHERE NOT EXISTS (SELECT 1 FROM inbox_key k WHERE k.key = r.key)
            ON CONFLICT (key) DO NOTHING RETURNING key, inbox_id
            """, [], rows: keys
        ) { row in
            let id = row.id(1, of: InboxEntry.self)
            arrivals.append(.bytes(row.bytes(0)), .id(id))
            fresh.insert(id)
        }
        if fresh.isEmpty { return fresh }
        try transaction.execute(
            "INSERT INTO inbox_arrival (key, inbox_id) SELECT key, inbox_id FROM {rows} r", rows: arrivals)
        try move(added: Int64(fresh.count), beyond: bound, in: transaction)
        return fresh
    }

    // MARK: The table in memory

    /// Makes the tables of this connection and fills them with what earlier processes have left among the arrivals.
    private static func prepare(_ transaction: any Transaction) throws {
        let isThere = try transaction.first("SELECT 1 FROM temp.sqlite_schema WHERE name = 'recent_key'") { _ in true }
        if isThere == true { return }
        try transaction.execute(
            """
            CREATE TEMP TABLE recent_key (key BLOB NOT NULL PRIMARY KEY, inbox_id BLOB NOT NULL) STRICT, WITHOUT ROWID
            """)
        // A walk also moves what arrives ahead of it, which may be here anew then: to move it again changes nothing.
        try transaction.execute(
            """
            INSERT INTO temp.recent_key (key, inbox_id)
            SELECT a.key, a.inbox_id FROM inbox_arrival a CROSS JOIN inbox_key_walk w
            WHERE a.position > w.moved AND NOT (a.position <= w.bound AND a.key <= w.start)
            ON CONFLICT (key) DO NOTHING
            """)
        try transaction.execute("CREATE TEMP TABLE recent_key_count (waiting INTEGER NOT NULL) STRICT")
        try transaction.execute("INSERT INTO temp.recent_key_count SELECT count(*) FROM temp.recent_key")
    }

    // MARK: Moving

    private struct Walk {
        let start: [UInt8]
        let moved: Int64
    }

    private static func move(added: Int64, beyond bound: Int64, in transaction: any Transaction) throws {
        let waiting = try transaction.first(
            "UPDATE temp.recent_key_count SET waiting = waiting + $1 RETURNING waiting", [.int(added)]
        ) { $0.int(0) }
        guard let waiting, waiting > bound else { return }
        let walk = try transaction.first("SELECT start, moved FROM inbox_key_walk") {
            Walk(start: $0.bytes(0), moved: $0.int(1))
        }
        guard let walk else { throw StorageError(.misuse, "inbox_key_walk has lost its row") }
        // Twice what was added, so that the gathered keys can't grow while every batch is a large one; and no less than
        // some, so that batches of one don't each pay for moving one.
        let size = max(bound / 256, 2 * added)
        let last = try transaction.first(
            """
            SELECT key FROM (SELECT key FROM temp.recent_key WHERE key > $1 ORDER BY key LIMIT $2)
            ORDER BY key DESC LIMIT 1
            """, [.bytes(walk.start), .int(size)]
        ) { $0.bytes(0) }
        if let last {
            try moveSlice(after: walk.start, through: last, in: transaction)
        } else {
            try beginAnew(transaction)
        }
        // Arrivals are dropped as evenly as keys are moved, not all at the end of a walk.
        try transaction.execute(
            """
            DELETE FROM inbox_arrival WHERE position IN (
                SELECT position FROM inbox_arrival WHERE position <= $1 ORDER BY position LIMIT $2
            )
            """, [.int(walk.moved), .int(size)])
    }

    private static func moveSlice(
        after start: [UInt8], through last: [UInt8], in transaction: any Transaction
    ) throws {
        let range: [SQLValue] = [.bytes(start), .bytes(last)]
        try transaction.execute(
            """
            INSERT INTO inbox_key (key, inbox_id)
            SELECT key, inbox_id FROM temp.recent_key WHERE key > $1 AND key <= $2 ORDER BY key
            ON CONFLICT (key) DO NOTHING
            """, range)
        let moved = try transaction.executeCounting("DELETE FROM temp.recent_key WHERE key > $1 AND key <= $2", range)
        try transaction.execute("UPDATE temp.recent_key_count SET waiting = waiting - $1", [.int(Int64(moved))])
        try transaction.execute("UPDATE inbox_key_walk SET start = $1", [.bytes(last)])
    }

    /// Once all keys were walked, each that had arrived when the walk began is in `inbox_key`.
    private static func beginAnew(_ transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE inbox_key_walk SET start = x'', moved = bound,
                bound = (SELECT coalesce(max(position), 0) FROM inbox_arrival)
            """)
    }
}
