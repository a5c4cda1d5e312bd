import Events
import Kernel

package typealias ProductID = ID<Product>
package typealias VariantID = ID<Variant>

/// A thing that is sold, in one or more variants.
package struct Product: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case draft
        case active
        case inactive
        /// Final.
        case discontinued
    }

    package let id: ProductID
    package let scope: Scope
    package var title: String
    package var description: String?
    package var category: String?
    package var status: Status
    package var variants: [Variant]
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    /// What events tell of the product.
    package var payload: ProductPayload {
        ProductPayload(
            id: id.cast(), title: title, status: status.rawValue, variants: variants.map(\.payload),
            createdAt: createdAt, updatedAt: updatedAt)
    }
}

/// What an order line can be matched to. Its SKU is unique in the tenant.
package struct Variant: Sendable, Equatable {
    package let id: VariantID
    package let product: ProductID
    package var sku: String?
    package var barcode: String?
    package var title: String?
    /// The selling price; nil while none is set.
    package var price: Money?
    package var version: Int64
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    var payload: ProductPayload.Variant {
        ProductPayload.Variant(id: id.description, sku: sku, title: title, price: price)
    }
}
