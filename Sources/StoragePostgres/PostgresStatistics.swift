import Storage

/// The planner's statistics of tables that have grown faster than autovacuum comes by: once a minute at best.
enum PostgresStatistics {
    /// Analyses tables that have three times as many rows as when they were last analysed. Large ones are left to
    /// autovacuum: three times as many take long then, and a sample of them costs more.
    ///
    /// A third of the usual sample is enough until autovacuum comes by, and takes a third of the time: what happens now
    /// waits for a processor meanwhile.
    ///
    /// What another session has locked is left out and comes again; what this user does not own is not asked for. It is
    /// not counted with the statements of callers, who would see one more now and then.
    static func renew(on connection: PostgresConnection) throws {
        try PostgresTransaction.write(on: connection, counter: PostgresCounter()) { transaction in
            let grown = try transaction.all(grown) { $0.text(0) }
            if grown.isEmpty { return }
            try transaction.execute("SET LOCAL default_statistics_target = 33")
            try transaction.execute(Statement(composed: "ANALYZE (SKIP_LOCKED) \(grown.joined(separator: ", "))"))
        }
    }

    private static let grown: Statement = """
        SELECT c.oid::regclass::text FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.reltuples < 100000
            AND pg_has_role(c.relowner, 'USAGE') AND pg_stat_get_live_tuples(c.oid) > 500 + 2 * greatest(c.reltuples, 0)
        """
}
