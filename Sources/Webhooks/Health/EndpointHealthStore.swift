import Kernel
import Storage

/// The counts of attempts by minute. Minutes are those of the store's clock, so that all copies mean the same ones.
enum EndpointHealthStore {
    /// What the window of one endpoint's tenant holds, and the settings it is judged by.
    struct Window: Sendable {
        let subscription: SubscriptionID
        let tenant: TenantID
        let settings: TenantSettings
        let health: EndpointHealth
    }

    /// Adds the counts of one transaction: one statement, and one row changed for each endpoint in it.
    static func add(
        _ tallies: [SubscriptionID: EndpointTally], writer: Int64, in transaction: any Transaction
    ) throws {
        var rows = RowBatch([
            "subscription_id": .uuid, "attempts": .int, "failures": .int, "succeeded_at": .int,
        ])
        rows.reserve(tallies.count)
        // In one order, so that two commits of this process can't wait for each other's rows in a circle.
        for (id, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            let health = tally.health
            rows.append(.id(id), .int(health.attempts), .int(health.failures), .time(health.lastSuccessAt))
        }
        try transaction.execute(
            """
            INSERT INTO endpoint_minute (subscription_id, minute, writer, attempts, failures, succeeded_at)
            SELECT subscription_id, now_ms() / 60000, $1, attempts, failures, succeeded_at FROM {rows} r WHERE true
            ON CONFLICT (subscription_id, minute, writer) DO UPDATE SET
                attempts = endpoint_minute.attempts + excluded.attempts,
                failures = endpoint_minute.failures + excluded.failures,
                succeeded_at = coalesce(excluded.succeeded_at, endpoint_minute.succeeded_at)
            """, [.int(writer)], rows: rows)
    }

    /// What the windows of some endpoints hold, each as long as its tenant has set it.
    ///
    /// Counts that another copy is just committing are not seen. They are when the next attempt fails.
    static func windows(
        of endpoints: [(SubscriptionID, TenantID)], in transaction: any Transaction
    ) throws -> [Window] {
        let usual = TenantSettings()
        var rows = RowBatch(["wanted": .uuid, "tenant": .uuid])
        for (id, tenant) in endpoints { rows.append(.id(id), .id(tenant)) }
        return try transaction.all(
            """
            SELECT r.wanted, r.tenant, w.failure_threshold, w.failure_window, w.min_deliveries_for_disable,
                CAST(sum(m.attempts) AS {int}), CAST(sum(m.failures) AS {int}), max(m.succeeded_at)
            FROM {rows} r LEFT JOIN webhook_setting w ON w.tenant_id = r.tenant
            JOIN endpoint_minute m ON m.subscription_id = r.wanted
                AND m.minute > now_ms() / 60000 - 60 * coalesce(w.failure_window, $1)
            GROUP BY r.wanted, r.tenant, w.failure_threshold, w.failure_window, w.min_deliveries_for_disable
            """, [.int(usual.failureWindow)], rows: rows
        ) { row in
            var settings = usual
            settings.failureThreshold = row.intOrNil(2).map { Int($0) } ?? usual.failureThreshold
            settings.failureWindow = row.intOrNil(3).map { Int($0) } ?? usual.failureWindow
            settings.minDeliveriesForDisable = row.intOrNil(4).map { Int($0) } ?? usual.minDeliveriesForDisable
            return Window(
                subscription: row.id(0), tenant: row.id(1), settings: settings,
                health: EndpointHealth(attempts: row.int(5), failures: row.int(6), lastSuccessAt: row.timeOrNil(7)))
        }
    }

    /// Makes counting start anew.
    static func forget(_ subscription: SubscriptionID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM endpoint_minute WHERE subscription_id = $1", [.id(subscription)])
    }

    /// Removes minutes that not even the longest window reaches; returns how many rows went.
    static func removeOld(limit: Int, in transaction: any Transaction) throws -> Int {
        let longest = try transaction.first("SELECT coalesce(max(failure_window), 0) FROM webhook_setting") {
            Int($0.int(0))
        }
        let hours = max(longest ?? 0, TenantSettings().failureWindow)
        return try transaction.executeCounting(
            """
            DELETE FROM endpoint_minute WHERE (subscription_id, minute, writer) IN (
                SELECT subscription_id, minute, writer FROM endpoint_minute
                WHERE minute <= now_ms() / 60000 - $1 ORDER BY minute LIMIT $2
            )
            """, [.int(hours * 60), .int(limit)])
    }
}
