import Kernel

/// One open transaction. It lives on the engine's own thread and only as long as the closure that it is handed to.
package protocol Transaction: AnyObject {
    var dialect: Dialect { get }

    /// Runs a statement and hands each row of its answer to `each`; returns how many rows were changed or answered.
    @discardableResult
    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int

    /// Runs a statement before all that follow it, and may answer before it has run: a refusal of it is then thrown by
    /// the next statement that is waited for, or by the commit.
    func pipeline(_ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?) throws

    /// Runs a statement before all that follow it, and leaves its answer on the way; nil from engines to which there is
    /// no way that could be spared, and for an empty batch: nothing has run then. A refusal is thrown as one of a
    /// pipelined statement is.
    func ask(_ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?) throws -> (any PendingAnswer)?
}

/// Rows that an engine is about to answer.
package protocol PendingAnswer {
    /// Waits for the rows, if they have not come with another answer meanwhile, and hands each to `each`. Once, and
    /// within the transaction.
    func forEach(_ each: (any Row) throws -> Void) throws
}

/// What a transaction asked for and needs later: questions that don't depend on each other share one way to the
/// store and back.
package struct Asked<T> {
    fileprivate let take: () throws -> [T]

    /// Every row of the answer, in its order. Ask for it once.
    package func answer() throws -> [T] { try take() }

    /// The first row of the answer; nil when there is none. Ask for it once.
    package func first() throws -> T? { try take().first }

    /// The answer's pairs by their keys; of several with one key the first.
    package func byKey<Key: Hashable, Value>() throws -> [Key: Value] where T == (Key, Value) {
        Dictionary(try take(), uniquingKeysWith: { first, _ in first })
    }
}

extension Transaction {
    /// For engines to which there is no way that could be spared.
    package func pipeline(_ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?) throws {
        _ = try run(statement, arguments, rows: rows) { _ in }
    }

    package func ask(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?
    ) throws -> (any PendingAnswer)? { nil }

    /// Runs a statement, over a batch if there is one, before all that follow it; its rows are waited for when they are
    /// needed. An empty batch runs nothing.
    package func ask<T>(
        _ statement: Statement, _ arguments: [SQLValue] = [], rows: RowBatch? = nil,
        _ decode: @escaping (any Row) throws -> T
    ) throws -> Asked<T> {
        if let pending = try ask(statement, arguments, rows: rows) {
            return Asked {
                var results: [T] = []
                try pending.forEach { results.append(try decode($0)) }
                return results
            }
        }
        var results: [T] = []
        _ = try run(statement, arguments, rows: rows) { results.append(try decode($0)) }
        return Asked { results }
    }

    /// Runs a statement for its effect, without waiting for it where the engine can do so.
    package func execute(_ statement: Statement, _ arguments: [SQLValue] = []) throws {
        try pipeline(statement, arguments, rows: nil)
    }

    /// Runs a statement over a batch for its effect, without waiting for it where the engine can do so; an empty batch
    /// runs nothing.
    package func execute(_ statement: Statement, _ arguments: [SQLValue] = [], rows: RowBatch) throws {
        if !rows.isEmpty { try pipeline(statement, arguments, rows: rows) }
    }

    /// Runs a statement and returns how many rows it changed.
    package func executeCounting(_ statement: Statement, _ arguments: [SQLValue] = []) throws -> Int {
        try run(statement, arguments, rows: nil) { _ in }
    }

    /// Runs a statement over a batch and returns how many rows it changed; an empty batch runs nothing.
    package func executeCounting(
        _ statement: Statement, _ arguments: [SQLValue] = [], rows: RowBatch
    ) throws -> Int {
        rows.isEmpty ? 0 : try run(statement, arguments, rows: rows) { _ in }
    }

    /// Decodes every row of the answer, in its order.
    package func all<T>(
        _ statement: Statement, _ arguments: [SQLValue] = [], _ decode: (any Row) throws -> T
    ) throws -> [T] {
        var results: [T] = []
        try run(statement, arguments, rows: nil) { results.append(try decode($0)) }
        return results
    }

