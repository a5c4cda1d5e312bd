import GRDBSQLite
import Storage
import Synchronization

/// What the threads of one database count for its report.
final class SQLiteFigures: Sendable {
    /// Statements run by all connections.
    let statements = Atomic<Int>(0)
    /// Pages that the write-ahead log holds.
    let loggedPages = Atomic<Int>(0)
}

/// One open connection on the one thread that owns it: prepares, binds and steps through SQLite's C functions.
final class SQLiteConnection {
    /// Rows of one `VALUES` list; longer batches run the statement once a piece.
    static let rowsOfOneStatement = 256

    let handle: OpaquePointer
    let figures: SQLiteFigures
    /// What a row's accessor found wrong; read after each row.
    var rowFault: String?

    private let isReader: Bool
    private let variableLimit: Int
    private var cache = SQLiteStatementCache()
    private var arenas = [SQLiteArena()]
    /// Statements that are being stepped now: a row's closure may run another.
    private var depth = 0

    init(handle: OpaquePointer, isReader: Bool, figures: SQLiteFigures) {
        self.handle = handle
        self.isReader = isReader
        self.figures = figures
        variableLimit = Int(sqlite3_limit(handle, SQLITE_LIMIT_VARIABLE_NUMBER, -1))
    }

    /// Whether SQLite has ended the transaction, which it also does by itself when the disk fails.
    var isOutsideTransaction: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Gives back the statements; SQLite refuses to close a connection that still has some.
    func finalizeStatements() {
        cache.removeAll()
    }

    /// Runs one of the engine's own texts, such as `COMMIT`, which are not counted.
    func control(_ text: Statement) throws(StorageError) {
        let prepared = try prepare(text, columns: [], capacity: 0, isControl: true)
        let code = sqlite3_step(prepared.handle)
        let error = code == SQLITE_DONE || code == SQLITE_ROW ? nil : StorageError.last(of: handle)
        sqlite3_reset(prepared.handle)
        if let error { throw error }
    }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        guard let rows else {
            let prepared = try prepare(statement, columns: [], capacity: 0)
            return try step(prepared, arguments, [], each)
        }
        if rows.isEmpty { return 0 }
        let most = try rowLimit(arguments: arguments.count, columns: rows.columns.count)
        if rows.count <= most {
            let prepared = try prepare(statement, columns: rows.columns, capacity: roundedUp(rows.count))
            return try step(prepared, arguments, rows.values[...], each)
        }
        var total = 0
        for chunk in rows.chunks(of: most) {
            let count = chunk.count / rows.columns.count
            let prepared = try prepare(statement, columns: rows.columns, capacity: roundedUp(count))
            total += try step(prepared, arguments, chunk, each)
        }
        return total
    }

    // MARK: - Preparing

    /// The greatest power of two of rows whose parameters SQLite still numbers.
    private func rowLimit(arguments: Int, columns: Int) throws(StorageError) -> Int {
        var rows = SQLiteConnection.rowsOfOneStatement
        while rows > 1 && arguments + rows * columns > variableLimit { rows /= 2 }
        if arguments + rows * columns > variableLimit {
            throw StorageError(.misuse, "\(arguments + columns) parameters are too many")
        }
        return rows
    }

    private func roundedUp(_ count: Int) -> Int {
        var capacity = 1
        while capacity < count { capacity *= 2 }
        return capacity
    }

    private func prepare(
        _ statement: Statement, columns: [RowBatch.Column], capacity: Int, isControl: Bool = false
    ) throws(StorageError) -> PreparedStatement {
        if let found = cache.fetch(statement.key, columns, capacity), !found.isBusy { return found }
        let text = Dialect.sqlite.text(of: statement, batch: columns, rowCount: capacity)
        var pointer: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = sqlite3_prepare_v3(handle, text, -1, flags, &pointer, nil)
        guard code == SQLITE_OK else { throw StorageError.last(of: handle) }
        guard let pointer else { throw StorageError(.misuse, "a statement without text") }
        let prepared = PreparedStatement(handle: pointer, columns: columns, capacity: capacity)
        if !isControl { try refuseStray(prepared, text) }
        // A second form of a busy statement serves this one run and is finalized behind it.
        if cache.fetch(statement.key, columns, capacity) == nil { cache.insert(prepared, statement.key) }
        return prepared
    }

    private func refuseStray(_ prepared: PreparedStatement, _ text: String) throws(StorageError) {
        let isReadOnly = sqlite3_stmt_readonly(prepared.handle) != 0
        if isReader && !isReadOnly { throw StorageError(.misuse, "a write in a reading transaction: \(text)") }
        let verb = text.drop { $0.isWhitespace }.prefix { $0.isLetter }.uppercased()
        if ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"].contains(verb) {
            throw StorageError(.misuse, "the engine alone begins and ends transactions: \(text)")
        }
    }

    // MARK: - Stepping

    private func step(
        _ prepared: PreparedStatement, _ arguments: [SQLValue], _ batch: ArraySlice<SQLValue>,
        _ each: (any Row) throws -> Void
    ) throws -> Int {
        let expected = prepared.parameterCount - prepared.capacity * prepared.columns.count
        guard arguments.count == expected else {
            throw StorageError(.misuse, "\(arguments.count) arguments for a statement of \(expected)")
        }
        if depth == arenas.count { arenas.append(SQLiteArena()) }
        let arena = arenas[depth]
        prepared.isBusy = true
        depth += 1
        defer {
            sqlite3_reset(prepared.handle)
            sqlite3_clear_bindings(prepared.handle)
            depth -= 1
            prepared.isBusy = false
        }
        try arena.bind(arguments, batch, to: prepared.handle)
        figures.statements.wrappingAdd(1, ordering: .relaxed)
        return try stepToEnd(prepared.handle, each)
    }

    private func stepToEnd(_ statement: OpaquePointer, _ each: (any Row) throws -> Void) throws -> Int {
        let changesBefore = sqlite3_total_changes64(handle)
        let row = SQLiteRow(statement: statement, connection: self)
        var rowCount = 0
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rowCount += 1
                try each(row)
                if let fault = rowFault {
                    rowFault = nil
                    throw StorageError(.misuse, fault)
                }
            case SQLITE_DONE:
                if sqlite3_column_count(statement) > 0 { return rowCount }
                // The count of the last change stays in place when a statement such as CREATE changes no row.
                return sqlite3_total_changes64(handle) == changesBefore ? 0 : Int(sqlite3_changes64(handle))
            default:
                throw StorageError.last(of: handle)
            }
        }
    }
}
