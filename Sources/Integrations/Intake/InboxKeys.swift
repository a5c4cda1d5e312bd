import Kernel
import Storage

/// Which deliveries are known: a digest of each, unique in the store.
///
/// Digests come in no order, so each one's insert would dirty a page of its own in a large table. PostgreSQL's copies
/// have to share one table all the same. SQLite has one writer: there `RecentInboxKeys` gathers them first.
enum InboxKeys {
    /// Adds keys and returns the ids of those that nobody had sent before.
    ///
    /// - Parameter keys: `key` and `inbox_id`, sorted by key.
    static func insert(_ keys: RowBatch, in transaction: any Transaction) throws -> Set<InboxID> {
        switch transaction.dialect {
        case .sqlite: try RecentInboxKeys.insert(keys, in: transaction)
        case .postgres:
            Set(
                try transaction.all(
                    """
                    INSERT INTO inbox_key (key, inbox_id) SELECT key, inbox_id FROM {rows} r WHERE true
                    ON CONFLICT (key) DO NOTHING RETURNING inbox_id
                    """, rows: keys
                ) { $0.id(0, of: InboxEntry.self) })
        }
    }

    /// The entries that hold keys which were not new.
    static func known(_ keys: some Sequence<[UInt8]>, in transaction: any Transaction) throws -> [[UInt8]: InboxID] {
        var rows = RowBatch(["wanted": .bytes])
        for key in keys { rows.append(.bytes(key)) }
        var known: [[UInt8]: InboxID] = [:]
        try transaction.run(
            "SELECT k.key, k.inbox_id FROM {rows} r JOIN inbox_key k ON k.key = r.wanted", [], rows: rows
        ) { known[$0.bytes(0)] = $0.id(1) }
        guard transaction.dialect == .sqlite else { return known }
        try transaction.run(
            "SELECT k.key, k.inbox_id FROM {rows} r JOIN temp.recent_key k ON k.key = r.wanted", [], rows: rows
        ) { known[$0.bytes(0)] = $0.id(1) }
        return known
    }
}
