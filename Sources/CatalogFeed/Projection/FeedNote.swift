import Commerce
import Kernel

/// One line of the report: what of a product a feed does not show, and why.
package struct FeedNote: Sendable, Equatable {
    package enum Effect: String, Sendable {
        /// The product or variant does not stand in the formats that the note names.
        case leftOut = "left_out"
        /// One field of it is missing there.
        case fieldLeftOut = "field_left_out"
        /// A text is cut to the length that readers take.
        case shortened
        /// All is there, but a reader may refuse it.
        case warning
    }

    package enum Reason: String, Sendable, CaseIterable {
        case noPrice = "no_price"
        case zeroPrice = "zero_price"
        case otherCurrency = "other_currency"
        case noVariant = "no_variant"
        case invalidGTIN = "invalid_gtin"
        case duplicateGTIN = "duplicate_gtin"
        case invalidSKU = "invalid_sku"
        case invalidImage = "invalid_image"
        case noImage = "no_image"
        case invalidURL = "invalid_url"
        case noURL = "no_url"
        case noBrand = "no_brand"
        case noSeller = "no_seller"
        case duplicateOptions = "duplicate_options"
        case longText = "long_text"
    }

    package let reason: Reason
    package let effect: Effect
    /// Which formats it concerns.
    package let formats: [FeedFormat]
    /// Nil where the whole product is meant.
    package let variant: VariantID?
    package let sku: String?
    /// One plain sentence.
    package let detail: String

    init(
        _ reason: Reason, _ effect: Effect, _ detail: String, of variant: CatalogueEntry.Variant? = nil,
        in formats: [FeedFormat] = FeedFormat.allCases
    ) {
        self.reason = reason
        self.effect = effect
        self.formats = formats
        self.variant = variant?.id
        sku = variant?.sku
        self.detail = detail
    }

    /// The note as one member of the report's list.
    func write(_ product: ProductID, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("product_id", product)
            writer.field("variant_id", variant)
            writer.field("sku", sku)
            writer.field("reason", reason.rawValue)
            writer.field("effect", effect.rawValue)
            writer.arrayField("formats") { writer in
                for format in formats { writer.string(format.rawValue) }
            }
            writer.field("detail", detail)
        }
    }
}
