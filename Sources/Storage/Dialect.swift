/// What differs between the engines, as replacements of tokens in a statement that is otherwise written once.
///
/// | token | SQLite | PostgreSQL |
/// |---|---|---|
/// | `{rows}` | the batch as a `VALUES` list | the batch as `unnest` of one array a column |
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
    ///   - rowCount: rows that a SQLite `VALUES` list is made for; PostgreSQL's arrays take any number.
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
            let arrays = columns.enumerated().map { "$\(firstArgument + $0.offset)::\($0.element.kind.postgresType)[]" }
            let names = columns.map(\.name.description).joined(separator: ", ")
            return "(SELECT * FROM unnest(\(arrays.joined(separator: ", "))) AS u (\(names)))"
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
