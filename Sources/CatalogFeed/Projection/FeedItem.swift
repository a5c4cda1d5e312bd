import Commerce
import Kernel

/// A product as all feeds show it: judged, cut to what their readers take, in plain text. Every output is written from
/// this one value, so that none of them can say something else than another.
package struct FeedItem: Sendable, Equatable {
    package struct Image: Sendable, Equatable {
        /// Absolute and https.
        package let url: String
        package let text: String?
    }

    /// One way in which the variants differ, with its values in the order in which they first appear.
    package struct Option: Sendable, Equatable {
        package let name: String
        package let axis: OptionAxis?
        package var values: [String]
    }

    package struct Variant: Sendable, Equatable {
        package let id: VariantID
        package let sku: String?
        /// 8, 12, 13 or 14 digits whose check digit is right.
        package let gtin: String?
        package let mpn: String?
        /// More specific than the product's name: `Hub Tee – Black / S`.
        package let name: String
        /// What sets it apart from the others: `Black / S`.
        package let label: String
        package let choices: [CatalogueEntry.Choice]
        package let price: Money
        /// Set only where it is above the price.
        package let listPrice: Money?
        package let availability: FeedAvailability
        package let image: Image?
    }

    package let id: ProductID
    package let title: String
    package let description: String?
    package let url: String?
    package let handle: String?
    package let brand: String?
    package let category: String?
    package let tags: [String]
    package let images: [Image]
    package let options: [Option]
    /// At least one, all with prices of one currency.
    package let variants: [Variant]

    /// Whether the variants form a group, or the product is its only variant.
    package var isGroup: Bool { variants.count > 1 }

    /// The pictures that a variant is shown with, its own first.
    package func images(of variant: Variant) -> [Image] {
        guard let own = variant.image else { return images }
        return [own] + images.filter { $0.url != own.url }
    }
}

/// Whether a variant can be had now, in the words of each reader.
package enum FeedAvailability: String, Sendable, CaseIterable {
    case inStock = "in_stock"
    case backorder
    case outOfStock = "out_of_stock"

    package init(_ stock: CatalogueEntry.Stock) {
        self =
            switch stock {
            case .uncounted: .inStock
            case .counted(let available, let mayBackorder):
                available > 0 ? .inStock : mayBackorder ? .backorder : .outOfStock
            }
    }

    /// The term of schema.org's ItemAvailability.
    package var term: String {
        switch self {
        case .inStock: "https://schema.org/InStock"
        case .backorder: "https://schema.org/BackOrder"
        case .outOfStock: "https://schema.org/OutOfStock"
        }
    }

    package var canBeBought: Bool { self != .outOfStock }
}

/// The ways of differing that search engines know (schema.org's `variesBy`, in Google's list); others are told as
/// additional properties.
package enum OptionAxis: String, Sendable, CaseIterable {
    case color
    case size
    case material
    case pattern
    case suggestedAge
    case suggestedGender

    /// The axis that a shop's own word for an option stands for.
    package init?(word: String) {
        switch word.lowercased() {
        case "color", "colour", "farbe": self = .color
        case "size", "größe", "grösse", "taille": self = .size
        case "material", "fabric": self = .material
        case "pattern": self = .pattern
        case "age", "age group", "suggested age": self = .suggestedAge
        case "gender", "suggested gender": self = .suggestedGender
        default: return nil
        }
    }

    package var term: String { "https://schema.org/\(rawValue)" }
}
