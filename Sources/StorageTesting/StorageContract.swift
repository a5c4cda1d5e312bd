import Storage
import Testing

/// One sentence of the contract of `Database`, checked against an engine that holds the contract's own tables.
package struct ContractCheck: Sendable, CustomTestStringConvertible {
    package let sentence: String
    package let run: @Sendable (any Database) async throws -> Void

    package var testDescription: String { sentence }

    init(_ sentence: String, _ run: @escaping @Sendable (any Database) async throws -> Void) {
        self.sentence = sentence
        self.run = run
    }
}

/// What every engine owes the rest of the house. A new engine passes when all of these do.
package enum StorageContract {
    package static let checks =
        transactionChecks + errorChecks + batchChecks + questionChecks + valueChecks + readingChecks
        + concurrencyChecks + groupChecks

    /// The tables that the checks use.
    package static let migrations = [
        Migration(
            number: 1, name: "contract",
            text: """
                CREATE TABLE sample (
                    id {uuid} NOT NULL PRIMARY KEY,
                    number {int} CHECK (number <> -1),
                    label TEXT UNIQUE,
                    body {bytes},
                    owner {uuid}
                ) {table};

                CREATE TABLE part (
                    sample_id {uuid} NOT NULL REFERENCES sample (id),
                    position {int} NOT NULL,
                    PRIMARY KEY (sample_id, position)
                ) {clustered};

                CREATE TABLE counted (
                    sequence {identity},
                    label TEXT NOT NULL
                ) {table};

                """)
    ]
}

/// A row's id with a number in its lower half.
func key(_ number: Int) -> SQLValue { .uuid(high: 7, low: UInt64(bitPattern: Int64(number))) }

extension Transaction {
    func insert(_ number: Int, label: String? = nil) throws {
        try execute(
            "INSERT INTO sample (id, number, label) VALUES ($1, $2, $3)", [key(number), .int(number), .text(label)])
    }
}

extension Database {
    /// The `number` column of all rows in order.
    func numbers() async throws -> [Int64] {
        try await read { try $0.all("SELECT number FROM sample ORDER BY number") { $0.int(0) } }
    }

    /// The error that a write ends with; a write that succeeds is recorded as an issue.
    func failure(
        of body: @escaping @Sendable (any Transaction) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
    ) async -> StorageError? {
        do {
            try await write(.interactive, body)
            Issue.record("the write succeeded", sourceLocation: sourceLocation)
            return nil
        } catch let error as StorageError {
            return error
        } catch {
            Issue.record("not a storage error: \(error)", sourceLocation: sourceLocation)
            return nil
        }
    }
}

/// A closure whose only `try` stands inside `#expect` is taken for one that can not throw; this is a plain call.
func expectEqual<T: Equatable>(_ found: T, _ expected: T, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == expected, sourceLocation: sourceLocation)
}

extension StorageError {
    var isConstraint: Bool {
        if case .constraint = code { true } else { false }
    }
}

/// A body's own failure, as services throw them.
struct Refusal: Error, Equatable {
    let reason: String
}
