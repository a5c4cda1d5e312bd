import Kernel
import Storage
import Testing

@testable import Webhooks

/// A defect that is put into the engine's statements, to show that the judge finds it.
struct Sabotage: Sendable, CustomTestStringConvertible {
    let name: String
    /// Which statements: those that begin so.
    let statement: String
    /// What of their text is replaced by what; an empty text drops the statement every third time.
    let words: String
    let others: String

    var testDescription: String { name }

    static let all = [
        Sabotage(
            name: "an attempt is not written now and then", statement: "INSERT INTO attempt", words: "", others: ""),
        Sabotage(
            name: "a delivery is not written now and then", statement: "INSERT INTO delivery", words: "", others: ""),
        Sabotage(
            name: "retries come a minute early", statement: "SELECT delivery.id", words: "next_at <= now_ms()",
            others: "next_at <= now_ms() + 60000"),
        Sabotage(
            name: "claimed deliveries stay due", statement: "UPDATE delivery SET claim = $1",
            words: "next_at = now_ms() + $2", others: "next_at = now_ms() + 0 * $2"),
        Sabotage(
            name: "nobody looks for earlier ones of an entity", statement: "SELECT delivery.id",
            words: "p.id < delivery.id", others: "p.id < delivery.id AND 1 = 0"),
        Sabotage(
            name: "410 disables nobody", statement: "UPDATE subscription SET status", words: "WHERE id = $1",
            others: "WHERE id = $1 AND $3 = 'active'"),
        Sabotage(
            name: "tries of an open breaker take no turns", statement: "UPDATE breaker SET next_at",
            words: "next_at = now_ms() + $2", others: "next_at = now_ms() + 0 * $2"),
        Sabotage(
            name: "what comes back too often is given up", statement: "UPDATE delivery SET state = r.new_state",
            words: "SET state = r.new_state",
            others:
                "SET state = CASE WHEN r.number > 2 AND r.new_state = 'pending' THEN 'pending' ELSE r.new_state END,"
                + " held = CASE WHEN r.number > 2 AND r.new_state = 'pending' THEN 2 ELSE held END"),
    ]
}

/// Notes what a transaction does that the world has to know of once it is committed, and spoils what it is told to.
final class WatchedTransaction: Transaction {
    struct Notes {
        var leases = false
        var records = false
        var deliveries = false
        var breakers: [(subscription: SQLValue, isOpen: Bool)] = []
        var statuses: [(subscription: SQLValue, isActive: Bool)] = []
    }

    private let inner: any Transaction
    private let sabotage: Sabotage?
    private let draw: UInt64
    private(set) var notes = Notes()

    init(_ inner: any Transaction, sabotage: Sabotage?, draw: UInt64) {
        self.inner = inner
        self.sabotage = sabotage
        self.draw = draw
    }

    var dialect: Dialect { inner.dialect }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        let text = statement.text
        note(text, arguments)
        if let sabotage, text.hasPrefix(sabotage.statement), text.contains(sabotage.words) || sabotage.words.isEmpty {
            if sabotage.words.isEmpty {
                if draw % 3 == 0 { return 0 }
            } else {
                let spoilt = text.split(separator: sabotage.words, omittingEmptySubsequences: false)
                    .joined(separator: sabotage.others)
                return try inner.run(Statement(composed: spoilt), arguments, rows: rows, each: each)
            }
        }
        return try inner.run(statement, arguments, rows: rows, each: each)
    }

    private func note(_ text: String, _ arguments: [SQLValue]) {
        if text.hasPrefix("UPDATE delivery SET claim = $1") || text.hasPrefix("WITH oldest") { notes.leases = true }
        if text.hasPrefix("INSERT INTO attempt") { notes.records = true }
        if text.hasPrefix("INSERT INTO delivery") { notes.deliveries = true }
        if text.hasPrefix("INSERT INTO breaker") { notes.breakers.append((arguments[0], true)) }
        if text.hasPrefix("DELETE FROM breaker") { notes.breakers.append((arguments[0], false)) }
        if text.hasPrefix("UPDATE subscription SET status") {
            notes.statuses.append((arguments[0], arguments[2] == .text("active")))
        }
    }
}
