import Events
import Kernel
import Logging
import Storage

/// Clears out what is held no longer, a bite at a time in the background, so that nobody who waits feels it.
package struct RetentionKeeper: Sendable {
    /// Rows of one bite. Their pages are written once more, and what else is to be written waits that long: a few
    /// milliseconds.
    private static let bite = 100
    /// The same for rows that are small.
    private static let smallBite = 500
    /// Keys that one turn looks through. At a turn every ten minutes that is all of 70 million within ten days.
    private static let keysATurn = 50_000
    /// The longest that one turn takes, so that other duties get theirs.
    private static let turn: Duration = .seconds(240)

    private let database: any Database
    private let policy: RetentionPolicy
    private let time: TimeSource

    package init(database: any Database, policy: RetentionPolicy, time: TimeSource) {
        self.database = database
        self.policy = policy
        self.time = time
    }

    /// One turn; what it does not get done is left to the next. Bears being run twice at once.
    package func clear() async throws {
        let now = time.now()
        let (policy, end) = (policy, ContinuousClock.now + Self.turn)
        let bounds = try await database.read(.background) { try policy.bounds(now: now, in: $0) }
        let all = EventID(from: bounds.all)
        try await clearAll(bounds.all, until: end)
        for (tenant, bound) in bounds.shorter { try await clear(tenant, before: bound, until: end) }
        try await sweepKeys(
            before: min(all, EventID(from: now - .seconds(86_400 * RetentionPolicy.keyDays))), until: end)
    }

    private func clearAll(_ bound: Timestamp, until end: ContinuousClock.Instant) async throws {
        let first = EventID(from: bound)
        try await repeating(Self.smallBite, until: end) {
            try RetentionStore.removeFeed(before: first, limit: $0, in: $1)
        }
        try await repeating(Self.bite, until: end) {
            try RetentionStore.removeDeliveries(before: first, limit: $0, in: $1)
        }
        // A turn that had no time to empty the feed leaves its events where they are.
        guard ContinuousClock.now < end else { return }
        if database.dialect == .postgres {
            try await DayPartitions(database: database).dropDays(before: bound)
        } else {
            try await repeating(Self.bite, until: end) {
                try RetentionStore.removeEvents(before: first, limit: $0, in: $1)
            }
            try await repeating(Self.bite, until: end) {
                try RetentionStore.removeInbox(before: first, limit: $0, in: $1)
            }
        }
        try await repeating(Self.smallBite, until: end) {
            try RetentionStore.removeWorkflows(before: bound, limit: $0, in: $1)
        }
        try await repeating(Self.bite, until: end) {
            try RetentionStore.removeReplays(before: bound, limit: $0, in: $1)
        }
        try await repeating(Self.smallBite, until: end) { try EndpointHealthStore.removeOld(limit: $0, in: $1) }
    }

    private func clear(_ tenant: TenantID, before bound: Timestamp, until end: ContinuousClock.Instant) async throws {
        let (organisations, connections) = try await database.read(.background) { transaction in
            (
                try transaction.all("SELECT id FROM organisation WHERE tenant_id = $1", [.id(tenant)]) {
                    $0.id(0, of: Organisation.self)
                },
                try transaction.all("SELECT id FROM connection WHERE tenant_id = $1", [.id(tenant)]) {
                    $0.id(0, of: Event.self)
                }
            )
        }
        let first = EventID(from: bound)
        for organisation in organisations {
            let scope = Scope(tenant: tenant, organisation: organisation)
            try await repeating(Self.bite, until: end) {
                try RetentionStore.remove(scope, before: first, limit: $0, in: $1)
            }
        }
        for connection in connections {
            try await repeating(Self.bite, until: end) {
                try RetentionStore.removeInbox(of: connection, before: first, limit: $0, in: $1)
            }
        }
    }

    /// Bites until one is not full, or the turn is over.
    private func repeating(
        _ limit: Int, until end: ContinuousClock.Instant,
        _ bite: @escaping @Sendable (Int, any Transaction) throws -> Int
    ) async throws {
        while ContinuousClock.now < end {
            if try await database.write(.background, { try bite(limit, $0) }) < limit { return }
        }
    }

    // MARK: Deduplication keys

    private func sweepKeys(before bound: EventID, until end: ContinuousClock.Instant) async throws {
        for _ in 0..<(Self.keysATurn / Self.smallBite) where ContinuousClock.now < end {
            let isAtEnd = try await database.write(.background) { transaction in
                let position = try transaction.first("SELECT position FROM sweep WHERE name = 'inbox_key'") {
                    $0.bytes(0)
                }
                let (next, _) = try RetentionStore.sweepKeys(
                    after: position ?? [], before: bound, limit: Self.smallBite, in: transaction)
                try transaction.execute(
                    """
                    INSERT INTO sweep (name, position) VALUES ('inbox_key', $1)
                    ON CONFLICT (name) DO UPDATE SET position = excluded.position
                    """, [.bytes(next ?? [])])
                return next == nil
            }
            if isAtEnd { return }
        }
    }
}
