import Kernel
import Storage
import Synchronization

/// A digest of one delivery, 16 bytes, and the entry that holds it if it is new.
struct InboxKey: Sendable {
    let bytes: [UInt8]
    let inbox: InboxID
}

/// Which deliveries are known: a digest of each, unique in the store.
///
/// Digests come in no order, so each one's insert would dirty a page of its own in a large table. PostgreSQL's copies
/// have to share one table all the same. SQLite has one writer: there `RecentInboxKeys` gathers them first.
final class InboxKeys: Sendable {
    private let filter = InboxKeyFilter()
    private let offered = Atomic(0)

    /// Adds keys and returns the ids of those that nobody had sent before.
    ///
    /// - Parameter keys: sorted by their bytes, so that two copies that store the same deliveries can't wait for each
    ///   other in a circle.
    func insert(_ keys: [InboxKey], in transaction: any Transaction) throws -> Set<InboxID> {
        offered.add(keys.count, ordering: .relaxed)
        if transaction.dialect == .sqlite { return try RecentInboxKeys.insert(keys, filter: filter, in: transaction) }
        var rows = RowBatch(["key": .bytes, "inbox_id": .uuid])
        rows.reserve(keys.count)
        for key in keys { rows.append(.bytes(key.bytes), .id(key.inbox)) }
        let fresh = try transaction.all(
            """
            INSERT INTO inbox_key (key, inbox_id) SELECT key, inbox_id FROM {rows} r WHERE true
            ON CONFLICT (key) DO NOTHING RETURNING inbox_id
            """, rows: rows
        ) { $0.id(0, of: InboxEntry.self) }
        return Set(fresh)
    }

    /// The entries that hold keys which were not new.
    func known(_ keys: some Sequence<[UInt8]>, in transaction: any Transaction) throws -> [[UInt8]: InboxID] {
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

    // MARK: Upkeep on SQLite

    /// Keys that a quiet look has seen come at most; busier moments are left to the senders.
    private static let quiet = 1_500
    /// Keys of one slice, whose pages are written within a millisecond or two, and slices between two looks.
    private static let slice = 256
    private static let slices = 32

    /// Reads what earlier processes have left, so that the first sender need not wait for it and few keys are looked up
    /// from then on.
    func learn(from database: any Database) async throws {
        _ = try await database.write(.background) { [filter] transaction in
            try RecentInboxKeys.moveSpare(1, filter: filter, in: transaction)
        }
        try await filter.complete(from: database)
    }

    /// What was seen at one moment.
    struct Look: Sendable {
        /// Keys that had come.
        fileprivate(set) var offered = 0
        /// Whether there may be keys to move.
        fileprivate(set) var isSpare = true
    }

    /// Moves gathered keys to where they stay, if few have come since the look before.
    func look(after before: Look, in database: any Database) async throws -> Look {
        var look = Look(offered: offered.load(ordering: .relaxed))
        let come = look.offered - before.offered
        look.isSpare = before.isSpare || come > 0
        guard come < Self.quiet, look.isSpare else { return look }
        for _ in 0..<Self.slices where look.isSpare {
            look.isSpare = try await database.write(.background) { [filter] transaction in
                try RecentInboxKeys.moveSpare(Self.slice, filter: filter, in: transaction)
            }
        }
        return look
    }
}
