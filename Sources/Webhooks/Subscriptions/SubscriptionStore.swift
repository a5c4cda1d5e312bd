import Events
import Kernel
import Storage

/// The rows of subscriptions and of their secrets. Each read and write names the owner.
enum SubscriptionStore {
    private static let columns = """
        id, tenant_id, org_id, url, event_types, profile, headers, description, status, status_reason, created_at,
        updated_at, payload_mode, retry, rate_limit, max_in_flight, is_ordered, signature, filter
        """

    /// What a row holds before its sealed parts are opened.
    struct Stored: Sendable {
        let id: SubscriptionID
        let scope: Scope
        let url: String
        let patterns: [EventPattern]
        let profile: String
        let sealedHeaders: [UInt8]?
        let description: String?
        let status: Subscription.Status
        let statusReason: String?
        let createdAt: Timestamp
        let updatedAt: Timestamp
        let payloadMode: PayloadMode
        /// JSON as `RetryOverride` writes it; read where it is needed, which is not at each fan-out.
        let retry: String?
        let rateLimit: Int?
        let maxInFlight: Int?
        let isOrdered: Bool
        let signature: Subscription.Signature
        /// JSON as it was given; `FilterCache` has it read.
        let filter: String?

        /// Whether it has limits of its own, which are those of all copies of the server together.
        var limitsCalls: Bool { rateLimit != nil || maxInFlight != nil }

        func wants(_ event: DomainEvent) -> Bool {
            event.scope.organisation == scope.organisation && patterns.contains { $0.matches(event.type) }
        }
    }

