import Kernel

/// A value that goes into a statement. Both engines keep exactly these kinds.
package enum SQLValue: Hashable, Sendable {
    case null
    case int(Int64)
    case text(String)
    case bytes([UInt8])
    /// 128 bits: `UUID` in PostgreSQL, a 16-byte `BLOB` in SQLite.
    case uuid(high: UInt64, low: UInt64)

    package static func id<Kind>(_ id: ID<Kind>) -> SQLValue { .uuid(high: id.high, low: id.low) }
    package static func id<Kind>(_ id: ID<Kind>?) -> SQLValue { id.map { .id($0) } ?? .null }
    package static func time(_ time: Timestamp) -> SQLValue { .int(time.milliseconds) }
    package static func time(_ time: Timestamp?) -> SQLValue { time.map { .int($0.milliseconds) } ?? .null }
    package static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }
    package static func int(_ value: Int64?) -> SQLValue { value.map { .int($0) } ?? .null }
    package static func int(_ value: Int) -> SQLValue { .int(Int64(value)) }
    package static func bytes(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .bytes($0) } ?? .null }
    package static func flag(_ flag: Bool) -> SQLValue { .int(flag ? 1 : 0) }
}

/// The kind of a column of a `RowBatch`, which PostgreSQL has to be told for its arrays.
package enum ColumnKind: Hashable, Sendable {
    case int
    case text
    case bytes
    case uuid
}

/// Many rows of values that a statement takes in place of its `{rows}` token, as a table called by the caller's alias.
///
/// One statement then serves a whole batch: PostgreSQL gets it as its `BatchForm` says, SQLite as a `VALUES` list. The
/// first column must not be null in any row.
package struct RowBatch: Sendable {
    package struct Column: Hashable, Sendable {
        package let name: StaticString
        package let kind: ColumnKind

        package static func == (a: Column, b: Column) -> Bool {
            a.kind == b.kind && a.name.description == b.name.description
        }
        package func hash(into hasher: inout Hasher) { hasher.combine(kind) }
    }

    package let columns: [Column]
    /// Row after row, each as long as `columns`.
    package private(set) var values: [SQLValue] = []

    package init(_ columns: KeyValuePairs<StaticString, ColumnKind>) {
        self.columns = columns.map { Column(name: $0.key, kind: $0.value) }
    }

    /// One column, `wanted`, of identifiers: what a statement looks up.
    package init<Kind>(wanted ids: some Sequence<ID<Kind>>) {
        self.init(["wanted": .uuid])
        values = ids.map { .id($0) }
    }

    package var count: Int { values.count / columns.count }
    package var isEmpty: Bool { values.isEmpty }

    package mutating func reserve(_ rows: Int) { values.reserveCapacity(rows * columns.count) }

    /// Adds a row, its values in the order of the columns.
    package mutating func append(_ row: SQLValue...) {
        precondition(row.count == columns.count, "a row has as many values as the batch has columns")
        values.append(contentsOf: row)
    }

    /// The batch as pieces of at most that many rows, for engines that bound the size of one statement.
    package func chunks(of rows: Int) -> [ArraySlice<SQLValue>] {
        stride(from: 0, to: values.count, by: rows * columns.count).map {
            values[$0..<min(values.count, $0 + rows * columns.count)]
        }
    }
}

/// One row of an answer, valid only inside the closure that it is handed to. Columns count from zero.
package protocol Row {
    func isNull(_ column: Int) -> Bool
    func int(_ column: Int) -> Int64
    func text(_ column: Int) -> String
    func bytes(_ column: Int) -> [UInt8]
    func uuid(_ column: Int) -> (high: UInt64, low: UInt64)
}

extension Row {
    /// An identifier that is not null.
    package func id<Kind>(_ column: Int, of _: Kind.Type = Kind.self) -> ID<Kind> {
        let bits = uuid(column)
        return ID(high: bits.high, low: bits.low)
    }

    /// An identifier, or nil where the column is null.
    package func idOrNil<Kind>(_ column: Int, of _: Kind.Type = Kind.self) -> ID<Kind>? {
        isNull(column) ? nil : id(column)
    }

    package func time(_ column: Int) -> Timestamp { Timestamp(milliseconds: int(column)) }
    package func timeOrNil(_ column: Int) -> Timestamp? { isNull(column) ? nil : time(column) }
    package func textOrNil(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    package func intOrNil(_ column: Int) -> Int64? { isNull(column) ? nil : int(column) }
    package func bytesOrNil(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }
    package func flag(_ column: Int) -> Bool { int(column) != 0 }
}
