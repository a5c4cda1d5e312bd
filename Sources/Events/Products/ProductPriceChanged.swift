import Kernel

/// The selling or the cost price of one variant changed. Costs never leave.
package struct ProductPriceChanged: EventType {
    package static let name = "product.price_changed"
    package static let summary = "The selling or cost price of one of a product's variants changed."
    package static let fields =
        ProductPayload.Field.product + [
            ProductPayload.Field.variantID, ProductPayload.Field.variantSKU, Field.oldPrice, Field.newPrice,
            ProductPayload.Field.variantCurrency, Field.oldCost, Field.newCost,
        ]
    package static let example = ProductPriceChanged(
        product: .example, variant: ProductPayload.example.variants[0],
        oldPrice: Money(minorUnits: 7999, currency: .usd),
        cost: Cost(
            old: Money(minorUnits: 3100, currency: .usd), new: Money(minorUnits: 3350, currency: .usd)))

    /// What the variant costs the tenant itself.
    package struct Cost: Sendable {
        package let old: Money?
        package let new: Money?

        package init(old: Money?, new: Money?) {
            self.old = old
            self.new = new
        }
    }

    package let product: ProductPayload
    package let variant: ProductPayload.Variant
    package let oldPrice: Money?
    /// Nil when only the selling price changed.
    package let cost: Cost?

    package init(product: ProductPayload, variant: ProductPayload.Variant, oldPrice: Money?, cost: Cost? = nil) {
        self.product = product
        self.variant = variant
        self.oldPrice = oldPrice
        self.cost = cost
    }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) {
        product.write(&writer)
        writer.field(ProductPayload.Field.variantID, variant.id)
        writer.field(ProductPayload.Field.variantSKU, variant.sku)
        writer.field(Field.oldPrice, oldPrice)
        writer.field(Field.newPrice, variant.price)
        writer.field(ProductPayload.Field.variantCurrency, (variant.price ?? oldPrice)?.currency.code)
        if let cost {
            writer.field(Field.oldCost, cost.old)
            writer.field(Field.newCost, cost.new)
        }
    }

    enum Field {
        static let oldPrice = EventField(
            "old_selling_price", .public, .decimal, "The price before; null if there was none.", .nullable)
        static let newPrice = EventField(
            "new_selling_price", .public, .decimal, "The price now; null if there is none.", .nullable)
        static let oldCost = EventField(
            "old_cost_price", .confidential, .decimal, "The cost before.", [.nullable, .optional])
        static let newCost = EventField(
            "new_cost_price", .confidential, .decimal, "The cost now.", [.nullable, .optional])
    }
}
