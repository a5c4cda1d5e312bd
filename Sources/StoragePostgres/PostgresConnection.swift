import CPostgres
import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One session with the server, used by one thread, always in libpq's pipeline mode.
///
/// Statements are put into the pipeline by `send` and leave with the next `answer` or `leave`, so that a transaction's
/// BEGIN travels with its first statement, and nobody waits for the COMMIT of a transaction that only read.
final class PostgresConnection {
    /// Transaction control, prepared once a session under its own text's name.
    enum Control: String, CaseIterable {
        case beginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        case beginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case commit = "COMMIT"
        case rollback = "ROLLBACK"
    }

    private enum Sent {
        case plain
        case prepare(PreparedStatements.Entry)
        /// Its answer is kept for whoever waits for it.
        case asked(PostgresQuestion)
    }

    private let handle: OpaquePointer
    private var statements = PreparedStatements()
    private var parameters = PostgresParameters()
    /// What stands in the pipeline since the last synchronisation point, in order.
    private var sent: [Sent] = []
    /// Synchronisation points whose answers nobody waits for; they come before the next answer.
    private var owed = 0
    /// Set once the session cannot be used again.
    private(set) var isLost = false

    init(url: String, session: PostgresSession) throws(PostgresFailure) {
        handle = try session.open(url)
        if PQenterPipelineMode(handle) != 1 { throw lost() }
        for control in Control.allCases {
            try check(PQsendPrepare(handle, "\(control)", control.rawValue, 0, nil))
            sent.append(.plain)
        }
        _ = try answer(isWrite: true)
    }

    deinit { PQfinish(handle) }

