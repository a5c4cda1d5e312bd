import Kernel

/// The product of a sync event as seed 004 shows it: `{id, title, sku}`.
package struct SyncedProduct: Sendable {
    package let id: ID<DomainEvent.Entity>
    package let title: String
    /// The first variant's that has one; stores are matched by the SKU of each variant.
    package let sku: String?

    package init(id: ID<DomainEvent.Entity>, title: String, sku: String?) {
        self.id = id
        self.title = title
        self.sku = sku
    }

    func write(_ field: EventField, _ writer: inout PayloadWriter) {
        writer.object(field) { object in
            object.field(SyncField.productID, id)
            object.field(SyncField.productTitle, title)
            object.field(SyncField.sku, sku)
        }
    }

    static let example = SyncedProduct(
        id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0003), title: "Merino Wool Sweater", sku: "MWS-001")
}
