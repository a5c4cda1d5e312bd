import Kernel

/// A product's own fields or its variants changed; `changed` names the fields.
package struct ProductUpdated: EventType {
    package static let name = "product.updated"
    package static let summary = "A product's text, attributes or variants were modified."
    package static let fields = ProductPayload.Field.product + [ProductPayload.Field.changed]
    package static let example = ProductUpdated(product: .example, changed: ["title"])

    package let product: ProductPayload
    package let changed: [String]

    package init(product: ProductPayload, changed: [String]) {
        self.product = product
        self.changed = changed
    }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) {
        product.write(&writer)
        writer.field(ProductPayload.Field.changed, changed)
    }
}
