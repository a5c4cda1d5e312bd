import Storage
import StoragePostgres
import Synchronization
import Testing
import TestSupport

/// A new database with a table, and an engine on it that is shut down afterwards.
func withPostgres<T>(
    connections: PostgresDatabase.ConnectionCounts = .init(),
    _ body: (_ database: PostgresDatabase, _ url: String) async throws -> T
) async throws -> T {
    try await withFreshPostgresDatabase(serverURL: PostgresServer.sharedURL()) { url in
        let database = try PostgresDatabase(url: url, connections: connections)
        let result: T
        do {
            try await database.change(
                .background,
                """
                CREATE TABLE item (
                    number BIGINT NOT NULL PRIMARY KEY, label TEXT, body BYTEA, reference UUID,
                    CONSTRAINT item_label CHECK (label <> 'forbidden')
                )
                """)
            result = try await body(database, url)
        } catch {
            await database.shutdown()
            throw error
        }
        await database.shutdown()
        return result
    }
}

/// The code of the storage error that the body ends with; nil when it succeeds.
func storageCode(_ body: () async throws -> Void) async throws -> StorageError.Code? {
    do {
        try await body()
        return nil
    } catch let error as StorageError {
        return error.code
    }
}

/// Counts in bodies that run on the engine's threads.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .sequentiallyConsistent) }

    /// Answers the count after this one.
    @discardableResult
    func add() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}

extension PostgresDatabase {
    /// One statement as a transaction of its own.
    func change(_ lane: Lane, _ statement: Statement, _ arguments: [SQLValue] = []) async throws {
        try await write(lane) { try $0.execute(statement, arguments) }
    }
}
