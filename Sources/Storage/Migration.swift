import Kernel

/// One step of the schema's history; its text holds the tokens of `Dialect`.
package struct Migration: Sendable {
    package let number: Int
    package let name: String
    package let text: String

    init(_ number: Int, _ name: String, _ bytes: [UInt8]) {
        self.init(number: number, name: name, text: String(decoding: bytes, as: UTF8.self))
    }

    /// A step of another history than the house's own: tests of the engines have one.
    package init(number: Int, name: String, text: String) {
        self.number = number
        self.name = name
        self.text = text
    }

    /// Every step in order. A step that has landed is never edited; a later one mends it.
    package static let all = [
        Migration(1, "tenancy", PackageResources.m0001_tenancy_sql),
        Migration(2, "intake", PackageResources.m0002_intake_sql),
        Migration(3, "workflow", PackageResources.m0003_workflow_sql),
        Migration(4, "commerce", PackageResources.m0004_commerce_sql),
        Migration(5, "events", PackageResources.m0005_events_sql),
        Migration(6, "webhooks", PackageResources.m0006_webhooks_sql),
        Migration(7, "delivery", PackageResources.m0007_delivery_sql),
        Migration(8, "subscription", PackageResources.m0008_subscription_sql),
        Migration(9, "event_log", PackageResources.m0009_event_log_sql),
        Migration(10, "event_type", PackageResources.m0010_event_type_sql),
        Migration(11, "catalogue", PackageResources.m0011_catalogue_sql),
        Migration(12, "customer", PackageResources.m0012_customer_sql),
        Migration(13, "inventory", PackageResources.m0013_inventory_sql),
        Migration(14, "order_life", PackageResources.m0014_order_life_sql),
        Migration(16, "catalogue_feed", PackageResources.m0016_catalogue_feed_sql),
        Migration(17, "workflow_progress", PackageResources.m0017_workflow_progress_sql),
        Migration(19, "audit", PackageResources.m0019_audit_sql),
        Migration(20, "catalogue_import", PackageResources.m0020_catalogue_import_sql),
        Migration(22, "availability", PackageResources.m0022_availability_sql),
        Migration(23, "customer_erasure", PackageResources.m0023_customer_erasure_sql),
        Migration(24, "inbox_arrival", PackageResources.m0024_inbox_arrival_sql),
        Migration(25, "endpoint_health", PackageResources.m0025_endpoint_health_sql),
        Migration(26, "subscription_list", PackageResources.m0026_subscription_list_sql),
        Migration(27, "folded_sku", PackageResources.m0027_folded_sku_sql),
        Migration(28, "word_order", PackageResources.m0028_word_order_sql),
        Migration(29, "refund_source", PackageResources.m0029_refund_source_sql),
        Migration(30, "backlog_lease", PackageResources.m0030_backlog_lease_sql),
        Migration(31, "replay_sender", PackageResources.m0031_replay_sender_sql),
    ]

    /// The statements for one engine. A line `-- sqlite` or `-- postgres` limits the one statement behind it.
    package func statements(for dialect: Dialect) -> [Statement] {
        text.split(separator: ";\n").compactMap { part in
            var lines = part.split(separator: "\n", omittingEmptySubsequences: true)[...]
            for other in Dialect.allCases where other != dialect {
                if lines.contains(where: { $0 == "-- \(other.rawValue)" }) { return nil }
            }
            lines = lines.filter { !$0.hasPrefix("--") }[...]
            return lines.isEmpty ? nil : Statement(composed: lines.joined(separator: "\n"))
        }
    }
}

extension Database {
    /// Brings the schema to the newest step and returns the numbers of those that ran.
    ///
    /// Copies of the server may start at once: the first takes the table's lock, the others find nothing left to do.
    package func migrate(_ migrations: [Migration] = Migration.all, time: TimeSource = .system) async throws -> [Int] {
        let now = time.now()
        // In the background lane, where statements may take long and wait long for another copy's migration.
        return try await write(.background) { transaction in
            if transaction.dialect == .postgres {
                try transaction.execute("SELECT pg_advisory_xact_lock(7402150001)")
            }
            try transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_step (
                    number {int} NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at {int} NOT NULL
                ) {table}
                """)
            let applied = try transaction.all("SELECT number FROM schema_step ORDER BY number") { Int($0.int(0)) }
            if let newest = applied.last, newest > migrations.last?.number ?? 0 {
                throw StorageError(
                    .misuse, "the store is at step \(newest); this version knows only \(migrations.last?.number ?? 0)")
            }
            var ran: [Int] = []
            for migration in migrations where !applied.contains(migration.number) {
                for statement in migration.statements(for: transaction.dialect) { try transaction.execute(statement) }
                try transaction.execute(
                    "INSERT INTO schema_step (number, name, applied_at) VALUES ($1, $2, $3)",
                    [.int(migration.number), .text(migration.name), .time(now)])
                ran.append(migration.number)
            }
            return ran
        }
    }
}
