import Kernel
import Storage

/// Deduplication keys on SQLite: new ones are appended to `inbox_arrival`, where a page takes a hundred of them, and
/// held sorted in a table of the writer's memory. Slices of that table, keys that stand side by side, are moved into
/// `inbox_key`, where they share pages: in quieter moments, and beyond a bound with each batch.
///
/// The table in memory belongs to the transaction as any other: what is undone on disk is undone there too. A key is
/// always in `inbox_key` or among the arrivals, so a process that dies finds all of them again.
enum RecentInboxKeys {
    /// Keys that are gathered at most: 27 megabytes, read in half a second at the next start. Beyond them each batch
    /// pays for moving as many as it adds.
    static let gathered: Int64 = 524_288
    /// Keys that stay gathered when there is time to move them. The more there are, the more of a slice fall on one
    /// page of `inbox_key`.
    static let kept: Int64 = 65_536

    static func insert(
        _ keys: [InboxKey], filter: InboxKeyFilter, gathering bound: Int64 = gathered,
        in transaction: any Transaction
    ) throws -> Set<InboxID> {
        try prepare(filter, transaction)
        var rows = RowBatch(["key": .bytes, "inbox_id": .uuid, "may_exist": .int])
        rows.reserve(keys.count)
        for (key, mayExist) in zip(keys, filter.insert(keys.map(\.bytes))) {
            rows.append(.bytes(key.bytes), .id(key.inbox), .int(mayExist ? 1 : 0))
        }
        var arrivals = RowBatch(["key": .bytes, "inbox_id": .uuid])
        var fresh: Set<InboxID> = []
        try transaction.run(
            """
            INSERT INTO temp.recent_key (key, inbox_id) SELECT r.key, r.inbox_id FROM {rows} r
            WHERE r.may_exist = 0 OR NOT EXISTS (SELECT 1 FROM inbox_key k WHERE k.key = r.key)
            ON CONFLICT (key) DO NOTHING RETURNING key, inbox_id
            """, [], rows: rows
        ) { row in
            let id = row.id(1, of: InboxEntry.self)
            arrivals.append(.bytes(row.bytes(0)), .id(id))
            fresh.insert(id)
        }
        if fresh.isEmpty { return fresh }
        try transaction.execute(
            "INSERT INTO inbox_arrival (key, inbox_id) SELECT key, inbox_id FROM {rows} r", rows: arrivals)
        let waiting = try count(fresh.count, in: transaction)
        // Twice what was added, so that the gathered keys can't grow while every batch is a large one; and no less than
        // some, so that batches of one don't each pay for moving one.
        if waiting > bound { try move(max(256, 2 * fresh.count), in: transaction) }
        return fresh
    }

    /// Moves a slice if more are gathered than have to be; returns whether more than that are left.
    static func moveSpare(_ size: Int, filter: InboxKeyFilter, in transaction: any Transaction) throws -> Bool {
        try prepare(filter, transaction)
        guard try count(0, in: transaction) > kept else { return false }
        try move(size, in: transaction)
        return true
    }

    // MARK: The table in memory

    /// Makes the tables of this connection and fills them with what earlier processes have left among the arrivals.
    /// They are moved without being looked up again, so the filter has to hold them too.
    private static func prepare(_ filter: InboxKeyFilter, _ transaction: any Transaction) throws {
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
        _ = filter.insert(try transaction.all("SELECT key FROM temp.recent_key", []) { $0.bytes(0) })
        try transaction.execute("CREATE TEMP TABLE recent_key_count (waiting INTEGER NOT NULL) STRICT")
        try transaction.execute("INSERT INTO temp.recent_key_count SELECT count(*) FROM temp.recent_key")
    }

    // MARK: Moving

    private struct Walk {
        let start: [UInt8]
        let moved: Int64
    }

    /// Counts some more of the gathered ones; returns how many there are.
    @discardableResult
    private static func count(_ added: Int, in transaction: any Transaction) throws -> Int64 {
        let waiting = try transaction.first(
            "UPDATE temp.recent_key_count SET waiting = waiting + $1 RETURNING waiting", [.int(added)]
        ) { $0.int(0) }
        guard let waiting else { throw StorageError(.misuse, "recent_key_count has lost its row") }
        return waiting
    }

    private static func move(_ size: Int, in transaction: any Transaction) throws {
        let walk = try transaction.first("SELECT start, moved FROM inbox_key_walk") {
            Walk(start: $0.bytes(0), moved: $0.int(1))
        }
        guard let walk else { throw StorageError(.misuse, "inbox_key_walk has lost its row") }
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
        try count(-moved, in: transaction)
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
