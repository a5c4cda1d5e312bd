import Kernel

/// A product is kept back from sale for a while.
package struct ProductDeactivated: EventType {
    package static let name = "product.deactivated"
    package static let summary = "A product was deactivated: it is not sold for now."
    package static let fields = ProductPayload.Field.product + [ProductPayload.Field.oldStatus]
    package static let example = ProductDeactivated(product: .example("inactive"), oldStatus: "active")

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
