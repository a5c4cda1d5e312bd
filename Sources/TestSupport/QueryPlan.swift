import Storage

/// How an engine would run a statement: one line a step, in the engine's own words.
package struct QueryPlan: Sendable {
    package let statement: String
    package let lines: [String]

    /// Asks the engine. PostgreSQL is told to take indexes wherever one can serve at all, and to enter them row by row,
    /// since it would read the small tables of a test from end to end.
    package static func ask(
        for recorded: StatementRecorder.Recorded, in transaction: any Transaction
    ) throws -> QueryPlan {
        switch transaction.dialect {
        case .sqlite:
            let text = Statement(composed: "EXPLAIN QUERY PLAN " + recorded.statement.text)
            var lines: [String] = []
            try transaction.run(text, recorded.arguments, rows: recorded.rows) { lines.append($0.text(3)) }
            return QueryPlan(statement: recorded.statement.text, lines: lines)
        case .postgres:
            try transaction.execute("SET LOCAL enable_seqscan = off")
            try transaction.execute("SET LOCAL enable_hashjoin = off")
            try transaction.execute("SET LOCAL enable_mergejoin = off")
            try forgetStatistics(in: transaction)
            let text = Statement(composed: "EXPLAIN (COSTS OFF) " + recorded.statement.text)
            var lines: [String] = []
            try transaction.run(text, recorded.arguments, rows: recorded.rows) { lines.append($0.text(0)) }
            return QueryPlan(statement: recorded.statement.text, lines: lines)
        }
    }

    /// Something may have analysed the small tables of a test by now; of those that it knows nothing of, PostgreSQL
    /// thinks as of larger ones.
    private static func forgetStatistics(in transaction: any Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM pg_statistic WHERE starelid IN (
                SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace
            )
            """)
        try transaction.execute(
            """
            UPDATE pg_class SET reltuples = -1, relpages = 0
            WHERE relnamespace = current_schema()::regnamespace AND (reltuples <> -1 OR relpages <> 0)
            """)
    }

    /// Has PostgreSQL run the statement and say besides how many rows each step came upon.
    package static func run(
        _ recorded: StatementRecorder.Recorded, in transaction: any Transaction
    ) throws -> QueryPlan {
        let text = Statement(
            composed: "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) " + recorded.statement.text)
        var lines: [String] = []
        try transaction.run(text, recorded.arguments, rows: recorded.rows) { lines.append($0.text(0)) }
        return QueryPlan(statement: recorded.statement.text, lines: lines)
    }

    /// Tables, of those that are named, that the plan reads from end to end.
    package func scanned(of tables: Set<String>, dialect: Dialect) -> [String] {
        switch dialect {
        case .sqlite: scannedBySQLite(tables)
        case .postgres: scannedByPostgres(tables)
        }
    }

    /// SQLite says SEARCH where an index is entered at a value, and SCAN where a table or index is walked.
    private func scannedBySQLite(_ tables: Set<String>) -> [String] {
        let aliases = aliases(of: tables)
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            guard words.first == "SCAN", words.count > 1 else { return nil }
            return aliases[String(words[1])].map { "\($0): \(line)" }
        }
    }

    /// PostgreSQL names a condition of the index under each scan that enters it; a walk has a filter at most.
    private func scannedByPostgres(_ tables: Set<String>) -> [String] {
        var found: [String] = []
        for (index, line) in lines.enumerated() {
            guard let scan = line.range(of: "Scan"), let on = line.range(of: " on ", after: scan) else { continue }
            let table = String(line[on...].drop { $0 == " " }.dropFirst(3).prefix { $0 != " " })
            // Of a table that is cut by days, the part that has the rows so far. Days to come are empty, and an empty
            // index is as quickly walked as entered.
            let known = tables.contains(table) ? table : tables.first { table == "\($0)_past" }
            guard let known else { continue }
            let depth = line.prefix { $0 == " " }.count
            let details = lines[(index + 1)...].prefix { $0.prefix { $0 == " " }.count > depth && !$0.contains("->") }
            let isEntered = line.contains("Bitmap Heap") || details.contains { $0.contains("Index Cond:") }
            if !isEntered { found.append("\(known): \(line.trimmed)") }
        }
        return found
    }

    /// What the statement calls each table: its own name, and a short one behind it.
    private func aliases(of tables: Set<String>) -> [String: String] {
        let words = statement.split { $0 == " " || $0 == "\n" || $0 == "," || $0 == "(" || $0 == ")" }.map(String.init)
        var found: [String: String] = [:]
        for (index, word) in words.enumerated() where tables.contains(word) {
            found[word] = word
            guard index + 1 < words.count else { continue }
            let next = words[index + 1]
            if next.count <= 2, next.allSatisfy(\.isLowercase) { found[next] = word }
        }
        return found
    }
}

extension StringProtocol {
    /// Where a text begins, for plans only: lines of a few dozen characters.
    fileprivate func range(of text: String, after start: Index? = nil) -> Index? {
        var index = start ?? startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index }
            index = self.index(after: index)
        }
        return nil
    }

    fileprivate var trimmed: String {
        String(drop { $0 == " " || $0 == "-" || $0 == ">" })
    }
}
