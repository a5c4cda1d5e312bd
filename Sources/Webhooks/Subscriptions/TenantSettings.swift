import Kernel
import Storage

/// What a tenant decides for all its subscriptions, with the names and defaults of seed 003's table.
package struct TenantSettings: Sendable, Equatable {
    /// Days for which events are held in the feed and can be replayed.
    package var retentionDays = 30
    /// Active subscriptions at most.
    package var maxSubscriptions = Limits.subscriptions
    /// Attempts for one event, the first one included, in the profiles that follow the tenant's schedule.
    package var maxRetryAttempts = 5
    /// Minutes before each attempt; the first is made at once.
    package var backoffSchedule = [0, 1, 5, 30, 120]
    /// Per cent of failed attempts above which a subscription is disabled.
    package var failureThreshold = 95
    /// Hours over which failures are counted.
    package var failureWindow = 24
    /// Attempts that the window must hold before a subscription is disabled.
    package var minDeliveriesForDisable = 10

    package init() {}

    /// The schedule that the tenant's settings describe (seed 003's).
    package var schedule: RetrySchedule {
        // Not even a wait of no minutes lets attempts follow each other without a pause.
        RetrySchedule(.table(backoffSchedule.dropFirst().map { .seconds(max($0 * 60, 1)) }), attempts: maxRetryAttempts)
    }

    /// The tenant's settings, or the defaults where it has set none.
    package static func load(of tenant: TenantID, in transaction: any Transaction) throws -> TenantSettings {
        try ask(of: [tenant], in: transaction).byKey()[tenant] ?? TenantSettings()
    }

    /// The settings of those tenants that have set any.
    static func ask(
        of tenants: Set<TenantID>, in transaction: any Transaction
    ) throws -> Asked<(TenantID, TenantSettings)> {
        var rows = RowBatch(["tenant": .uuid])
        for tenant in tenants { rows.append(.id(tenant)) }
        return try transaction.ask(
            """
            SELECT s.tenant_id, s.retention_days, s.max_subscriptions, s.max_retry_attempts, s.backoff_schedule,
                s.failure_threshold, s.failure_window, s.min_deliveries_for_disable
            FROM {rows} r JOIN webhook_setting s ON s.tenant_id = r.tenant
            """, rows: rows
        ) { row in
            var settings = TenantSettings()
            settings.retentionDays = Int(row.int(1))
            settings.maxSubscriptions = Int(row.int(2))
            settings.maxRetryAttempts = Int(row.int(3))
            settings.backoffSchedule = row.text(4).split(separator: " ").compactMap { Int($0) }
            settings.failureThreshold = Int(row.int(5))
            settings.failureWindow = Int(row.int(6))
            settings.minDeliveriesForDisable = Int(row.int(7))
            return (row.id(0), settings)
        }
    }

    /// Writes all of them: what was a default stays what it is now.
    func store(for tenant: TenantID, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO webhook_setting (tenant_id, retention_days, max_subscriptions, max_retry_attempts,
                backoff_schedule, failure_threshold, failure_window, min_deliveries_for_disable, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (tenant_id) DO UPDATE SET retention_days = excluded.retention_days,
                max_subscriptions = excluded.max_subscriptions, max_retry_attempts = excluded.max_retry_attempts,
                backoff_schedule = excluded.backoff_schedule, failure_threshold = excluded.failure_threshold,
                failure_window = excluded.failure_window,
                min_deliveries_for_disable = excluded.min_deliveries_for_disable, updated_at = excluded.updated_at
            """,
            [
                .id(tenant), .int(retentionDays), .int(maxSubscriptions), .int(maxRetryAttempts),
                .text(backoffSchedule.map { String($0) }.joined(separator: " ")), .int(failureThreshold),
                .int(failureWindow), .int(minDeliveriesForDisable), .time(now),
            ])
    }
}
