import Kernel

/// A product came into the catalogue.
package struct ProductCreated: EventType {
    package static let name = "product.created"
    package static let summary = "A product was added to the catalogue."
    package static let fields = ProductPayload.Field.product
    package static let example = ProductCreated(product: .example)

    package let product: ProductPayload

    package init(product: ProductPayload) { self.product = product }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) { product.write(&writer) }
}
