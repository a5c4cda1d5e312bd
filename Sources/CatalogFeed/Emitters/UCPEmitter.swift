import Kernel

/// Writes products in the shape of the Universal Commerce Protocol, version 2026-04-08, which the Agentic Commerce
/// Protocol's product lines share: amounts in minor units, descriptions as objects.
package enum UCPEmitter {
    package static let version = "2026-04-08"

    /// The product as one line.
    ///
    /// - Returns: how many variants it shows.
    static func write(_ item: FeedItem, _ settings: FeedSettings, into bytes: inout [UInt8]) -> Int {
        var writer = JSONWriter(reserving: 600 + item.variants.count * 500)
        writer.object { writer in
            product(item, &writer)
            writer.arrayField("variants") { writer in
                for variant in item.variants {
                    writer.object { writer in self.variant(variant, of: item, settings, &writer) }
                }
            }
        }
        bytes.append(contentsOf: writer.bytes)
        bytes.append(0x0A)
        return item.variants.count
    }

    /// The product's own members, its variants and options left to the caller.
    static func product(_ item: FeedItem, hasOptions: Bool = true, _ writer: inout JSONWriter) {
        writer.field("id", item.id)
        if let handle = item.handle { writer.field("handle", handle) }
        writer.field("title", item.title)
        description(item.description ?? item.title, &writer)
        if let url = item.url { writer.field("url", url) }
        if let category = item.category {
            writer.arrayField("categories") { writer in
                writer.object { writer in
                    writer.field("value", category)
                    writer.field("taxonomy", "merchant")
                }
            }
        }
        range("price_range", item.variants.map(\.price), &writer)
        if item.variants.contains(where: { $0.listPrice != nil }) {
            range("list_price_range", item.variants.map { $0.listPrice ?? $0.price }, &writer)
        }
        media(item.images, &writer)
        if hasOptions, !item.options.isEmpty {
            writer.arrayField("options") { writer in
                for option in item.options {
                    writer.object { writer in
                        writer.field("name", option.name)
                        writer.arrayField("values") { writer in
                            for value in option.values { writer.object { $0.field("label", value) } }
                        }
                    }
                }
            }
        }
        if !item.tags.isEmpty {
            writer.arrayField("tags") { writer in for tag in item.tags { writer.string(tag) } }
        }
        if let brand = item.brand { writer.objectField("metadata") { $0.field("brand", brand) } }
    }

    static func variant(
        _ variant: FeedItem.Variant, of item: FeedItem, _ settings: FeedSettings, _ writer: inout JSONWriter
    ) {
        writer.field("id", variant.id)
        if let sku = variant.sku { writer.field("sku", sku) }
        if let gtin = variant.gtin {
            writer.arrayField("barcodes") { writer in
                writer.object { writer in
                    writer.field("type", "GTIN")
                    writer.field("value", gtin)
                }
            }
        }
        writer.field("title", variant.label)
        description(variant.name, &writer)
        if let url = item.url { writer.field("url", url) }
        price("price", variant.price, &writer)
        if let before = variant.listPrice { price("list_price", before, &writer) }
        writer.objectField("availability") { writer in
            writer.field("available", variant.availability.canBeBought)
            writer.field("status", variant.availability.rawValue)
        }
        if !variant.choices.isEmpty {
            writer.arrayField("options") { writer in
                for choice in variant.choices {
                    writer.object { writer in
                        writer.field("name", choice.option)
                        writer.field("label", choice.value)
                    }
                }
            }
        }
        if let image = variant.image { media([image], &writer) }
        if let seller = settings.sellerName { writer.objectField("seller") { $0.field("name", seller) } }
    }

    private static func description(_ text: String, _ writer: inout JSONWriter) {
        writer.objectField("description") { $0.field("plain", text) }
    }

    private static func media(_ images: [FeedItem.Image], _ writer: inout JSONWriter) {
        if images.isEmpty { return }
        writer.arrayField("media") { writer in
            for image in images {
                writer.object { writer in
                    writer.field("type", "image")
                    writer.field("url", image.url)
                    if let text = image.text { writer.field("alt_text", text) }
                }
            }
        }
    }

    private static func range(_ name: String, _ prices: [Money], _ writer: inout JSONWriter) {
        guard let least = prices.min(by: { $0.minorUnits < $1.minorUnits }),
            let most = prices.max(by: { $0.minorUnits < $1.minorUnits })
        else { return }
        writer.objectField(name) { writer in
            price("min", least, &writer)
            price("max", most, &writer)
        }
    }

    private static func price(_ name: String, _ money: Money, _ writer: inout JSONWriter) {
        writer.objectField(name) { writer in
            writer.field("amount", money.minorUnits)
            writer.field("currency", money.currency.code)
        }
    }
}
