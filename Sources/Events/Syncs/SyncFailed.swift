import Kernel

/// A sync met an error: what, where, why, and whether it will be tried again (seed 004, "Sync failed").
package struct SyncFailed: EventType {
    package static let name = "sync.failed"
    package static let summary = "A sync met an error."
    package static let fields = [
        Field.sync, Field.operation, Field.product, Field.collection, Field.sku, Field.source, SyncField.destination,
        Field.error, Field.attempts, Field.willRetry, SyncField.status, Field.detail,
    ]
    package static let example: SyncFailed = {
        var failed = SyncFailed(
            sync: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_000A), operation: "product_push",
            destination: "eu-store.myshopify.com", error: "rate_limited", attempts: 3, willRetry: true)
        failed.product = .example
        failed.collection = CollectionSynced.example.collection
        failed.sku = "MWS-001"
        failed.source = "main-store.myshopify.com"
        failed.detail = "The store answered 429 three times."
        return failed
    }()

    /// The workflow that runs the sync.
    package var sync: ID<DomainEvent.Entity>
    /// What was tried, such as `product_push`, `collection_push` or `inventory_write`.
    package var operation: String
    package var destination: String
    /// A word for programs, such as `rate_limited`, `refused`, `unreachable`.
    package var error: String
    package var attempts: Int64
    package var willRetry: Bool
    package var product: SyncedProduct?
    package var collection: ID<DomainEvent.Entity>?
    package var sku: String?
    package var source: String?
    /// The other side's own words, which may hold anything: it does not leave.
    package var detail: String?

    package init(
        sync: ID<DomainEvent.Entity>, operation: String, destination: String, error: String, attempts: Int64,
        willRetry: Bool
    ) {
        self.sync = sync
        self.operation = operation
        self.destination = destination
        self.error = error
        self.attempts = attempts
        self.willRetry = willRetry
    }

    package var entityID: ID<DomainEvent.Entity> { sync }

    package func write(_ writer: inout PayloadWriter) {
        writer.field(Field.sync, sync)
        writer.field(Field.operation, operation)
        if let product { product.write(Field.product, &writer) }
        if let collection { writer.field(Field.collection, collection) }
        if let sku { writer.field(Field.sku, sku) }
        writer.field(Field.source, source)
        writer.field(SyncField.destination, destination)
        writer.field(Field.error, error)
        writer.field(Field.attempts, attempts)
        writer.field(Field.willRetry, willRetry)
        writer.field(SyncField.status, "failed")
        if let detail { writer.field(Field.detail, detail) }
    }

    enum Field {
        static let sync = EventField("sync_id", .public, .uuid, "The workflow that runs the sync.")
        static let operation = EventField("operation", .public, .text, "What was tried, such as product_push.")
        static let product = EventField(
            "product", .public, .object([SyncField.productID, SyncField.productTitle, SyncField.sku]),
            "The product, where it is about one.", .optional)
        static let collection = EventField(
            "collection_id", .public, .uuid, "The collection, where it is about one.", .optional)
        static let sku = EventField("sku", .public, .text, "The SKU, where it is about one variant.", .optional)
        static let source = EventField(
            "source_store", .public, .text, "The store that it comes from; null when it is ours.", .nullable)
        static let error = EventField("error", .public, .text, "Why, as one word for programs.")
        static let attempts = EventField("attempts", .public, .integer, "How often it was tried.")
        static let willRetry = EventField("will_retry", .public, .boolean, "Whether it will be tried again.")
        static let detail = EventField(
            "error_detail", .confidential, .text, "The other side's own words.", .optional)
    }
}
