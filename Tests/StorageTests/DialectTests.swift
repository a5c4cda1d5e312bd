import Storage
import Testing

@Suite("One SQL text for two engines")
struct DialectTests {
    @Test(
        "Tokens become what each engine says",
        arguments: [
            ("a {int} b {uuid} c {bytes}", "a INTEGER b BLOB c BLOB", "a BIGINT b UUID c BYTEA"),
            (
                "id {identity}", "id INTEGER PRIMARY KEY AUTOINCREMENT",
                "id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
            ),
            ("x {table}; y {clustered}", "x STRICT; y STRICT, WITHOUT ROWID", "x ; y "),
            ("SELECT 1 {skip locked}", "SELECT 1 ", "SELECT 1 FOR UPDATE SKIP LOCKED"),
            ("SELECT 1 {for update}", "SELECT 1 ", "SELECT 1 FOR UPDATE"),
            ("FROM t {through delivery_due}", "FROM t INDEXED BY delivery_due", "FROM t "),
            ("a = $1 AND b = $22", "a = ?1 AND b = ?22", "a = $1 AND b = $22"),
            ("price $ and $x stay", "price $ and $x stay", "price $ and $x stay"),
            ("no token at all", "no token at all", "no token at all"),
        ])
    func tokens(text: String, sqlite: String, postgres: String) {
        #expect(Dialect.sqlite.text(of: Statement(composed: text)) == sqlite)
        #expect(Dialect.postgres.text(of: Statement(composed: text)) == postgres)
    }

    @Test("Rows become a list of values in SQLite, whose parameters follow the statement's own")
    func sqliteRows() {
        let batch = RowBatch(["id": .uuid, "n": .int])
        let text = Dialect.sqlite.text(of: "SELECT $2, $1 FROM {rows} r", batch: batch.columns, rowCount: 2)
        #expect(
            text == "SELECT ?2, ?1 FROM (SELECT column1 AS id, column2 AS n FROM (VALUES (?3,?4),(?5,?6)) "
                + "WHERE column1 IS NOT NULL) r")
    }

    @Test(
        "In PostgreSQL a row becomes arguments, few rows arrays that are read by number, many rows unnested arrays",
        arguments: [
            (1...1, "SELECT $2::uuid AS id, $3::bigint AS n, $4::text AS t, $5::bytea AS b"),
            (
                2...64,
                "SELECT ($2::uuid[])[n] AS id, ($3::bigint[])[n] AS n, ($4::text[])[n] AS t, ($5::bytea[])[n] AS b "
                    + "FROM unnest($6::int[]) AS u (n)"
            ),
            (
                65...10_000,
                "SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::bytea[]) AS u (id, n, t, b)"
            ),
        ])
    func postgresRows(counts: ClosedRange<Int>, table: String) {
        let batch = RowBatch(["id": .uuid, "n": .int, "t": .text, "b": .bytes])
        for count in [counts.lowerBound, counts.upperBound] {
            let text = Dialect.postgres.text(of: "SELECT $1 FROM {rows} r", batch: batch.columns, rowCount: count)
            #expect(text == "SELECT $1 FROM (\(table)) r")
        }
    }

    @Test(
        "The highest argument counts, not the last",
        arguments: [
            ("", 0), ("$1", 1), ("$2 $1", 2), ("$10 $9", 10), ("$", 0), ("$a", 0),
        ])
    func highestArgument(text: String, expected: Int) {
        #expect(Dialect.highestArgument(in: text) == expected)
    }

    @Test("A batch falls into pieces of whole rows")
    func chunks() {
        var batch = RowBatch(["id": .int, "n": .int])
        for number in 0..<5 { batch.append(.int(number), .int(number * 10)) }
        #expect(batch.count == 5)
        #expect(batch.chunks(of: 2).map(\.count) == [4, 4, 2])
        #expect(batch.chunks(of: 5).map(\.count) == [10])
        #expect(batch.chunks(of: 2).flatMap { $0 } == batch.values)
    }

    @Test("A migration's statement for one engine is left out for the other")
    func migrationStatements() {
        let migration = Migration(
            number: 1, name: "x",
            text: "-- both\nCREATE TABLE a (id {int});\n\n-- why\n-- postgres\nCREATE TABLE b (id {int});\n")
        #expect(migration.statements(for: .sqlite).map(\.text) == ["CREATE TABLE a (id {int})"])
        #expect(migration.statements(for: .postgres).count == 2)
    }
}
