import Kernel

/// A product arrived in a destination store (seed 004's sample payload).
package struct ProductSynced: EventType {
    package static let name = "product.synced"
    package static let summary = "A product was pushed to a destination store."
    package static let fields = [
        SyncField.product, SyncField.source, SyncField.destination, SyncField.remoteID, SyncField.action,
        SyncField.status,
    ]
    package static let example = ProductSynced(
        product: .example, source: "main-store.myshopify.com", destination: "eu-store.myshopify.com",
        remoteID: "1234567890", action: "upsert")

    package let product: SyncedProduct
    package let source: String
    package let destination: String
    package let remoteID: String?
    /// `upsert` or `delete`.
    package let action: String

    package init(product: SyncedProduct, source: String, destination: String, remoteID: String?, action: String) {
        self.product = product
        self.source = source
        self.destination = destination
        self.remoteID = remoteID
        self.action = action
    }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) {
        product.write(SyncField.product, &writer)
        writer.field(SyncField.source, source)
        writer.field(SyncField.destination, destination)
        writer.field(SyncField.remoteID, remoteID)
        writer.field(SyncField.action, action)
        writer.field(SyncField.status, "success")
    }
}
