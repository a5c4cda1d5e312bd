import Commerce
import Events
import Foundation
import Kernel
import Testing

@testable import CatalogFeed

/// Recorded products of a real store, and what tests make of them.
enum SampleCatalogue {
    static let scope = Scope(tenant: TenantID(high: 1, low: 1), organisation: OrganisationID(high: 1, low: 2))
    static let seller = FeedSettings(
        sellerName: "Hub Shop", sellerURL: "https://shop.example", productURL: "https://shop.example/p/{handle}",
        country: "DE")

    static func id(_ number: UInt64) -> ProductID { ProductID(high: 0x0190_0000_0000_7000, low: number) }
    static func variantID(_ number: UInt64) -> VariantID { VariantID(high: 0x0190_0000_0000_7001, low: number) }
    static func usd(_ minor: Int64) -> Money { Money(minorUnits: minor, currency: .usd) }

    /// A product with one variant that costs 9.99 USD, with all that readers want.
    static func mug(_ number: UInt64 = 1) -> CatalogueEntry {
        var entry = CatalogueEntry(id: id(number), title: "Mug")
        entry.description = "A mug."
        entry.brand = "Hub"
        entry.handle = "mug"
        entry.images = [.init(url: "https://shop.example/mug.jpg", text: "A mug")]
        var variant = CatalogueEntry.Variant(id: variantID(number))
        variant.sku = "MUG-1"
        variant.price = usd(999)
        entry.variants = [variant]
        return entry
    }

    /// The same with a variant for each size.
    static func shirt(_ sizes: [String], number: UInt64 = 2) -> CatalogueEntry {
        var entry = mug(number)
        entry.title = "Shirt"
        entry.options = ["Size"]
        entry.variants = sizes.enumerated().map { index, size in
            var variant = CatalogueEntry.Variant(id: variantID(number * 100 + UInt64(index)))
            variant.sku = "SHIRT-\(index)"
            variant.price = usd(2000 + Int64(index))
            variant.choices = [.init("Size", size)]
            return variant
        }
        return entry
    }

    /// A file of `Fixtures/`.
    static func fixture(_ name: String) throws -> JSONValue {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "json"))
        return try JSONValue(parsing: Array(Data(contentsOf: url)))
    }

    /// A recorded WooCommerce product with its recorded variations, as an import would write it.
    static func recorded(
        _ name: String, number: UInt64, currency: String = "USD", variations: String? = nil
    ) throws -> CatalogueEntry {
        let product = try fixture("woocommerce-\(name)")
        let currency = try #require(Currency(code: currency))
        var entry = CatalogueEntry(id: id(number), title: try #require(product["name"]?.string))
        entry.description = product["description"]?.string
        entry.handle = product["slug"]?.string
        entry.url = product["permalink"]?.string
        entry.category = product["categories"]?.array?.first?["name"]?.string
        entry.images =
            product["images"]?.array?.compactMap { image in
                image["src"]?.string.map { CatalogueEntry.Image(url: $0, text: image["alt"]?.string) }
            } ?? []
        entry.options = product["attributes"]?.array?.compactMap { $0["name"]?.string } ?? []
        let rows = try variations.map { try fixture("woocommerce-\($0)").array ?? [] } ?? [product]
        entry.variants = try rows.enumerated().map { index, row in
            var variant = CatalogueEntry.Variant(id: variantID(number * 100 + UInt64(index)))
            variant.sku = row["sku"]?.string
            variant.gtin = row["global_unique_id"]?.string
            variant.price = try row["price"]?.string.map { try Money($0, in: currency) }
            variant.choices = (variations == nil ? [] : row["attributes"]?.array ?? []).compactMap { one in
                guard let name = one["name"]?.string, let value = one["option"]?.string else { return nil }
                return CatalogueEntry.Choice(name, value)
            }
            if row["manage_stock"]?.bool == true, let count = row["stock_quantity"]?.integer {
                variant.stock = .counted(available: count, mayBackorder: row["backorders_allowed"]?.bool ?? false)
            }
            return variant
        }
        return entry
    }

    /// Every recorded product; only `images` has pictures.
    static func allRecorded() throws -> [CatalogueEntry] {
        [
            try recorded("simple", number: 11),
            try recorded("variable", number: 12, variations: "variable-variations"),
            try recorded("images", number: 13), try recorded("jpy", number: 14, currency: "JPY"),
        ]
    }
}
