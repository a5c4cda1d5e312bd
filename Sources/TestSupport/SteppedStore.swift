import Kernel
import Storage
import StorageSQLite
import Synchronization

/// A store in memory with the whole schema, which runs its work where it is handed over, and a clock of its own.
package struct SteppedStore: Sendable {
    package let database: any Database
    package let time: ManualTime
    private let engine: SQLiteSteppedDatabase

    private static let free = Mutex<[SteppedStore]>([])

    private init() async throws {
        time = ManualTime()
        engine = try SQLiteSteppedDatabase(time: time.source)
        database = engine
        _ = try await engine.migrate(time: time.source)
    }

    /// Lends one that holds nothing. What the body leaves is undone, and whoever comes next gets it: making the schema
    /// takes longer than most of what is done with it.
    package static func with<T>(_ body: (SteppedStore) async throws -> T) async throws -> T {
        let found = free.withLock { $0.popLast() }
        let store: SteppedStore
        if let found { store = found } else { store = try await SteppedStore() }
        try store.engine.mark()
        let result: T
        do {
            result = try await body(store)
        } catch {
            try store.giveBack()
            throw error
        }
        try store.giveBack()
        return result
    }

    private func giveBack() throws {
        try engine.undo()
        time.set(ManualTime().now)
        Self.free.withLock { $0.append(self) }
    }
}
