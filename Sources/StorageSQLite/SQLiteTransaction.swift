import Storage

/// The open transaction that a body works in.
///
/// A statement that failed spoils the transaction even when the body catches the error, as it does in PostgreSQL:
/// otherwise a body could succeed on one engine only.
final class SQLiteTransaction: Transaction {
    private let connection: SQLiteConnection
    private var failure: (any Error)?
    private var isOpen = true

    var dialect: Dialect { .sqlite }

    init(_ connection: SQLiteConnection) {
        self.connection = connection
    }

    @discardableResult
    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        guard isOpen else { throw StorageError(.misuse, "a transaction was used after its end") }
        if let failure { throw failure }
        do {
            return try connection.run(statement, arguments, rows: rows, each: each)
        } catch let error as StorageError {
            failure = error
            throw error
        }
    }

    /// Runs a body in this transaction and closes it to later use.
    func perform(_ body: (any Transaction) throws -> Void) throws {
        defer { isOpen = false }
        try body(self)
        if let failure { throw failure }
    }
}
