import Kernel
import Storage

/// What callers are told of an endpoint that is tried only now and then. Without one its breaker is closed.
package struct BreakerStatus: Sendable, Equatable {
    /// `open`, or `half_open` while a delivery is on its way to find out.
    package let state: String
    package let openedAt: Timestamp
    /// When the next delivery is tried, or when the one under way is given up.
    package let nextTryAt: Timestamp
}

/// The breakers that are not closed: one row for each such endpoint, seen by all copies.
enum BreakerStore {
    struct Stored: Sendable {
        let subscription: SubscriptionID
        let tenant: TenantID
        let trips: Int
        let isDue: Bool
    }

    /// Endpoints that are tried in one turn.
    private static let triesMost = 64
    /// When an endpoint that nothing waits for is looked at again.
    private static let emptyWait: Duration = .seconds(5)

    static func all(in transaction: any Transaction) throws -> [Stored] {
        try transaction.all(
            "SELECT subscription_id, tenant_id, trips, CASE WHEN next_at <= now_ms() THEN 1 ELSE 0 END FROM breaker"
        ) { Stored(subscription: $0.id(0), tenant: $0.id(1), trips: Int($0.int(2)), isDue: $0.flag(3)) }
    }

    /// The breakers of some subscriptions of a tenant that are not closed.
    static func statuses(
        of subscriptions: [SubscriptionID], tenant: TenantID, in transaction: any Transaction
    ) throws -> [SubscriptionID: BreakerStatus] {
        let rows = RowBatch(wanted: subscriptions)
        let found = try transaction.all(
            """
            SELECT b.subscription_id, b.state, b.opened_at, b.next_at
            FROM {rows} r JOIN breaker b ON b.subscription_id = r.wanted WHERE b.tenant_id = $1
            """, [.id(tenant)], rows: rows
        ) {
            (
                $0.id(0, of: Subscription.self),
                BreakerStatus(state: $0.text(1), openedAt: $0.time(2), nextTryAt: $0.time(3))
            )
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Writes down what turned here; returns what is to be told of: the first opening of a subscription that is active,
    /// whichever copy saw it, and the closing behind it.
    static func write(
        _ turned: [DispatchState.Turned], now: Timestamp, in transaction: any Transaction
    ) throws -> [DispatchState.Turned] {
        var news: [DispatchState.Turned] = []
        // In one order for all transactions: each opening takes the lock of its subscription's row. Turns of one
        // subscription stay in theirs.
        for change in turned.sorted(by: { $0.subscription < $1.subscription }) {
            let id = change.subscription
            switch change.turn {
            case .opened(let trips, let wait):
                // One that was disabled meanwhile begins anew when it is activated.
                guard try SubscriptionStore.isActive(id, tenant: change.tenant, in: transaction) else { continue }
                try open(change, trips: trips, wait: wait, now: now, in: transaction)
                if !change.isOperational, try tell(id, in: transaction) { news.append(change) }
            case .closed:
                if try isTold(id, in: transaction) { news.append(change) }
                try forget(id, in: transaction)
            }
        }
        return news
    }

    private static func open(
        _ change: DispatchState.Turned, trips: Int, wait: Duration, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO breaker (subscription_id, tenant_id, state, trips, opened_at, next_at)
            VALUES ($1, $2, 'open', $3, $4, now_ms() + $5)
            ON CONFLICT (subscription_id) DO UPDATE SET state = 'open', trips = excluded.trips,
                next_at = excluded.next_at
            """,
            [
                .id(change.subscription), .id(change.tenant), .int(trips), .time(now),
                .int(wait.wholeMilliseconds),
            ])
    }

    /// Notes that an opening is told of; true for the one caller who is to do it.
    private static func tell(_ subscription: SubscriptionID, in transaction: any Transaction) throws -> Bool {
        try transaction.executeCounting(
            "UPDATE breaker SET is_told = 1 WHERE subscription_id = $1 AND is_told = 0", [.id(subscription)]) == 1
    }

    /// Whether the endpoint is known to be failing. The row stays locked, so that one closing is told of once.
    static func isTold(_ subscription: SubscriptionID, in transaction: any Transaction) throws -> Bool {
        try transaction.first(
            "SELECT is_told FROM breaker WHERE subscription_id = $1 {for update}", [.id(subscription)]
        ) { $0.flag(0) } ?? false
    }

    /// A subscription that was disabled, deleted or activated begins anew.
    static func forget(_ subscription: SubscriptionID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM breaker WHERE subscription_id = $1", [.id(subscription)])
    }

    /// Leases one delivery for each endpoint whose next try is due. No other copy tries the same one meanwhile: rows
    /// stay locked until they say when the try is given up.
    ///
    /// - Parameters:
    ///   - holder: its claim is what they are leased under. What another process may have leased in memory stays its.
    ///   - leases: what this one has leased in memory, which is not tried with.
    static func claimTries(
        _ holder: DeliveryStore.Holder, _ leases: LeasesInMemory, in transaction: any Transaction
    ) throws -> [WaitingDelivery] {
        var due = try transaction.all(
            """
            WITH due AS MATERIALIZED (
                SELECT subscription_id FROM breaker WHERE next_at <= now_ms() ORDER BY next_at LIMIT $1 {skip locked}
            )
            SELECT due.subscription_id, coalesce(s.is_ordered, 0)
            FROM due LEFT JOIN subscription s ON s.id = due.subscription_id
            """, [.int(triesMost)]
        ) { ($0.id(0, of: Subscription.self), $0.flag(1)) }
        if let process = holder.process {
            let mine = try BacklogLeases.acquire(due.map(\.0), for: process, .zero, in: transaction)
            due.removeAll { !mine.contains($0.0) }
        }
        var found: [WaitingDelivery] = []
        for (subscription, isOrdered) in due {
            let (claim, leased) = (holder.claim, leases.held(subscription))
            let one =
                isOrdered
                ? try DeliveryStore.fetchInOrder(
                    of: subscription, limit: 1, passingOver: leased, claim, in: transaction
                ).found
                : try DeliveryStore.leaseOldest(of: subscription, passingOver: leased, claim, in: transaction)
            found += one
            let wait = one.isEmpty ? emptyWait : claim.duration
            try transaction.execute(
                """
                UPDATE breaker SET next_at = now_ms() + $2, state = CASE WHEN $3 = 1 THEN 'half_open' ELSE state END
                WHERE subscription_id = $1
                """, [.id(subscription), .int(wait.wholeMilliseconds), .flag(!one.isEmpty)])
        }
        return found
    }
}
