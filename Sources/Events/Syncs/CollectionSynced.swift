import Kernel

/// A collection arrived in a destination store (seed 004, "Collection synced").
package struct CollectionSynced: EventType {
    package static let name = "collection.synced"
    package static let summary = "A collection was pushed to a destination store."
    package static let fields = [
        Field.collection, SyncField.source, SyncField.destination, SyncField.remoteID, SyncField.status,
    ]
    package static let example = CollectionSynced(
        collection: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0009), title: "Winter", products: 12,
        source: "main-store.myshopify.com", destination: "eu-store.myshopify.com", remoteID: "841564295")

    package let collection: ID<DomainEvent.Entity>
    package let title: String
    /// How many products it holds in the destination now.
    package let products: Int64
    package let source: String
    package let destination: String
    package let remoteID: String?

    package init(
        collection: ID<DomainEvent.Entity>, title: String, products: Int64, source: String, destination: String,
        remoteID: String?
    ) {
        self.collection = collection
        self.title = title
        self.products = products
        self.source = source
        self.destination = destination
        self.remoteID = remoteID
    }

    package var entityID: ID<DomainEvent.Entity> { collection }

    package func write(_ writer: inout PayloadWriter) {
        writer.object(Field.collection) { object in
            object.field(Field.id, collection)
            object.field(Field.title, title)
            object.field(Field.products, products)
        }
        writer.field(SyncField.source, source)
        writer.field(SyncField.destination, destination)
        writer.field(SyncField.remoteID, remoteID)
        writer.field(SyncField.status, "success")
    }

    enum Field {
        static let collection = EventField(
            "collection", .public, .object([id, title, products]), "The collection that was pushed.")
        static let id = EventField("id", .public, .text, "Our id of the collection.")
        static let title = EventField("title", .public, .text, "The collection's title.")
        static let products = EventField(
            "product_count", .public, .integer, "Products that it holds in the destination now.")
    }
}
