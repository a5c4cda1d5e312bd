import Storage
import Synchronization

/// One run of a work's body. BEGIN waits for the first statement, so a body without statements costs nothing.
final class PostgresTransaction: Transaction {
    let dialect = Dialect.postgres

    private let connection: PostgresConnection
    private let isWrite: Bool
    private let counter: PostgresCounter
    private var isOpen = false
    private var isEnded = false
    /// Whether statements were sent since the last answer.
    private var isAhead = false
    /// The first refusal. The server takes nothing more after it, so neither does this, whatever the body makes of it.
    private var failure: PostgresFailure?

    private init(connection: PostgresConnection, isWrite: Bool, counter: PostgresCounter) {
        self.connection = connection
        self.isWrite = isWrite
        self.counter = counter
    }

    /// Runs the body between BEGIN and COMMIT.
    ///
    /// When the connection is lost after COMMIT was sent, nobody knows whether it took effect; that too is
    /// `unavailable`, and callers make their writes so that doing them once more does no harm.
    static func perform(_ work: Work, on connection: PostgresConnection, counter: PostgresCounter) throws {
        let transaction = PostgresTransaction(connection: connection, isWrite: work.isWrite, counter: counter)
        defer { transaction.isEnded = true }
        do {
            try work.body(transaction)
        } catch {
            transaction.rollBack()
            throw transaction.failure ?? error
        }
        if let failure = transaction.failure {
            transaction.rollBack()
            throw failure
        }
        do throws(PostgresFailure) {
            try transaction.commit()
        } catch {
            // One of the statements that nobody waited for may have failed: the server skipped the COMMIT then.
            transaction.rollBack()
            throw error
        }
    }

    /// Runs the engine's own work, whose end its caller sees.
    static func write(
        on connection: PostgresConnection, counter: PostgresCounter,
        _ body: @escaping @Sendable (any Transaction) throws -> Void
    ) throws {
        let work = Work(lane: .background, isWrite: true, body: body, completion: { _ in })
        try perform(work, on: connection, counter: counter)
    }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        try requireUsable()
        if let rows, rows.isEmpty { return 0 }
        counter.statements.add(1, ordering: .relaxed)
        let answer: PostgresAnswer
        do {
            try send(statement, arguments, rows: rows)
            isAhead = false
            answer = try connection.answer(isWrite: isWrite)
        } catch {
            failure = error
            throw error.error
        }
        try hand(answer, to: each)
        return answer.count
    }

    private func hand(_ answer: borrowing PostgresAnswer, to each: (any Row) throws -> Void) throws {
        let rowCount = answer.rowCount
        if rowCount == 0 { return }
        let row = PostgresRow(answer.result)
        for index in 0..<rowCount {
            row.index = index
            try each(row)
            if let fault = row.fault {
                failure = PostgresFailure(fault.code, fault.detail)
                throw fault
            }
        }
    }

    func ask(_ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?) throws -> (any PendingAnswer)? {
        if let rows, rows.isEmpty { return nil }
        let question = PostgresQuestion()
        try sendAhead(statement, arguments, rows: rows, for: question)
        return Pending(question: question, transaction: self)
    }

    /// An answer that comes with whichever is waited for next.
    private struct Pending: PendingAnswer {
        let question: PostgresQuestion
        let transaction: PostgresTransaction

        func forEach(_ each: (any Row) throws -> Void) throws {
            try transaction.requireUsable()
            if !question.isAnswered { try transaction.collect() }
            guard let answer = question.take() else {
                throw StorageError(.misuse, "the rows of one question were asked for twice")
            }
            try transaction.hand(answer, to: each)
        }
    }

    /// Waits for all that was sent.
    private func collect() throws {
        isAhead = false
        do { try connection.collect(isWrite: isWrite) } catch {
            failure = error
            throw error.error
        }
    }

    /// Spares the way to the server and back: the answer comes with that of a later statement, or of the COMMIT. What
    /// only reads has no COMMIT that anybody waits for, and so waits here.
    func pipeline(_ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?) throws {
        guard isWrite else {
            _ = try run(statement, arguments, rows: rows) { _ in }
            return
        }
        try sendAhead(statement, arguments, rows: rows)
    }

    private func sendAhead(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, for question: PostgresQuestion? = nil
    ) throws {
        try requireUsable()
        if let rows, rows.isEmpty { return }
        counter.statements.add(1, ordering: .relaxed)
        do {
            try send(statement, arguments, rows: rows, for: question)
            isAhead = true
        } catch {
            failure = error
            throw error.error
        }
    }

    private func requireUsable() throws(StorageError) {
        if isEnded { throw StorageError(.misuse, "a transaction was used after its end") }
        if let failure { throw failure.error }
    }

    private func send(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, for question: PostgresQuestion? = nil
    ) throws(PostgresFailure) {
        if !isOpen {
            try connection.send(isWrite ? .beginWrite : .beginRead)
            isOpen = true
        }
        try connection.send(statement, arguments, rows: rows, for: question)
    }

    private func commit() throws(PostgresFailure) {
        if !isOpen { return }
        try connection.send(.commit)
        isAhead = false
        if !isWrite {
            // Nothing can depend on how a transaction that only read ends.
            try connection.leave()
            return
        }
        let answer = try connection.answer(isWrite: true)
        if !answer.isCommit { throw PostgresFailure(.misuse, "the server rolled back instead of committing") }
    }

    private func rollBack() {
        if !isOpen || connection.isLost { return }
        do throws(PostgresFailure) {
            // After a failure the server skips all up to the next synchronisation point: the ROLLBACK has to stand
            // behind one.
            if isAhead { try connection.leave() }
            try connection.send(.rollback)
            try connection.leave()
        } catch {
            // The server rolls back by itself when the session is gone; the first failure is what the caller hears.
            if failure == nil { failure = error }
        }
    }
}

/// Figures that the threads of one database count together.
final class PostgresCounter: Sendable {
    let statements = Atomic<Int>(0)
}
