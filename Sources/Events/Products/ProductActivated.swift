import Kernel

/// A product can be sold now.
package struct ProductActivated: EventType {
    package static let name = "product.activated"
    package static let summary = "A product was activated: it can be sold."
    package static let fields = ProductPayload.Field.product + [ProductPayload.Field.oldStatus]
    package static let example = ProductActivated(product: .example("active"), oldStatus: "draft")

    /// The product with its new status.
    package let product: ProductPayload
    package let oldStatus: String

    package init(product: ProductPayload, oldStatus: String) {
        self.product = product
        self.oldStatus = oldStatus
    }

    package var entityID: ID<DomainEvent.Entity> { product.id }

    package func write(_ writer: inout PayloadWriter) {
        product.write(&writer)
        writer.field(ProductPayload.Field.oldStatus, oldStatus)
    }
}