    private static func decode(_ row: any Row) -> Stored {
        Stored(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), url: row.text(3),
            patterns: row.text(4).split(separator: " ").compactMap { EventPattern(stored: String($0)) },
            profile: row.text(5), sealedHeaders: row.bytesOrNil(6), description: row.textOrNil(7),
            status: Subscription.Status(rawValue: row.text(8)) ?? .disabled, statusReason: row.textOrNil(9),
            createdAt: row.time(10), updatedAt: row.time(11),
            payloadMode: PayloadMode(rawValue: row.text(12)) ?? .full, retry: row.textOrNil(13),
            rateLimit: row.intOrNil(14).map { Int($0) }, maxInFlight: row.intOrNil(15).map { Int($0) },
            isOrdered: row.flag(16), signature: Subscription.Signature(rawValue: row.text(17)) ?? .hmac,
            filter: row.textOrNil(18))
    }

    static func insert(_ subscription: Subscription, headers: [UInt8]?, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO subscription (id, tenant_id, org_id, url, event_types, profile, payload_mode, headers,
                description, retry, rate_limit, max_in_flight, is_ordered, signature, filter, status, created_at,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'active', $16, $16)
            """, owner(of: subscription) + values(of: subscription, headers) + [.time(subscription.createdAt)])
    }

    /// Writes everything that a change may touch.
    static func update(_ subscription: Subscription, headers: [UInt8]?, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE subscription SET url = $4, event_types = $5, profile = $6, payload_mode = $7, headers = $8,
                description = $9, retry = $10, rate_limit = $11, max_in_flight = $12, is_ordered = $13,
                signature = $14, filter = $15, updated_at = $16
            WHERE id = $1 AND tenant_id = $2 AND org_id = $3
            """, owner(of: subscription) + values(of: subscription, headers) + [.time(subscription.updatedAt)])
    }

    private static func owner(of subscription: Subscription) -> [SQLValue] {
        [.id(subscription.id), .id(subscription.scope.tenant), .id(subscription.scope.organisation)]
    }

    private static func values(of subscription: Subscription, _ headers: [UInt8]?) -> [SQLValue] {
        let retry = subscription.retry.map { retry in
            String(decoding: JSONWriter.object { retry.write(&$0) }, as: UTF8.self)
        }
        let filter = subscription.filter.map { String(decoding: JSONWriter.bytes(of: $0.json), as: UTF8.self) }
        return [
            .text(subscription.url), .text(subscription.patterns.map(\.description).joined(separator: " ")),
            .text(subscription.profile), .text(subscription.payloadMode.rawValue), .bytes(headers),
            .text(subscription.description), .text(retry), .int(subscription.rateLimit.map { Int64($0) }),
            .int(subscription.maxInFlight.map { Int64($0) }), .flag(subscription.isOrdered),
            .text(subscription.signature.rawValue), .text(filter),
        ]
    }

    /// The active subscriptions of some tenants, for writing deliveries in the same transaction.
    static func active(
        forTenants tenants: Set<TenantID>, in transaction: any Transaction
    ) throws -> [TenantID: [Stored]] {
        var rows = RowBatch(["tenant": .uuid])
        for tenant in tenants { rows.append(.id(tenant)) }
        let found = try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM subscription
                    WHERE tenant_id IN (SELECT tenant FROM {rows} r) AND status = 'active'
                    """), rows: rows, decode)
        return Dictionary(grouping: found, by: \.scope.tenant)
    }

    /// The row, locked: nobody changes it or its secrets before this transaction ends.
    static func lock(_ id: SubscriptionID, scope: Scope, in transaction: any Transaction) throws -> Stored? {
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM subscription WHERE id = $1 AND tenant_id = $2 AND org_id = $3 {for update}
                    """),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    static func fetch(_ id: SubscriptionID, scope: Scope, in transaction: any Transaction) throws -> Stored? {
        try ask(id, scope: scope, in: transaction).first()
    }

    static func ask(_ id: SubscriptionID, scope: Scope, in transaction: any Transaction) throws -> Asked<Stored> {
        try transaction.ask(
            Statement(composed: "SELECT \(columns) FROM subscription WHERE id = $1 AND tenant_id = $2 AND org_id = $3"),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    static func fetch(_ id: SubscriptionID, tenant: TenantID, in transaction: any Transaction) throws -> Stored? {
        try ask([.init(id: id, tenant: tenant)], in: transaction).first()
    }

    /// Those of many that there are, in no order.
    static func ask(_ keys: [KnownEndpoints.Key], in transaction: any Transaction) throws -> Asked<Stored> {
        try transaction.ask(
            Statement(
                composed: """
                    SELECT \(columns) FROM subscription
                    JOIN {rows} r ON r.wanted = subscription.id AND r.tenant = subscription.tenant_id
                    """), rows: rows(of: keys), decode)
    }

    /// Subscriptions that are wanted, each named with its owner.
    static func rows(of keys: [KnownEndpoints.Key]) -> RowBatch {
        var rows = RowBatch(["wanted": .uuid, "tenant": .uuid])
        for key in keys { rows.append(.id(key.id), .id(key.tenant)) }
        return rows
    }

    /// Whether deliveries may go out. The row stays locked: nobody can activate it before this transaction ends.
    static func isActive(_ id: SubscriptionID, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.first(
            "SELECT status FROM subscription WHERE id = $1 AND tenant_id = $2 {for update}", [.id(id), .id(tenant)]
        ) { $0.text(0) == Subscription.Status.active.rawValue } ?? false
    }

    static func list(
        scope: Scope, after: SubscriptionID?, limit: Int, in transaction: any Transaction
    ) throws -> [Stored] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM subscription
                    WHERE tenant_id = $1 AND org_id = $2 AND id > $3 ORDER BY id LIMIT $4
                    """),
            [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero), .int(limit)], decode)
    }

    static func activeCount(tenant: TenantID, in transaction: any Transaction) throws -> Int {
        // The tenant's row is locked first, so that two creations at once can't both be the last one allowed.
        try TenantLock.take(tenant, in: transaction)
        return try transaction.first(
            "SELECT count(*) FROM subscription WHERE tenant_id = $1 AND status = 'active'", [.id(tenant)]
        ) { Int($0.int(0)) } ?? 0
    }

    /// Why it is disabled; nil where nobody said so, or where there is none.
    static func statusReason(
        of id: SubscriptionID, tenant: TenantID, in transaction: any Transaction
    ) throws -> String? {
        try transaction.first(
            "SELECT status_reason FROM subscription WHERE id = $1 AND tenant_id = $2", [.id(id), .id(tenant)]
        ) { $0.textOrNil(0) } ?? nil
    }

    /// Sets the status and, when it is disabled, begins to end what still waits to be delivered; the dispatcher ends
    /// what is left.
    static func setStatus(
        _ status: Subscription.Status, reason: String?, of id: SubscriptionID, tenant: TenantID, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE subscription SET status = $3, status_reason = $4, updated_at = $5
            WHERE id = $1 AND tenant_id = $2
            """, [.id(id), .id(tenant), .text(status.rawValue), .text(reason), .time(now)])
        if status == .disabled {
            try DeliveryStore.skipPending(
                of: id, reason: reason ?? DeliveryStore.disabledReason, now: now, in: transaction)
        } else {
            try EndpointHealthStore.forget(id, in: transaction)
        }
    }

    /// Disables a subscription that is active; returns whether it was.
    static func disable(
        _ id: SubscriptionID, tenant: TenantID, reason: String, now: Timestamp, in transaction: any Transaction
    ) throws -> Bool {
        guard try isActive(id, tenant: tenant, in: transaction) else { return false }
        try setStatus(.disabled, reason: reason, of: id, tenant: tenant, now: now, in: transaction)
        return true
    }

    /// What is more than one transaction ends is left to the dispatcher, here too.
    static func delete(_ id: SubscriptionID, scope: Scope, now: Timestamp, in transaction: any Transaction) throws {
        try DeliveryStore.skipPending(of: id, reason: "the subscription was deleted", now: now, in: transaction)
        try EndpointHealthStore.forget(id, in: transaction)
        try transaction.execute(
            "DELETE FROM subscription_secret WHERE subscription_id = $1 AND tenant_id = $2",
            [.id(id), .id(scope.tenant)])
        try transaction.execute(
            "DELETE FROM subscription WHERE id = $1 AND tenant_id = $2 AND org_id = $3",
            [.id(id), .id(scope.tenant), .id(scope.organisation)])
    }
}
