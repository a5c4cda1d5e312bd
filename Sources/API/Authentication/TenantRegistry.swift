import Events
import Kernel
import Storage
import Synchronization

/// Brings tenants and organisations into being: the first valid token that names a new pair makes their rows, and
/// nobody has to sign up. Pairs that are known to exist cost a look into memory.
package final class TenantRegistry: Sendable {
    private let database: any Database
    private let time: TimeSource
    /// Bounded so that memory is; a forgotten pair only costs one more insert that does nothing.
    private let known = Mutex(BoundedMap<Scope, Bool>(limit: 100_000))

    package init(database: any Database, time: TimeSource = .system) {
        self.database = database
        self.time = time
    }

    /// Whether the pair's rows are known to be there, without asking the store.
    func knows(_ scope: Scope) -> Bool { known.withLock { $0.value(scope) ?? false } }

    /// Makes the pair's rows where they are missing.
    package func ensure(_ scope: Scope) async throws {
        if knows(scope) { return }
        let now = time.now()
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO tenant (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                [.id(scope.tenant), .time(now)])
            try transaction.execute(
                "INSERT INTO organisation (tenant_id, id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [.id(scope.tenant), .id(scope.organisation), .time(now)])
        }
        known.withLock { $0.insert(true, for: scope) }
    }
}
