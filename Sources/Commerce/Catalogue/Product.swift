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

        /// The moves that there are; a new product may begin in any state but the final one.
        package var nextStates: [Status] {
            switch self {
            case .draft: [.active]
            case .active: [.inactive, .discontinued]
            case .inactive: [.active, .discontinued]
            case .discontinued: []
            }
        }
    }

    package let id: ProductID
    package let scope: Scope
    /// A name for addresses and imports, unique in the organisation.
    package var handle: String?
    package var title: String
    package var description: String?
    package var brand: String?
    /// The caller's own word, such as a taxonomy's path.
    package var category: String?
    /// The place in the organisation's tree.
    package var categoryID: CategoryID?
    /// The product's page in a shop.
    package var url: String?
    package var status: Status
    /// Options, tags, attributes and media as they are kept and answered; nil when there are none.
    package var keptDetails: [UInt8]?
    package var variants: [Variant]
    /// Counts the changes of the product and of its variants: what its ETag shows.
    package var version: Int64
    package private(set) var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deletedAt: Timestamp?

    /// A product without anything but a title.
    init(id: ProductID, scope: Scope, title: String, status: Status = .draft, now: Timestamp) {
        self.id = id
        self.scope = scope
        self.title = title
        self.status = status
        variants = []
        version = 1
        createdAt = now
        updatedAt = now
    }

    /// Makes this instant the one at which the product and all of its variants were made.
    mutating func stamp(_ now: Timestamp) {
        (createdAt, updatedAt) = (now, now)
        for index in variants.indices { (variants[index].createdAt, variants[index].updatedAt) = (now, now) }
    }

    /// What events tell of the product, with its first variants: a change of many prices raises an event for each.
    package var payload: ProductPayload {
        ProductPayload(
            id: id.cast(), title: title, status: status.rawValue,
            variants: variants.prefix(Limits.eventVariants).map(\.payload),
            createdAt: createdAt, updatedAt: updatedAt)
    }

    /// Options, tags, attributes and media as values. Lists don't need them, so they are read only when asked for.
    package var details: ProductDetails {
        get throws { try keptDetails.map { try ProductDetails(kept: $0) } ?? .empty }
    }
}

/// What an order line can be matched to. Its SKU is unique in the tenant.
package struct Variant: Sendable, Equatable {
    package let id: VariantID
    package let product: ProductID
    package var sku: String?
    package var barcode: String?
    package var title: String?
    /// The value of each of the product's options, as the JSON object that is kept and answered.
    package var keptOptions: [UInt8]?
    /// The selling price; nil while none is set.
    package var price: Money?
    /// What it cost before, in the currency of the price.
    package var compareAt: Money?
    /// Confidential: never in an event and never in a feed.
    package var cost: Money?
    package var gtin: String?
    package var mpn: String?
    package var weightGrams: Int64?
    package var imageURL: String?
    package var version: Int64
    package fileprivate(set) var createdAt: Timestamp
    package var updatedAt: Timestamp

    init(id: VariantID, product: ProductID, now: Timestamp) {
        self.id = id
        self.product = product
        version = 1
        createdAt = now
        updatedAt = now
    }

    var payload: ProductPayload.Variant {
        ProductPayload.Variant(id: id.description, sku: sku, title: title, price: price)
    }

    /// The values of the product's options in the options' order.
    package var options: [OptionValue] {
        get throws { try keptOptions.map { try OptionValue.list(kept: $0) } ?? [] }
    }
}
