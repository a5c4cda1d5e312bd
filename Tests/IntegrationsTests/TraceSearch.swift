import Kernel
import Storage
import TestSupport

/// Looks through every table of a store for a text, in whatever case it is written.
struct TraceSearch {
    let database: any Database
    let engine: TestEngine

    /// The tables with a row that has the text in any of its columns, as text or as bytes.
    func holders(of text: String) async throws -> [String] {
        let (engine, wanted) = (engine, text.lowercased())
        return try await database.read { transaction in
            try Self.tables(engine, in: transaction).filter { table in
                let columns = try Self.columns(of: table, engine, in: transaction)
                let condition = columns.map { "\(Self.position(of: $0, engine)) > 0" }.joined(separator: " OR ")
                let statement = Statement(composed: "SELECT count(*) FROM \"\(table)\" WHERE \(condition)")
                return try transaction.first(statement, [.text(wanted)]) { $0.int(0) } != 0
            }
        }
    }

    private static func tables(_ engine: TestEngine, in transaction: any Transaction) throws -> [String] {
        let statement: Statement =
            switch engine {
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            case .postgres:
                """
                SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()
                    AND table_name NOT IN (SELECT relname FROM pg_class WHERE relispartition) ORDER BY 1
                """
            }
        return try transaction.all(statement) { $0.text(0) }
    }

    private struct Column {
        let name: String
        let isBytes: Bool
    }

    private static func columns(
        of table: String, _ engine: TestEngine, in transaction: any Transaction
    ) throws -> [Column] {
        switch engine {
        case .sqlite:
            try transaction.all(Statement(composed: "SELECT name FROM pragma_table_info('\(table)')")) {
                Column(name: $0.text(0), isBytes: false)
            }
        case .postgres:
            try transaction.all(
                """
                SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns
                WHERE table_schema = current_schema() AND table_name = $1
                """, [.text(table)]
            ) { Column(name: $0.text(0), isBytes: $0.text(1) == "bytea") }
        }
    }

    private static func position(of column: Column, _ engine: TestEngine) -> String {
        switch engine {
        case .sqlite: "instr(lower(CAST(\"\(column.name)\" AS TEXT)), $1)"
        case .postgres where column.isBytes: "position($1 IN lower(encode(\"\(column.name)\", 'escape')))"
        case .postgres: "position($1 IN lower(CAST(\"\(column.name)\" AS TEXT)))"
        }
    }
}
