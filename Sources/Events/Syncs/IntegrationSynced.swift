import Kernel

/// A connected channel came to the end of a synchronization cycle (seed 002's `integration.synced`).
package struct IntegrationSynced: EventType {
    package static let name = "integration.synced"
    package static let summary = "A connected sales channel or ERP completed a synchronization cycle."
    package static let fields = [
        Field.connection, Field.provider, Field.operation, Field.succeeded, Field.failed, Field.skipped,
        Field.startedAt, Field.finishedAt, SyncField.status,
    ]
    package static let example = IntegrationSynced(
        connection: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_000B), provider: "shopify",
        operation: "product_push", counts: Counts(succeeded: 118, failed: 1, skipped: 4),
        startedAt: Timestamp(milliseconds: 1_733_326_326_998),
        finishedAt: Timestamp(milliseconds: 1_733_326_387_412))

    /// What became of the cycle's items.
    package struct Counts: Sendable {
        package let succeeded: Int64
        package let failed: Int64
        /// Left out with a reason, such as an item without SKU.
        package let skipped: Int64

        package init(succeeded: Int64, failed: Int64, skipped: Int64) {
            self.succeeded = succeeded
            self.failed = failed
            self.skipped = skipped
        }
    }

    package let connection: ID<DomainEvent.Entity>
    package let provider: String
    /// What the cycle did, such as `product_push`, `order_poll` or `inventory_write`.
    package let operation: String
    package let counts: Counts
    package let startedAt: Timestamp
    package let finishedAt: Timestamp

    package init(
        connection: ID<DomainEvent.Entity>, provider: String, operation: String, counts: Counts, startedAt: Timestamp,
        finishedAt: Timestamp
    ) {
        self.connection = connection
        self.provider = provider
        self.operation = operation
        self.counts = counts
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }

    package var entityID: ID<DomainEvent.Entity> { connection }

    package func write(_ writer: inout PayloadWriter) {
        writer.field(Field.connection, connection)
        writer.field(Field.provider, provider)
        writer.field(Field.operation, operation)
        writer.field(Field.succeeded, counts.succeeded)
        writer.field(Field.failed, counts.failed)
        writer.field(Field.skipped, counts.skipped)
        writer.field(Field.startedAt, startedAt)
        writer.field(Field.finishedAt, finishedAt)
        writer.field(SyncField.status, counts.failed == 0 ? "success" : "partial")
    }

    enum Field {
        static let connection = EventField("connection_id", .public, .uuid, "The connection that was synced.")
        static let provider = EventField("provider", .public, .text, "Its provider.")
        static let operation = EventField("operation", .public, .text, "What the cycle did.")
        static let succeeded = EventField("succeeded", .public, .integer, "Items that went through.")
        static let failed = EventField("failed", .public, .integer, "Items that failed.")
        static let skipped = EventField("skipped", .public, .integer, "Items left out, each with a reason.")
        static let startedAt = EventField("started_at", .public, .time, "When the cycle began.")
        static let finishedAt = EventField("finished_at", .public, .time, "When it ended.")
    }
}
