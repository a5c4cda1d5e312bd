import Storage

/// The SQL function `now_ms()` of the database.
enum PostgresClock {
    /// The instant at which the server got the statement: the same for all rows of one, and an index can be searched by
    /// it. The planner puts a body of this form into the statement in place of a call.
    static let serverExpression = "floor(date_part('epoch', statement_timestamp()) * 1000)::bigint"

    /// Creates the function, or replaces it when it says something else.
    static func install(_ expression: String?, on connection: PostgresConnection, counter: PostgresCounter) throws {
        let body = "SELECT \(expression ?? serverExpression)"
        try PostgresTransaction.write(on: connection, counter: counter) { transaction in
            // Copies of the server that replaced it at once would fail with "tuple concurrently updated".
            try transaction.execute("SELECT pg_advisory_xact_lock(7402150002)")
            let existing = try transaction.first(
                "SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('now_ms()')"
            ) { $0.text(0) }
            if existing == body { return }
            let head = "CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE AS "
            try transaction.execute(Statement(composed: "\(head) $now$\(body)$now$"))
        }
    }
}
