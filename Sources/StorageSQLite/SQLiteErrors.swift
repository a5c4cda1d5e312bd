import GRDBSQLite
import Storage

extension StorageError {
    /// Sorts an SQLite result code (https://www.sqlite.org/rescode.html) by what the caller can do about it.
    init(sqlite code: Int32, _ words: String) {
        let detail = "SQLite \(code): \(words)"
        switch code & 0xFF {
        case SQLITE_CONSTRAINT where code >> 8 == StorageError.datatypeRule:
            // A value of the wrong kind for a STRICT table: PostgreSQL refuses it as a wrong statement, so do we.
            self.init(.misuse, detail)
        case SQLITE_CONSTRAINT:
            self.init(.constraint(name: StorageError.constraintName(words)), detail)
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(.conflict, detail)
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_NOMEM, SQLITE_PERM, SQLITE_INTERRUPT:
            self.init(.unavailable, detail)
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            self.init(.corrupt, detail)
        default:
            self.init(.misuse, detail)
        }
    }

    /// What the connection says about the call that has just failed.
    static func last(of connection: OpaquePointer) -> StorageError {
        StorageError(sqlite: sqlite3_extended_errcode(connection), String(cString: sqlite3_errmsg(connection)))
    }

    /// The second byte of SQLITE_CONSTRAINT_DATATYPE, whose macro Swift can not import.
    private static let datatypeRule: Int32 = 12

    /// The part that tells which rule: `inbox_key.key` of "UNIQUE constraint failed: inbox_key.key".
    private static func constraintName(_ words: String) -> String {
        if let colon = words.firstIndex(of: ":") {
            return String(words[words.index(after: colon)...].drop { $0 == " " })
        }
        let end = " constraint failed"
        return words.hasSuffix(end) ? String(words.dropLast(end.count)) : words
    }
}
