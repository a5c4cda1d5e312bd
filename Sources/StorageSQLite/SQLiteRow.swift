import GRDBSQLite
import Storage

/// The row that a statement stands on.
///
/// A column of another kind than asked for is a defect of the statement. Reading one can not throw, so it leaves a
/// fault that fails the statement once the row's closure returns.
struct SQLiteRow: Row {
    let statement: OpaquePointer
    unowned(unsafe) let connection: SQLiteConnection

    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
    }

    func int(_ column: Int) -> Int64 {
        guard expect(SQLITE_INTEGER, column) else { return 0 }
        return sqlite3_column_int64(statement, Int32(column))
    }

    func text(_ column: Int) -> String {
        guard expect(SQLITE_TEXT, column), let start = sqlite3_column_text(statement, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int) -> [UInt8] {
        guard expect(SQLITE_BLOB, column) else { return [] }
        // SQLite answers an empty blob with a null pointer.
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        let count = Int(sqlite3_column_bytes(statement, Int32(column)))
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    func uuid(_ column: Int) -> (high: UInt64, low: UInt64) {
        guard expect(SQLITE_BLOB, column) else { return (0, 0) }
        guard let start = sqlite3_column_blob(statement, Int32(column)),
            sqlite3_column_bytes(statement, Int32(column)) == 16
        else {
            connection.rowFault = "column \(column) is not 16 bytes"
            return (0, 0)
        }
        return (
            UInt64(bigEndian: start.loadUnaligned(as: UInt64.self)),
            UInt64(bigEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    @inline(__always)
    private func expect(_ kind: Int32, _ column: Int) -> Bool {
        let found = sqlite3_column_type(statement, Int32(column))
        if found == kind { return true }
        connection.rowFault = "column \(column) has SQLite type \(found), not \(kind)"
        return false
    }
}