    package func all<T>(
        _ statement: Statement, _ arguments: [SQLValue] = [], rows: RowBatch, _ decode: (any Row) throws -> T
    ) throws -> [T] {
        var results: [T] = []
        if rows.isEmpty { return results }
        try run(statement, arguments, rows: rows) { results.append(try decode($0)) }
        return results
    }

    /// Decodes the first row of the answer; nil when there is none.
    package func first<T>(
        _ statement: Statement, _ arguments: [SQLValue] = [], _ decode: (any Row) throws -> T
    ) throws -> T? {
        var result: T?
        try run(statement, arguments, rows: nil) { if result == nil { result = try decode($0) } }
        return result
    }
}

/// Which work an engine takes first when more waits than it can do at once.
package enum Lane: Int, Sendable, CaseIterable, Comparable {
    /// Inbound deliveries, whose senders wait and may not come again.
    case intake
    /// A person or a program waits for the answer.
    case interactive
    /// Nobody waits for an answer, but endpoints for what comes of it: imports of deliveries that were just taken in.
    case prompt
    /// Delivery records, replays, janitors: they have time, and come in batches.
    case background

    /// Whether the first is taken before the second.
    package static func < (first: Lane, second: Lane) -> Bool { first.rawValue < second.rawValue }
}

/// One unit of work for an engine: a transaction's body and what to do once its fate is known.
package struct Work: Sendable {
    package let lane: Lane
    package let isWrite: Bool
    package let body: @Sendable (any Transaction) throws -> Void
    /// Called on the engine's thread after the commit (nil) or the failure. It must not block.
    package let completion: @Sendable ((any Error)?) -> Void

    package init(
        lane: Lane, isWrite: Bool, body: @escaping @Sendable (any Transaction) throws -> Void,
        completion: @escaping @Sendable ((any Error)?) -> Void
    ) {
        self.lane = lane
        self.isWrite = isWrite
        self.body = body
        self.completion = completion
    }
}

/// What `doctor` shows of an engine.
package struct EngineReport: Sendable {
    package let engine: String
    package let version: String
    /// Settings that durability rests on, by name.
    package let settings: [(name: String, value: String)]
    package let warnings: [String]

    package init(engine: String, version: String, settings: [(name: String, value: String)], warnings: [String]) {
        self.engine = engine
        self.version = version
        self.settings = settings
        self.warnings = warnings
    }
}

/// A storage engine. Bodies run on its own threads, each as one transaction, and may run again after a conflict.
package protocol Database: AnyObject, Sendable {
    var dialect: Dialect { get }

    /// Hands over work. Several pieces of writing work may share one commit; each is still all or nothing by itself.
    func enqueue(_ work: Work)

    func report() async throws -> EngineReport

    /// Statements run since the start, for the figures of the benchmark.
    var statementCount: Int { get }

    /// Ends the threads after the work that was handed over before; later work fails as unavailable.
    func shutdown() async
}

extension Database {
    /// Reads from one consistent state.
    package func read<T: Sendable>(
        _ lane: Lane = .interactive, _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await perform(lane, isWrite: false, body)
    }

    /// Writes as one transaction; returning means that it is on disk.
    @discardableResult
    package func write<T: Sendable>(
        _ lane: Lane = .interactive, _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await perform(lane, isWrite: true, body)
    }

    private func perform<T: Sendable>(
        _ lane: Lane, isWrite: Bool, _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let result = ResultBox<T>()
            enqueue(
                Work(
                    lane: lane, isWrite: isWrite, body: { result.value = try body($0) },
                    completion: { error in
                        if let error {
                            continuation.resume(throwing: error)
                        } else if let value = result.value {
                            continuation.resume(returning: value)
                        } else {
                            continuation.resume(throwing: StorageError(.misuse, "committed without running the body"))
                        }
                    }))
        }
    }
}

/// Carries a body's result to its completion. Both run on the engine's thread, one after the other.
private final class ResultBox<T: Sendable>: @unchecked Sendable {
    var value: T?
}
