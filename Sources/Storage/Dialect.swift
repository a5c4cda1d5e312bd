/// What differs between the engines, as replacements of tokens in a statement that is otherwise written once.
///
/// | token | SQLite | PostgreSQL |
/// |---|---|---|
/// | `{rows}` | the batch as a `VALUES` list | the batch as its `BatchForm` says |
/// | `{skip locked}` | nothing: one writer | `FOR UPDATE SKIP LOCKED` |
/// | `{for update}` | nothing: one writer | `FOR UPDATE` |
/// | `{through delivery_due}` | `INDEXED BY delivery_due` | nothing: it has statistics |
/// | `{uuid}` `{bytes}` `{int}` | `BLOB` `BLOB` `INTEGER` | `UUID` `BYTEA` `BIGINT` |
/// | `{identity}` | `INTEGER PRIMARY KEY AUTOINCREMENT` | `BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY` |
/// | `{table}` `{clustered}` | `STRICT` · `STRICT, WITHOUT ROWID` | nothing |
/// | `{busy}` | `STRICT` | room for in-place updates and eager vacuum |
///
/// `now_ms()` is a function of both: the process's clock in SQLite, the server's in PostgreSQL.
package enum Dialect: String, Sendable, CaseIterable {
    case sqlite
    case postgres

    /// Whether rows become visible in the order of the numbers that writers take, so that the feed needs no sequencer.
    package var commitsInOrder: Bool { self == .sqlite }

    /// The engine's own text of a statement.
    ///
    /// - Parameters:
    ///   - batch: columns that `{rows}` stands for.
    ///   - rowCount: rows that a SQLite `VALUES` list is made for; PostgreSQL's form depends on it.
    package func text(of statement: Statement, batch: [RowBatch.Column] = [], rowCount: Int = 1) -> String {
        var out = statement.text
        if out.contains("{rows}") {
            let first = Dialect.highestArgument(in: out) + 1
            out = Dialect.replace("{rows}", in: out, with: rows(batch, firstArgument: first, rowCount: rowCount))
        }
        for (token, sqlite, postgres) in Dialect.tokens where out.contains(token) {
            out = Dialect.replace(token, in: out, with: self == .sqlite ? sqlite : postgres)
        }
        return self == .sqlite ? Dialect.questionMarks(out) : out
    }

    /// The number of arguments that stand before those of `{rows}`.
    package static func highestArgument(in text: String) -> Int {
        var highest = 0
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            rest = rest[rest.index(after: dollar)...]
            if let number = Int(rest.prefix { $0.isWholeNumber }) { highest = max(highest, number) }
        }
        return highest
    }

    private func rows(_ columns: [RowBatch.Column], firstArgument: Int, rowCount: Int) -> String {
        switch self {
        case .postgres:
            return BatchForm(rowCount: rowCount).text(of: columns, firstArgument: firstArgument)
        case .sqlite:
            var next = firstArgument
            let tuples = (0..<rowCount).map { _ in
                let marks = columns.map { _ in
                    defer { next += 1 }
                    return "$\(next)"
                }
                return "(\(marks.joined(separator: ",")))"
            }
            let names = columns.enumerated().map { "column\($0.offset + 1) AS \($0.element.name)" }
            // The list is made for the next power of two; rows that were not bound have a null first column.
            return "(SELECT \(names.joined(separator: ", ")) FROM (VALUES \(tuples.joined(separator: ","))) "
                + "WHERE column1 IS NOT NULL)"
        }
    }

    /// SQLite reads `$1` as a name; its numbered form is `?1`.
    private static func questionMarks(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        var index = text.startIndex
        while index < text.endIndex {
            let next = text.index(after: index)
            let isArgument = text[index] == "$" && next < text.endIndex && text[next].isWholeNumber
            out.append(isArgument ? "?" : text[index])
            index = next
        }
        return out
    }

    private static func replace(_ token: String, in text: String, with replacement: String) -> String {
        text.split(separator: token, omittingEmptySubsequences: false).joined(separator: replacement)
    }

    private static let tokens: [(token: String, sqlite: String, postgres: String)] = [
        ("{skip locked}", "", "FOR UPDATE SKIP LOCKED"),
        ("{for update}", "", "FOR UPDATE"),
        // Without statistics SQLite takes an equal column for better than a bound, and would walk all that waits.
        ("{through delivery_due}", "INDEXED BY delivery_due", ""),
        ("{uuid}", "BLOB", "UUID"),
        ("{bytes}", "BLOB", "BYTEA"),
        ("{int}", "INTEGER", "BIGINT"),
        ("{identity}", "INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        ("{table}", "STRICT", ""),
        ("{clustered}", "STRICT, WITHOUT ROWID", ""),
        (
            "{busy}", "STRICT",
            "WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)"
        ),
    ]
}

/// How PostgreSQL takes a batch. `unnest` of many arrays costs some 3 µs a column before its first row, which a
/// statement for one row of forty columns would pay for each of them.
package enum BatchForm: Sendable {
    /// One row: an argument a column.
    case row
    /// Few rows: an array a column, and one of the numbers from 1 that the others are read by. Finding a text in an
    /// array begins at its first, which is what makes many rows dear.
    case numbered
    /// Many rows: an array a column, unnested.
    case unnested

    private static let mostNumbered = 64

    package init(rowCount: Int) {
        self = rowCount == 1 ? .row : rowCount <= Self.mostNumbered ? .numbered : .unnested
    }

    func text(of columns: [RowBatch.Column], firstArgument: Int) -> String {
        let arguments = columns.enumerated().map { "$\(firstArgument + $0.offset)::\($0.element.kind.postgresType)" }
        func list(_ value: (String) -> String) -> String {
            zip(arguments, columns).map { "\(value($0)) AS \($1.name)" }.joined(separator: ", ")
        }
        switch self {
        case .row:
            return "(SELECT \(list { $0 }))"
        case .numbered:
            let numbers = "$\(firstArgument + columns.count)::int[]"
            return "(SELECT \(list { "(\($0)[])[n]" }) FROM unnest(\(numbers)) AS u (n))"
        case .unnested:
            let names = columns.map(\.name.description).joined(separator: ", ")
            return "(SELECT * FROM unnest(\(arguments.map { "\($0)[]" }.joined(separator: ", "))) AS u (\(names)))"
        }
    }
}

extension ColumnKind {
    var postgresType: String {
        switch self {
        case .int: "bigint"
        case .text: "text"
        case .bytes: "bytea"
        case .uuid: "uuid"
        }
    }
}
