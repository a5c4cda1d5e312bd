import Kernel

/// The selling or the cost price of one variant changed. It tells the selling prices alone: an event holds no cost, not
/// even for those who may see it in the catalogue.
package struct ProductPriceChanged: EventType {
    package static let name = "product.price_changed"
    package static let summary = "The selling or cost price of one of a product's variants changed."
    package static let fields =
        ProductPayload.Field.product + [
            ProductPayload.Field.variantID, ProductPayload.Field.variantSKU, Field.oldPrice, Field.newPrice,
            ProductPayload.Field.variantCurrency,
        ]
    package static let example = ProductPriceChanged(
        product: .example, variant: ProductPayload.example.variants[0],
        oldPrice: Money(minorUnits: 7999, currency: .usd))

    package let product: ProductPayload
    package let variant: ProductPayload.Variant
    package let oldPrice: Money?

    package init(product: ProductPayload, variant: ProductPayload.Variant, oldPrice: Money?) {
        self.product = product
        self.variant = variant
        self.oldPrice = oldPrice
    }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) {
        product.write(&writer)
        writer.field(ProductPayload.Field.variantID, variant.id)
        writer.field(ProductPayload.Field.variantSKU, variant.sku)
        writer.field(Field.oldPrice, oldPrice)
        writer.field(Field.newPrice, variant.price)
        writer.field(ProductPayload.Field.variantCurrency, (variant.price ?? oldPrice)?.currency.code)
    }

    enum Field {
        static let oldPrice = EventField(
            "old_selling_price", .public, .decimal, "The price before; null if there was none.", .nullable)
        static let newPrice = EventField(
            "new_selling_price", .public, .decimal, "The price now; null if there is none.", .nullable)
    }
}