    /// Looks, without waiting, whether the server has hung up since the last use.
    func isAlive() -> Bool {
        if isLost || PQstatus(handle) != CONNECTION_OK { return false }
        // A server that ends sends its reason first and then hangs up: two readings. The bound is only for safety.
        for _ in 0..<16 {
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 0) == 0 { return true }
            if PQconsumeInput(handle) != 1 || PQstatus(handle) != CONNECTION_OK {
                isLost = true
                return false
            }
            _ = PQisBusy(handle)
        }
        return true
    }

    func send(_ control: Control) throws(PostgresFailure) {
        try check(PQsendQueryPrepared(handle, "\(control)", 0, nil, nil, nil, 1))
        sent.append(.plain)
    }

    /// - Parameter question: takes the answer, whenever it comes.
    func send(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, for question: PostgresQuestion? = nil
    ) throws(PostgresFailure) {
        do {
            try parameters.set(arguments, rows: rows)
        } catch {
            throw PostgresFailure(error.code, error.detail)
        }
        let columns = rows?.columns ?? []
        let entry: PreparedStatements.Entry
        if let found = statements.find(statement.key, types: parameters.types, columns: columns) {
            entry = found
        } else {
            entry = try prepare(statement, columns: columns, rowCount: rows?.count ?? 0)
        }
        try check(
            parameters.withPointers { count, values, lengths, formats in
                PQsendQueryPrepared(handle, entry.name, count, values, lengths, formats, 1)
            })
        sent.append(question.map { .asked($0) } ?? .plain)
    }

    /// Sends the pipeline off and waits; the answer is that of the last statement in it that was no question, the
    /// failure that of the first.
    func answer(isWrite: Bool) throws(PostgresFailure) -> PostgresAnswer {
        guard let last = try collect(isWrite: isWrite) else { throw lost() }
        return last
    }

    /// The same where there may have been nothing but questions. Each question has its answer then.
    @discardableResult
    func collect(isWrite: Bool) throws(PostgresFailure) -> PostgresAnswer? {
        try check(PQpipelineSync(handle))
        defer { sent.removeAll(keepingCapacity: true) }
        while owed > 0 {
            if let result = try nextResult() { PQclear(result) } else { owed -= 1 }
        }
        var last: PostgresAnswer?
        var failure: PostgresFailure?
        var succeeded = 0
        while let result = try nextResult() {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                if case .asked(let question)? = sent.indices.contains(succeeded) ? sent[succeeded] : nil {
                    question.answered(PostgresAnswer(result: result))
                } else {
                    last = PostgresAnswer(result: result)
                }
                succeeded += 1
            default:
                // What follows a failure comes back as "aborted", which says nothing new.
                if failure == nil { failure = PostgresFailure(answer: result, isWrite: isWrite) }
                PQclear(result)
            }
        }
        if let failure {
            forget(after: succeeded, failure)
            throw failure
        }
        return last
    }

    /// Makes the server plan each statement anew at its next use. A prepared statement's plan is made for the tables as
    /// they were then, and is kept until something analyses them.
    func forgetPlans() throws(PostgresFailure) {
        try check(PQsendQueryParams(handle, "DISCARD PLANS", 0, nil, nil, nil, nil, 1))
        sent.append(.plain)
        try leave()
    }

    /// Sends the pipeline off without waiting for its answers.
    func leave() throws(PostgresFailure) {
        try check(PQpipelineSync(handle))
        sent.removeAll(keepingCapacity: true)
        owed += 1
    }

    private func prepare(
        _ statement: Statement, columns: [RowBatch.Column], rowCount: Int
    ) throws(PostgresFailure) -> PreparedStatements.Entry {
        let text = Dialect.postgres.text(of: statement, batch: columns, rowCount: rowCount)
        if Dialect.highestArgument(in: text) < parameters.types.count {
            // The server would let arguments pass that stand nowhere in the statement.
            throw PostgresFailure(.misuse, "\(parameters.types.count) arguments are too many for: \(text)")
        }
        let entry = statements.add(statement.key, types: parameters.types, columns: columns)
        if let surplus = statements.removeSurplus() {
            try check(PQsendQueryParams(handle, "DEALLOCATE \(surplus.name)", 0, nil, nil, nil, nil, 1))
            sent.append(.plain)
        }
        try check(PQsendPrepare(handle, entry.name, text, Int32(entry.types.count), entry.types))
        sent.append(.prepare(entry))
        return entry
    }

    /// Statements whose preparation did not come to pass must be prepared again next time.
    private func forget(after succeeded: Int, _ failure: PostgresFailure) {
        for case .prepare(let entry) in sent.dropFirst(succeeded) { statements.remove(entry) }
        if failure.remedy == .prepareAgain {
            // The names count on, so what the server still holds under the old ones is in nobody's way.
            statements.removeAll()
        }
    }

    /// The next result, or nil at a synchronisation point.
    private func nextResult() throws(PostgresFailure) -> OpaquePointer? {
        // Behind the result of each statement libpq gives one null.
        for _ in 0..<2 {
            if let result = PQgetResult(handle) {
                if PQresultStatus(result) == PGRES_PIPELINE_SYNC {
                    PQclear(result)
                    return nil
                }
                if PQstatus(handle) != CONNECTION_OK {
                    PQclear(result)
                    throw lost()
                }
                return result
            }
        }
        throw lost()
    }

    private func check(_ accepted: Int32) throws(PostgresFailure) {
        if accepted != 1 { throw lost() }
    }

    /// After a failure inside libpq nobody knows what stands in the pipeline: the session is given up in any case.
    private func lost() -> PostgresFailure {
        isLost = true
        return PostgresFailure(.unavailable, PostgresSession.words(of: handle))
    }
}

/// A statement whose answer is kept until somebody takes it.
final class PostgresQuestion {
    private var answer: PostgresAnswer?
    private(set) var isAnswered = false

    func answered(_ answer: consuming PostgresAnswer) {
        self.answer = consume answer
        isAnswered = true
    }

    /// Nil before it has come and once it was taken.
    func take() -> PostgresAnswer? { answer.take() }
}

/// What the server answered to one statement; freed with the value.
struct PostgresAnswer: ~Copyable {
    let result: OpaquePointer

    deinit { PQclear(result) }

    var rowCount: Int32 { PQntuples(result) }

    /// Rows answered, or else changed; 0 for statements that do neither.
    var count: Int {
        if PQresultStatus(result) == PGRES_TUPLES_OK { return Int(rowCount) }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }

    /// The server answers the COMMIT of a failed transaction with success and the word ROLLBACK.
    var isCommit: Bool { String(cString: PQcmdStatus(result)) == "COMMIT" }
}
