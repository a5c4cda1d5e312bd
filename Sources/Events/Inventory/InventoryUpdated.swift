import Kernel

/// A location group wrote the level of one variant to a store (seed 004, "Inventory updated").
package struct InventoryUpdated: EventType {
    package static let name = "inventory.updated"
    package static let summary = "A location group wrote a new stock level to a store."
    package static let fields = [
        Field.inventory, Field.group, Field.source, Field.destination, Field.remoteLocation, SyncField.status,
    ]
    package static let example: InventoryUpdated = {
        var updated = InventoryUpdated(
            variant: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0002), available: 40,
            group: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0008),
            destination: "eu-store.myshopify.com")
        updated.sku = "MWS-001"
        updated.source = "main-store.myshopify.com"
        updated.remoteLocation = "905684977"
        return updated
    }()

    package var variant: ID<DomainEvent.Entity>
    /// The level as it was written: absolute, never a difference.
    package var available: Int64
    package var group: ID<DomainEvent.Entity>
    /// The store that was written to.
    package var destination: String
    package var sku: String?
    /// The store where the change came from; nil when it was made here.
    package var source: String?
    /// The location's id in the store that was written to.
    package var remoteLocation: String?

    package init(
        variant: ID<DomainEvent.Entity>, available: Int64, group: ID<DomainEvent.Entity>, destination: String
    ) {
        self.variant = variant
        self.available = available
        self.group = group
        self.destination = destination
    }

    package var entityID: ID<DomainEvent.Entity> { variant }

    package func write(_ writer: inout PayloadWriter) {
        writer.object(Field.inventory) { object in
            object.field(Field.variant, variant)
            object.field(Field.sku, sku)
            object.field(Field.available, available)
        }
        writer.field(Field.group, group)
        writer.field(Field.source, source)
        writer.field(Field.destination, destination)
        writer.field(Field.remoteLocation, remoteLocation)
        writer.field(SyncField.status, "success")
    }

    enum Field {
        static let inventory = EventField(
            "inventory", .public, .object([variant, sku, available]), "What was written.")
        static let variant = EventField("variant_id", .public, .uuid, "Whose stock it is.")
        static let sku = EventField("sku", .public, .text, "The variant's SKU.", .nullable)
        static let available = EventField("available", .public, .integer, "Pieces that can be sold there now.")
        static let group = EventField("location_group_id", .public, .uuid, "The group that shares the stock.")
        static let source = EventField(
            "source_store", .public, .text, "Where the change came from; null when it was made here.", .nullable)
        static let destination = EventField("destination_store", .public, .text, "The store that was written to.")
        static let remoteLocation = EventField(
            "remote_location_id", .public, .text, "The location's id in that store.", .nullable)
    }
}
