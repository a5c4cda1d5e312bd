import Storage
import Synchronization

/// A database that notes each different statement that is run through it, with the values of its first run, so that
/// its plan can be asked for afterwards.
package final class StatementRecorder: Database {
    package struct Recorded: Sendable {
        package let statement: Statement
        package let arguments: [SQLValue]
        package let rows: RowBatch?
    }

    private let database: any Database
    private let statements = Mutex<[String: Recorded]>([:])

    package init(_ database: any Database) { self.database = database }

    /// Everything that was run, each text once.
    package var recorded: [Recorded] {
        statements.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
    }

    package var dialect: Dialect { database.dialect }
    package var statementCount: Int { database.statementCount }
    package func report() async throws -> EngineReport { try await database.report() }

    /// Leaves the database open: whoever lends it closes it, after the plans were read.
    package func shutdown() async {}

    package func enqueue(_ work: Work) {
        let body = work.body
        database.enqueue(
            Work(
                lane: work.lane, isWrite: work.isWrite,
                body: { try body(RecordingTransaction(inner: $0, recorder: self)) }, completion: work.completion))
    }

    fileprivate func note(_ statement: Statement, _ arguments: [SQLValue], _ rows: RowBatch?) {
        statements.withLock { statements in
            if statements[statement.text] == nil {
                statements[statement.text] = Recorded(statement: statement, arguments: arguments, rows: rows)
            }
        }
    }
}

private final class RecordingTransaction: Transaction {
    private let inner: any Transaction
    private let recorder: StatementRecorder

    init(inner: any Transaction, recorder: StatementRecorder) {
        self.inner = inner
        self.recorder = recorder
    }

    var dialect: Dialect { inner.dialect }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        recorder.note(statement, arguments, rows)
        return try inner.run(statement, arguments, rows: rows, each: each)
    }
}
