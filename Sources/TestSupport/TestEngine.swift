import Kernel
import Storage
import StoragePostgres
import StorageSQLite

/// The engines that every test of a store runs on. Neither is ever left out: without PostgreSQL its cases fail.
package enum TestEngine: String, CaseIterable, Sendable, CustomStringConvertible {
    case sqlite
    case postgres

    package var description: String { rawValue }
}

/// An empty place for data on one engine, which can be opened more than once.
package struct TestStore: Sendable {
    package let engine: TestEngine
    /// A file's path, or connection words of libpq.
    package let location: String
    private let time: ManualTime?

    fileprivate init(_ engine: TestEngine, location: String, time: ManualTime?) {
        self.engine = engine
        self.location = location
        self.time = time
    }

    /// Opens it as another server would; the caller shuts it down. SQLite lets only one be open at a time.
    package func open() throws -> any Database {
        switch engine {
        case .sqlite:
            return try SQLiteDatabase(path: location, time: time?.source ?? .system)
        case .postgres:
            return try PostgresDatabase(
                url: location, connections: .init(intake: 1, interactive: 2, background: 1),
                nowExpression: time == nil ? nil : "(SELECT milliseconds FROM test_clock)")
        }
    }

    /// PostgreSQL's `now_ms()` reads a row that follows the clock while the body runs.
    fileprivate func withClock<T>(_ body: (TestStore) async throws -> T) async throws -> T {
        guard let time, engine == .postgres else { return try await body(self) }
        let location = location
        try PostgresDatabase.runAlone("CREATE TABLE test_clock (milliseconds bigint NOT NULL)", at: location)
        try PostgresDatabase.runAlone("INSERT INTO test_clock VALUES (0)", at: location)
        let number = time.follow { now in
            do {
                let milliseconds = now.milliseconds
                try PostgresDatabase.runAlone("UPDATE test_clock SET milliseconds = \(milliseconds)", at: location)
            } catch {
                preconditionFailure("PostgreSQL's clock could not follow the test's: \(error)")
            }
        }
        defer { time.unfollow(number) }
        return try await body(self)
    }
}

/// Tests that use PostgreSQL at once: each may take five connections of a server that gives some sixty.
private let postgresSlots = TestSlots(8)
/// Tests that use SQLite at once: each starts three threads and flushes a disk that all share.
private let sqliteSlots = TestSlots(16)

/// Lends an empty place for data on `engine`, and removes it afterwards. Not to be nested: places are limited.
///
/// - Parameters:
///   - time: what `now_ms()` answers; the real clock without it.
///   - language: by whose rules PostgreSQL sorts; by bytes without it.
package func withStore<T>(
    _ engine: TestEngine, time: ManualTime? = nil, language: String? = nil, _ body: (TestStore) async throws -> T
) async throws -> T {
    switch engine {
    case .sqlite:
        return try await sqliteSlots.withSlot {
            try await withTemporaryFolder { folder in
                try await body(TestStore(.sqlite, location: folder + "/tradewind.db", time: time))
            }
        }
    case .postgres:
        return try await postgresSlots.withSlot {
            try await withFreshPostgresDatabase(serverURL: PostgresServer.sharedURL(), language: language) { url in
                try await TestStore(.postgres, location: url, time: time).withClock(body)
            }
        }
    }
}

/// Lends a database of its own to a test, with the whole schema unless `migrations` says otherwise.
///
/// It is shut down and deleted afterwards, also when the body fails.
package func withDatabase<T>(
    _ engine: TestEngine, time: ManualTime? = nil, language: String? = nil, migrations: [Migration] = Migration.all,
    _ body: (any Database) async throws -> T
) async throws -> T {
    try await withStore(engine, time: time, language: language) { store in
        let database = try store.open()
        let result: T
        do {
            if !migrations.isEmpty { _ = try await database.migrate(migrations, time: time?.source ?? .system) }
            result = try await body(database)
        } catch {
            await database.shutdown()
            throw error
        }
        await database.shutdown()
        return result
    }
}
