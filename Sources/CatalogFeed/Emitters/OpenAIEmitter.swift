import Kernel

/// Writes one row a variant, with the field names of OpenAI's product feed reference (file upload, stable).
package enum OpenAIEmitter {
    /// The rows of a product; those that miss a field which the reference requires are not written.
    ///
    /// - Returns: how many rows there are.
    static func write(_ item: FeedItem, _ settings: FeedSettings, into bytes: inout [UInt8]) -> Int {
        guard let url = item.url, let brand = item.brand, let seller = settings.sellerName else { return 0 }
        var count = 0
        for variant in item.variants where variant.price.minorUnits > 0 {
            let images = item.images(of: variant)
            guard let image = images.first else { continue }
            var writer = JSONWriter(reserving: 900)
            writer.object { writer in
                writer.field("item_id", variant.id)
                writer.field("title", variant.name)
                writer.field("description", item.description ?? variant.name)
                writer.field("url", url)
                writer.field("brand", brand)
                writer.field("image_url", image.url)
                if images.count > 1 {
                    writer.arrayField("additional_image_urls") { writer in
                        for image in images.dropFirst() { writer.string(image.url) }
                    }
                }
                prices(variant, &writer)
                writer.field("availability", variant.availability.rawValue)
                writer.field("is_eligible_search", true)
                writer.field("is_eligible_checkout", false)
                identity(item, variant, &writer)
                writer.field("seller_name", seller)
                if let url = settings.sellerURL { writer.field("seller_url", url) }
                if let country = settings.country {
                    writer.field("store_country", country)
                    writer.arrayField("target_countries") { $0.string(country) }
                }
            }
            bytes.append(contentsOf: writer.bytes)
            bytes.append(0x0A)
            count += 1
        }
        return count
    }

    /// The list price is the price there, and what is asked now the sale price.
    private static func prices(_ variant: FeedItem.Variant, _ writer: inout JSONWriter) {
        writer.field("price", text(variant.listPrice ?? variant.price))
        if variant.listPrice != nil { writer.field("sale_price", text(variant.price)) }
    }

    private static func text(_ money: Money) -> String { "\(money.decimalText) \(money.currency.code)" }

    private static func identity(_ item: FeedItem, _ variant: FeedItem.Variant, _ writer: inout JSONWriter) {
        if item.isGroup {
            writer.field("group_id", item.id)
            writer.field("listing_has_variations", true)
            if !variant.choices.isEmpty {
                var names: Set<String> = []
                writer.objectField("variant_dict") { writer in
                    for choice in variant.choices where names.insert(choice.option.lowercased()).inserted {
                        writer.field(choice.option.lowercased(), choice.value)
                    }
                }
            }
        } else {
            writer.field("listing_has_variations", false)
        }
        for option in item.options {
            guard let axis = option.axis, [.color, .size, .material].contains(axis),
                let choice = variant.choices.first(where: { $0.option == option.name })
            else { continue }
            writer.field(axis.rawValue, choice.value)
        }
        if let gtin = variant.gtin { writer.field("gtin", gtin) }
        if let mpn = variant.mpn { writer.field("mpn", mpn) }
        writer.field("condition", "new")
        if let category = item.category { writer.field("product_category", category) }
    }
}
