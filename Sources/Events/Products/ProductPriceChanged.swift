import Kernel

/// The selling price of one variant changed. Costs are never told.
package struct ProductPriceChanged: EventType {
    package static let name = "product.price_changed"
    package static let summary = "The selling price of one of a product's variants changed."
    package static let fields =
        ProductPayload.Field.product + [ProductPayload.Field.oldPrice, ProductPayload.Field.newPrice]
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
        write(oldPrice, as: ProductPayload.Field.oldPrice, &writer)
        write(variant.price, as: ProductPayload.Field.newPrice, &writer)
        writer.field(ProductPayload.Field.variantCurrency, (variant.price ?? oldPrice)?.currency.code)
    }

    private func write(_ price: Money?, as field: EventField, _ writer: inout PayloadWriter) {
        writer.field(field) { json in if let price { json.raw(price.decimalText.utf8) } else { json.null() } }
    }
}
