import Kernel
import Storage

extension SubscriptionStore {
    /// The kind of a secret's id.
    enum SecretRow {}

    /// A secret as its row has it, sealed.
    struct SealedSecret: Sendable {
        let id: ID<SecretRow>
        let sealed: [UInt8]
        let createdAt: Timestamp
        /// Nil for one that no rotation has ended.
        let expiresAt: Timestamp?
    }

    static func insertSecret(
        _ id: ID<SecretRow>, sealed: [UInt8], of subscription: SubscriptionID, tenant: TenantID, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO subscription_secret (id, tenant_id, subscription_id, sealed, created_at)
            VALUES ($1, $2, $3, $4, $5)
            """, [.id(id), .id(tenant), .id(subscription), .bytes(sealed), .time(now)])
    }

    /// Secrets that are live at `now`, newest first.
    static func secrets(
        of subscription: SubscriptionID, tenant: TenantID, now: Timestamp, in transaction: any Transaction
    ) throws -> [SealedSecret] {
        try askSecrets(of: [.init(id: subscription, tenant: tenant)], now: now, in: transaction).answer().map(\.secret)
    }

    /// The same for many subscriptions.
    static func askSecrets(
        of keys: [KnownEndpoints.Key], now: Timestamp, in transaction: any Transaction
    ) throws -> Asked<(subscription: SubscriptionID, secret: SealedSecret)> {
        try transaction.ask(
            """
            SELECT s.subscription_id, s.id, s.sealed, s.created_at, s.expires_at
            FROM {rows} r JOIN subscription_secret s ON s.subscription_id = r.wanted AND s.tenant_id = r.tenant
            WHERE s.expires_at IS NULL OR s.expires_at > $1
            ORDER BY s.id DESC
            """, [.time(now)], rows: rows(of: keys)
        ) { row in
            (
                row.id(0),
                SealedSecret(
                    id: row.id(1), sealed: row.bytes(2), createdAt: row.time(3), expiresAt: row.timeOrNil(4))
            )
        }
    }

    /// Lets the secrets that there are end at `end`, unless they end before, and removes those that have ended.
    static func endSecrets(
        of subscription: SubscriptionID, tenant: TenantID, at end: Timestamp, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE subscription_secret SET expires_at = $3
            WHERE subscription_id = $1 AND tenant_id = $2 AND (expires_at IS NULL OR expires_at > $3)
            """, [.id(subscription), .id(tenant), .time(end)])
        try transaction.execute(
            "DELETE FROM subscription_secret WHERE subscription_id = $1 AND tenant_id = $2 AND expires_at <= $3",
            [.id(subscription), .id(tenant), .time(now)])
    }
}
