import Events
import Kernel
import Storage

/// How a subscription has fared over the last 24 hours, and what waits for it.
package struct SubscriptionStats: Sendable, Equatable {
    /// One attempt as far as it counts here.
    struct Attempt: Sendable {
        let duration: Int64
        /// Nil for a success.
        let errorClass: String?
    }

    /// A breaker that is not closed.
    package struct Breaker: Sendable, Equatable {
        package let state: String
        package let openedAt: Timestamp
        /// When the next single delivery is tried.
        package let nextAt: Timestamp
    }

    package let since: Timestamp
    package let attempts: Int
    package let successes: Int
    /// Failed attempts by the class of their error; `status` for an answer that is no 2xx.
    package let failures: [String: Int]
    /// Microseconds; nil without attempts.
    package let medianDuration: Int64?
    package let duration95: Int64?
    /// Whether only the newest deliveries were looked at, because there are more than a look may cost.
    package let isSampled: Bool
    package internal(set) var waiting = Waiting()
    package internal(set) var breaker: Breaker?

    /// Deliveries that have not ended.
    package struct Waiting: Sendable, Equatable {
        package var pending = 0
        /// Those of them whose attempt runs now.
        package var delivering = 0
        package var nextDue: Timestamp?
        package var oldest: Timestamp?
    }

    /// Deliveries that are looked at: some hundredths of a second's work.
    static let deliveriesMost = 10_000
    /// Pending deliveries that are counted; a number that high means "very many".
    static let pendingMost = 100_000
    private static let span: Duration = .seconds(24 * 3600)

    init(of attempts: [Attempt], since: Timestamp, isSampled: Bool) {
        self.since = since
        self.isSampled = isSampled
        self.attempts = attempts.count
        var failures: [String: Int] = [:]
        for errorClass in attempts.compactMap(\.errorClass) { failures[errorClass, default: 0] += 1 }
        self.failures = failures
        successes = attempts.count - failures.values.reduce(0, +)
        let durations = attempts.map(\.duration).sorted()
        medianDuration = Self.rank(50, of: durations)
        duration95 = Self.rank(95, of: durations)
    }

    /// Per cent of attempts that succeeded, with one decimal cut off; nil without attempts.
    package var successRate: String? {
        if attempts == 0 { return nil }
        let tenths = successes * 1000 / attempts
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// The smallest value that `percent` of all are not above.
    private static func rank(_ percent: Int, of sorted: [Int64]) -> Int64? {
        sorted.isEmpty ? nil : sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }

    // MARK: Reading

    static func load(
        of subscription: SubscriptionID, tenant: TenantID, now: Timestamp, in transaction: any Transaction
    ) throws -> SubscriptionStats {
        let since = now - span
        let newest = try transaction.first(
            """
            SELECT count(*), min(created_at) FROM (
                SELECT created_at FROM delivery WHERE subscription_id = $1 AND tenant_id = $2 ORDER BY id DESC LIMIT $3
            ) d
            """, [.id(subscription), .id(tenant), .int(deliveriesMost)]
        ) { (count: Int($0.int(0)), oldest: $0.timeOrNil(1)) }
        let attempts = try transaction.all(
            """
            SELECT a.duration_us, a.error_class FROM (
                SELECT id FROM delivery WHERE subscription_id = $1 AND tenant_id = $2 ORDER BY id DESC LIMIT $3
            ) d JOIN attempt a ON a.delivery_id = d.id WHERE a.started_at > $4
            """, [.id(subscription), .id(tenant), .int(deliveriesMost), .time(since)]
        ) { Attempt(duration: $0.int(0), errorClass: $0.textOrNil(1)) }
        let isSampled = newest.map { $0.count == deliveriesMost && $0.oldest ?? since > since } ?? false
        var stats = SubscriptionStats(of: attempts, since: since, isSampled: isSampled)
        stats.waiting = try waiting(for: subscription, tenant: tenant, in: transaction)
        stats.breaker = try transaction.first(
            "SELECT state, opened_at, next_at FROM breaker WHERE subscription_id = $1 AND tenant_id = $2",
            [.id(subscription), .id(tenant)]
        ) { Breaker(state: $0.text(0), openedAt: $0.time(1), nextAt: $0.time(2)) }
        return stats
    }

    private static func waiting(
        for subscription: SubscriptionID, tenant: TenantID, in transaction: any Transaction
    ) throws -> Waiting {
        let found = try transaction.first(
            """
            SELECT count(*), coalesce(sum(CASE WHEN claim <> 0 THEN 1 ELSE 0 END), 0),
                min(CASE WHEN claim = 0 THEN next_at END), min(created_at)
            FROM (
                SELECT claim, next_at, created_at FROM delivery
                WHERE subscription_id = $1 AND tenant_id = $2 AND state = 'pending' AND held IN (0, 1, 2) LIMIT $3
            ) d
            """, [.id(subscription), .id(tenant), .int(pendingMost)]
        ) { row in
            Waiting(
                pending: Int(row.int(0)), delivering: Int(row.int(1)), nextDue: row.timeOrNil(2),
                oldest: row.timeOrNil(3))
        }
        return found ?? Waiting()
    }
}

extension SubscriptionService {
    /// How the subscription fares.
    package func stats(of id: SubscriptionID, scope: Scope) async throws -> SubscriptionStats {
        let now = time.now()
        var stats = try await database.read { transaction in
            guard try SubscriptionStore.fetch(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("subscription")
            }
            return try SubscriptionStats.load(of: id, tenant: scope.tenant, now: now, in: transaction)
        }
        let leased = dispatcher.leasesInMemory.count(of: id)
        stats.waiting.delivering = min(stats.waiting.pending, stats.waiting.delivering + leased)
        return stats
    }
}
