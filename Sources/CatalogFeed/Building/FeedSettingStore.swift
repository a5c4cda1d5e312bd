import Events
import Kernel
import Storage

/// The rows of what sellers say of themselves.
enum FeedSettingStore {
    /// The settings with the number of their change and its time.
    struct Kept: Sendable {
        let settings: FeedSettings
        let version: Int64
        let updatedAt: Timestamp
    }

    static func fetch(_ scope: Scope, in transaction: any Transaction) throws -> Kept? {
        try transaction.first(
            """
            SELECT seller_name, seller_url, product_url, country, version, updated_at FROM catalogue_feed_setting
            WHERE tenant_id = $1 AND org_id = $2
            """, [.id(scope.tenant), .id(scope.organisation)]
        ) { row in
            Kept(
                settings: FeedSettings(
                    sellerName: row.textOrNil(0), sellerURL: row.textOrNil(1), productURL: row.textOrNil(2),
                    country: row.textOrNil(3)),
                version: row.int(4), updatedAt: row.time(5))
        }
    }

    static func store(
        _ settings: FeedSettings, _ scope: Scope, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO catalogue_feed_setting
                (tenant_id, org_id, seller_name, seller_url, product_url, country, version, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, 1, $7)
            ON CONFLICT (tenant_id, org_id) DO UPDATE SET
                seller_name = excluded.seller_name, seller_url = excluded.seller_url,
                product_url = excluded.product_url, country = excluded.country,
                version = catalogue_feed_setting.version + 1, updated_at = excluded.updated_at
            """,
            [
                .id(scope.tenant), .id(scope.organisation), .text(settings.sellerName), .text(settings.sellerURL),
                .text(settings.productURL), .text(settings.country), .time(now),
            ])
    }
}
