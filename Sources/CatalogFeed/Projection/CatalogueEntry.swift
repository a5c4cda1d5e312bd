import Commerce
import Kernel

/// An active product as it stands in the catalogue, before anything is judged: what the projection starts from.
package struct CatalogueEntry: Sendable, Equatable {
    package struct Image: Sendable, Equatable {
        package var url: String
        package var text: String?

        package init(url: String, text: String? = nil) {
            self.url = url
            self.text = text
        }
    }

    package struct Choice: Sendable, Equatable {
        /// The option's name, such as `Color`.
        package var option: String
        /// The value that a variant has of it, such as `Black`.
        package var value: String

        package init(_ option: String, _ value: String) {
            self.option = option
            self.value = value
        }
    }

    /// What is known of a variant's stock.
    package enum Stock: Sendable, Equatable {
        /// No location counts it, so that it can always be sold.
        case uncounted
        case counted(available: Int64, mayBackorder: Bool)
    }

    package struct Variant: Sendable, Equatable {
        package var id: VariantID
        package var sku: String?
        package var title: String?
        /// A trade item number as it was typed in, not yet checked.
        package var gtin: String?
        package var mpn: String?
        package var price: Money?
        /// What it cost before, in the price's currency.
        package var compareAt: Money?
        package var choices: [Choice] = []
        package var image: String?
        package var stock = Stock.uncounted

        package init(id: VariantID) { self.id = id }
    }

    package var id: ProductID
    package var title: String
    /// May hold HTML: stores write it.
    package var description: String?
    package var brand: String?
    /// The seller's own word for what it is, or else the names of its place in the tree of categories.
    package var category: String?
    package var handle: String?
    /// The product's own page.
    package var url: String?
    package var tags: [String] = []
    package var images: [Image] = []
    /// The names of the options in the order in which the shop shows them.
    package var options: [String] = []
    package var variants: [Variant] = []

    package init(id: ProductID, title: String) {
        self.id = id
        self.title = title
    }
}
