import GRDBSQLite
import Kernel
import Storage
import Synchronization

/// The embedded engine in memory and without threads: work has run and is answered when `enqueue` returns.
///
/// For simulations, which run thousands of transactions after each other and would wait for a thread at each. Nothing
/// that it holds outlives the process.
package final class SQLiteSteppedDatabase: Database, @unchecked Sendable {
    /// Used by one caller at a time, under `turn`.
    private let connection: SQLiteConnection
    private let turn = Mutex(())
    private let figures = SQLiteFigures()

    package var dialect: Dialect { .sqlite }
    package var statementCount: Int { figures.statements.load(ordering: .relaxed) }

    /// - Parameter time: what `now_ms()` answers.
    package init(time: TimeSource) throws {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(":memory:", &opened, flags, nil)
        guard code == SQLITE_OK, let pointer = opened else {
            throw StorageError(sqlite: code, "no store in memory could be opened")
        }
        connection = SQLiteConnection(handle: pointer, isReader: false, figures: figures)
        try SQLiteHandle.addClock(time, to: pointer)
        try connection.control("PRAGMA foreign_keys = ON")
    }

    deinit {
        connection.finalizeStatements()
        sqlite3_close_v2(connection.handle)
    }

    /// Each piece of work is a savepoint: alone it is a transaction, behind `mark` it is a part of one.
    package func enqueue(_ work: Work) {
        let error = turn.withLock { _ in run(work) }
        work.completion(error)
    }

    private func run(_ work: Work) -> (any Error)? {
        do {
            try connection.control("SAVEPOINT work")
            do {
                try SQLiteTransaction(connection).perform(work.body)
            } catch {
                try connection.control("ROLLBACK TO work")
                try connection.control("RELEASE work")
                throw error
            }
            try connection.control("RELEASE work")
            return nil
        } catch {
            return error
        }
    }

    // MARK: Again from the start

    /// Remembers what there is now.
    package func mark() throws { try turn.withLock { _ in try connection.control("BEGIN IMMEDIATE") } }

    /// Undoes all that came after `mark`. Schema and prepared statements stay, which is what makes this cheap.
    package func undo() throws { try turn.withLock { _ in try connection.control("ROLLBACK") } }

    package func report() async throws -> EngineReport {
        EngineReport(engine: "sqlite", version: String(cString: sqlite3_libversion()), settings: [], warnings: [])
    }

    package func shutdown() async {
        turn.withLock { _ in connection.finalizeStatements() }
    }
}
