import Kernel

/// What events tell of a product and its variants. Costs are not among it: only a change of price tells them, withheld.
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
            element.field(Field.variantPrice, variant.price)
            element.field(Field.variantCurrency, variant.price?.currency.code)
        }
        writer.field(Field.createdAt, createdAt)
        writer.field(Field.updatedAt, updatedAt)
    }

    /// The fields of a product in a payload, with their privacy classes.
    enum Field {
        static let id = EventField("product_id", .public, .uuid, "Our id of the product.")
        static let name = EventField("title", .public, .text, "The product's title.")
        static let status = EventField("status", .public, .text, "draft, active, inactive or discontinued.")
        static let variants = EventField(
            "variants", .public, .objects([variantID, variantSKU, variantTitle, variantPrice, variantCurrency]),
            "What can be sold of it.")
        static let variantID = EventField("variant_id", .public, .uuid, "Our id of the variant.")
        static let variantSKU = EventField(
            "sku", .public, .text, "The variant's SKU, unique in the tenant.", .nullable)
        static let variantTitle = EventField("title", .public, .text, "The variant's own title.", .nullable)
        static let variantPrice = EventField(
            "selling_price", .public, .decimal, "The selling price in major units.", .nullable)
        static let variantCurrency = EventField(
            "currency", .public, .text, "ISO 4217 code of the selling price.", .nullable)
        static let createdAt = EventField("created_at", .public, .time, "When it was created here.")
        static let updatedAt = EventField("updated_at", .public, .time, "When it last changed here.")
        static let changed = EventField("changed", .public, .texts, "Names of the fields that changed.")
        static let oldStatus = EventField("old_status", .public, .text, "The status before.")

        static let product = [id, name, status, variants, createdAt, updatedAt]
    }

    static let example = ProductPayload(
        id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0003), title: "Shirt", status: "active",
        variants: [
            Variant(
                id: "019391c1-2c5c-7000-8000-000000000002", sku: "SHIRT-M-BLK", title: "M, black",
                price: Money(minorUnits: 7499, currency: .usd))
        ], createdAt: Timestamp(milliseconds: 1_733_326_326_998),
        updatedAt: Timestamp(milliseconds: 1_733_326_326_998))

    static func example(_ status: String) -> ProductPayload {
        var product = example
        product.status = status
        return product
    }
}
