import Kernel

/// A product is never sold again; nothing follows this state.
package struct ProductDiscontinued: EventType {
    package static let name = "product.discontinued"
    package static let summary = "A product was discontinued, which is final."
    package static let fields = ProductPayload.Field.product + [ProductPayload.Field.oldStatus]
    package static let example = ProductDiscontinued(product: .example("discontinued"), oldStatus: "inactive")

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
