import Kernel

/// What events tell of a product and its variants. Cost prices are not among it: they never enter a payload.
package struct ProductPayload: Sendable {
    package struct Variant: Sendable {
        package var id: String
        package var sku: String?
        package var title: String?
        package var price: Money?

        package init(id: String, sku: String?, title: String?, price: Money?) {
            self.id = id
            self.sku = sku
            self.title = title
            self.price = price
        }
    }

    package var id: ID<DomainEvent.Entity>
    package var title: String
    package var status: String
    package var variants: [Variant]
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: ID<DomainEvent.Entity>, title: String, status: String, variants: [Variant], createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.title = title
        self.status = status
        self.variants = variants
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    func write(_ writer: inout PayloadWriter) {
        writer.field(Field.id, id)
        writer.field(Field.name, title)
        writer.field(Field.status, status)
        writer.objects(Field.variants, variants) { element, variant in
            element.field(Field.variantID, variant.id)
            element.field(Field.variantSKU, variant.sku)
            element.field(Field.variantTitle, variant.title)
            element.field(Field.variantPrice) { json in
                if let price = variant.price { json.raw(price.decimalText.utf8) } else { json.null() }
            }
            element.field(Field.variantCurrency, variant.price?.currency.code)
        }
        writer.field(Field.createdAt, createdAt)
        writer.field(Field.updatedAt, updatedAt)
    }

    /// The fields of a product in a payload, with their privacy classes.
    enum Field {
        static let id = EventField("product_id", .public, "Our id of the product.")
        static let name = EventField("title", .public, "The product's title.")
        static let status = EventField("status", .public, "draft, active, inactive or discontinued.")
        static let variants = EventField("variants", .public, "What can be sold of it.")
        static let variantID = EventField("variant_id", .public, "Our id of the variant.")
        static let variantSKU = EventField("sku", .public, "The variant's SKU, unique in the tenant.")
        static let variantTitle = EventField("title", .public, "The variant's own title.")
        static let variantPrice = EventField("selling_price", .public, "The selling price in major units.")
        static let variantCurrency = EventField("currency", .public, "ISO 4217 code of the selling price.")
        static let createdAt = EventField("created_at", .public, "When it was created here.")
        static let updatedAt = EventField("updated_at", .public, "When it last changed here.")
        static let changed = EventField("changed", .public, "Names of the fields that changed.")
        static let oldPrice = EventField("old_selling_price", .public, "The price before; null if there was none.")
        static let newPrice = EventField("new_selling_price", .public, "The price now; null if there is none.")

        static let product = [
            id, name, status, variants, variantID, variantSKU, variantTitle, variantPrice, variantCurrency, createdAt,
            updatedAt,
        ]
    }

    static let example = ProductPayload(
        id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0003), title: "Shirt", status: "active",
        variants: [
            Variant(
                id: "019391c1-2c5c-7000-8000-000000000002", sku: "SHIRT-M-BLK", title: "M, black",
                price: Money(minorUnits: 7499, currency: .usd))
        ], createdAt: Timestamp(milliseconds: 1_733_326_326_998),
        updatedAt: Timestamp(milliseconds: 1_733_326_326_998))
}
