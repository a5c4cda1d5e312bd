import Storage

/// The planner's statistics of tables that have grown faster than autovacuum comes by: once a minute at best.
enum PostgresStatistics {
    /// Analyses tables that have three times as many rows as when they were last analysed. Large ones are left to
    /// autovacuum: three times as many take long then, and a sample of them costs more.
    ///
    /// A third of the usual sample is enough until autovacuum comes by, and takes a third of the time: what happens now
    /// waits for a processor meanwhile.
    ///
    /// One session at a time, and no more of the large ones at once than is read in a few hundredths of a second: two
    /// sessions that analysed side by side had both processors of a small machine to themselves for a tenth of one. The
    /// rest comes with the next look. What this user does not own is not asked for, and what something else has locked
    /// is left out. It is not counted with the statements of callers, who would see one more now and then.
    static func renew(on connection: PostgresConnection) throws {
        try PostgresTransaction.write(on: connection, counter: PostgresCounter()) { transaction in
            let isAlone = try transaction.first(
                "SELECT pg_try_advisory_xact_lock($1)::int4::int8", [.int(lock)]
            ) { $0.int(0) }
            if isAlone != 1 { return }
            let grown = try transaction.all(grown, [.int(bytesAtOnce)]) { $0.text(0) }
            if grown.isEmpty { return }
            try transaction.execute("SET LOCAL default_statistics_target = 33")
            try transaction.execute(Statement(composed: "ANALYZE (SKIP_LOCKED) \(grown.joined(separator: ", "))"))
        }
    }

    /// What the session holds that analyses: one for the whole database.
    static let lock: Int64 = 7_402_150_003

    /// Some two thousand pages.
    private static let bytesAtOnce: Int64 = 16 << 20

    /// The smallest first: their statistics are the farthest from what is true, and cost next to nothing.
    private static let grown: Statement = """
        SELECT name FROM (
            SELECT name, sum(bytes) OVER smallest AS bytes, row_number() OVER smallest AS place
            FROM (
                SELECT c.oid, c.oid::regclass::text AS name, pg_relation_size(c.oid) AS bytes FROM pg_class c
                WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.reltuples < 100000
                    AND pg_has_role(c.relowner, 'USAGE')
                    AND pg_stat_get_live_tuples(c.oid) > 500 + 2 * greatest(c.reltuples, 0)
            ) grown
            WINDOW smallest AS (ORDER BY bytes, oid)
        ) grown
        WHERE bytes <= $1 OR place = 1
        """
}
