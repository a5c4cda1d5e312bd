import Events
import Kernel
import Storage

/// The tables that PostgreSQL keeps by day, and the statements that add and drop their days. SQLite has none.
///
/// Adding and dropping needs the table for itself for a moment. It waits for that at most two seconds, because behind a
/// waiting lock everyone else waits too; what fails is done at the next turn, and until then nothing is missing.
package struct DayPartitions: Sendable {
    /// Each table with the id whose time decides.
    static let tables = [(name: "event", key: "id"), (name: "attempt", key: "delivery_id"), (name: "inbox", key: "id")]

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// Adds the days up to a week ahead; returns how many partitions that were, over all tables.
    @discardableResult
    package func addDays(now: Timestamp) async throws -> Int {
        guard database.dialect == .postgres else { return 0 }
        var added = 0
        for (table, key) in Self.tables {
            added += try await database.write(.background) { transaction in
                try Self.addDays(to: table, key, today: Day(now), in: transaction)
            }
        }
        return added
    }

    /// Drops the days of which every row is older than `bound`; returns how many partitions that were.
    @discardableResult
    func dropDays(before bound: Timestamp) async throws -> Int {
        guard database.dialect == .postgres else { return 0 }
        var dropped = 0
        for (table, _) in Self.tables {
            dropped += try await database.write(.background) { transaction in
                try Self.dropDays(of: table, before: Day(bound), in: transaction)
            }
        }
        return dropped
    }

    /// The statistics of a whole partitioned table are nobody's duty but ours: autovacuum sees only its partitions.
    package func analyze() async throws {
        guard database.dialect == .postgres else { return }
        for (table, _) in Self.tables {
            try await database.write(.background) { try $0.execute(Statement(composed: "ANALYZE \(table)")) }
        }
    }

    // MARK: Statements

    static func plan(of table: String, in transaction: any Transaction) throws -> PartitionPlan {
        let names = try transaction.all(
            """
            SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = to_regclass($1)
            """, [.text(table)]
        ) { $0.text(0) }
        return PartitionPlan(names.compactMap { Day(name: $0.dropFirst(table.utf8.count + 1)) })
    }

    private static func lock(_ table: String, in transaction: any Transaction) throws {
        try transaction.execute("SET LOCAL lock_timeout = '2s'")
        // Parent before partitions, as every insert and select takes them: so none can wait in a circle.
        try transaction.execute(Statement(composed: "LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE"))
    }

    private static func addDays(
        to table: String, _ key: String, today: Day, in transaction: any Transaction
    ) throws -> Int {
        if try plan(of: table, in: transaction).missing(today: today).isEmpty { return 0 }
        try lock(table, in: transaction)
        // Another copy may have been quicker.
        let plan = try plan(of: table, in: transaction)
        let missing = plan.missing(today: today)
        guard let first = missing.first else { return 0 }
        let next = PartitionPlan(plan.starts + missing)
        let ahead = (next.aheadStart ?? first).firstID
        func run(_ text: String) throws { try transaction.execute(Statement(composed: text)) }
        func values(_ range: String) -> String { "FOR VALUES FROM \(range)" }

        let isFirstCut = plan.starts.isEmpty
        let cut = isFirstCut ? "\(table)_past" : "\(table)_ahead"
        try run("ALTER TABLE \(table) DETACH PARTITION \(cut)")
        for start in missing {
            let range = "('\(start.firstID)') TO ('\(next.end(of: start).firstID)')"
            try run("CREATE TABLE \(table)_\(start.name) PARTITION OF \(table) \(values(range))")
        }
        if isFirstCut {
            try run("CREATE TABLE \(table)_ahead PARTITION OF \(table) \(values("('\(ahead)') TO (MAXVALUE)"))")
        }
        // Usually nothing: only a clock that runs ahead puts rows there.
        let outside = isFirstCut ? ">= '\(first.firstID)'" : "< '\(ahead)'"
        try run(
            """
            WITH moved AS (DELETE FROM \(cut) WHERE \(key) \(outside) RETURNING *)
            INSERT INTO \(table) SELECT * FROM moved
            """)
        let range = isFirstCut ? "(MINVALUE) TO ('\(first.firstID)')" : "('\(ahead)') TO (MAXVALUE)"
        try run("ALTER TABLE \(table) ATTACH PARTITION \(cut) \(values(range))")
        return missing.count
    }

    private static func dropDays(of table: String, before bound: Day, in transaction: any Transaction) throws -> Int {
        if try plan(of: table, in: transaction).expired(before: bound).isEmpty { return 0 }
        try lock(table, in: transaction)
        let plan = try plan(of: table, in: transaction)
        let expired = plan.expired(before: bound)
        guard let last = expired.last else { return 0 }
        let names = ["\(table)_past"] + expired.map { "\(table)_\($0.name)" }
        try transaction.execute(Statement(composed: "DROP TABLE \(names.joined(separator: ", "))"))
        // The past takes over the dropped days' range: a row that comes that late still has a place.
        let end = plan.end(of: last).firstID
        try transaction.execute(
            Statement(
                composed: """
                    CREATE TABLE \(table)_past PARTITION OF \(table) FOR VALUES FROM (MINVALUE) TO ('\(end)')
                    """))
        return expired.count
    }
}
