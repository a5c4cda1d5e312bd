/// What a storage engine can answer besides the result; `code` says what follows from it.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// Lost against another transaction; running the same transaction again may succeed.
        case conflict
        /// A rule of the schema refuses the row; `name` is the constraint or the columns that the engine names.
        case constraint(name: String)
        /// The store cannot commit now (disk full, server gone, shutting down). Nothing was written, with one
        /// exception: a server that goes away between COMMIT and its answer leaves the outcome unknown, so whatever is
        /// done again after this error has to bear having been done.
        case unavailable
        /// What is on disk is not what was written there. Only a human can help.
        case corrupt
        /// The statement itself is wrong: a defect of ours.
        case misuse
    }

    package let code: Code
    /// The engine's own words, for the log; answers never show them.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code): \(detail)" }
}
