import CPostgres
import Storage

/// A refusal by the server or the loss of it, with what the engine does about it.
struct PostgresFailure: Error {
    enum Remedy: Equatable {
        /// The caller hears of it.
        case none
        /// The same work runs again from its start.
        case runAgain
        /// The session holds an outdated prepared statement: forget them all, then run again.
        case prepareAgain
    }

    let error: StorageError
    let remedy: Remedy

    init(_ code: StorageError.Code, _ detail: String, remedy: Remedy = .none) {
        error = StorageError(code, detail)
        self.remedy = remedy
    }

    /// - Parameters:
    ///   - state: five characters (Appendix A of the PostgreSQL manual); nil when the answer came from libpq itself.
    ///   - rule: the constraint that the server names, or else the column.
    ///   - isWrite: whether the transaction was opened for writing.
    init(state: String?, rule: String, detail: String, isWrite: Bool) {
        guard let state, state.utf8.count == 5 else {
            self.init(.unavailable, detail)
            return
        }
        let words = "\(state) \(detail)"
        switch (state, state.prefix(2)) {
        case ("40001", _), ("40P01", _):
            self.init(.conflict, words, remedy: .runAgain)
        case ("55P03", _):
            // Running again would wait as long again: the caller decides.
            self.init(.conflict, words)
        case ("0A000", _), ("26000", _):
            // A table changed under a prepared statement, or a pooler in between dropped it.
            self.init(.misuse, words, remedy: .prepareAgain)
        case (_, "23"):
            self.init(.constraint(name: rule), words)
        case ("25006", _):
            // A standby, or a primary that its keepers made read-only because its disk is nearly full.
            self.init(isWrite ? .unavailable : .misuse, words)
        case ("08P01", _):
            // Alone of its class no matter of the connection: too few arguments for a statement.
            self.init(.misuse, words)
        case ("XX001", _), ("XX002", _):
            self.init(.corrupt, words)
        case ("57014", _), ("57P01", _), ("57P02", _), ("57P03", _), ("58030", _), ("25P03", _), ("40003", _),
            (_, "53"), (_, "08"):
            self.init(.unavailable, words)
        default:
            self.init(.misuse, words)
        }
    }

    /// Reads a failed answer of the server.
    init(answer: OpaquePointer, isWrite: Bool) {
        func field(_ code: UnicodeScalar) -> String? {
            PQresultErrorField(answer, Int32(code.value)).map { String(cString: $0) }
        }
        // The codes are the letters of PG_DIAG_* in postgres_ext.h, which Swift does not import.
        let rule = field("n") ?? field("c") ?? field("t") ?? ""
        let message = field("M") ?? String(cString: PQresultErrorMessage(answer))
        let detail = field("D").map { "\(message) (\($0))" } ?? message
        self.init(state: field("C"), rule: rule, detail: detail, isWrite: isWrite)
    }
}
