import Events
import Kernel

/// Writes products as schema.org has them, to Google's rules for merchant listings: a `ProductGroup` with its variants,
/// or a plain `Product` where there is only one.
package enum SchemaOrgEmitter {
    /// What stands before the products: the context and the seller, whom every offer names.
    ///
    /// The context gives the terms whose values are terms themselves the type `@id`: a plain text is what Google's
    /// documents show there, and a processor of JSON-LD still reads an IRI.
    package static func opening(_ scope: Scope, _ settings: FeedSettings) -> [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            writer.string("https://schema.org/")
            writer.object { writer in
                for term in ["availability", "itemCondition", "variesBy", "priceType"] {
                    writer.objectField(term) { $0.field("@type", "@id") }
                }
            }
        }
        var seller = JSONWriter()
        seller.object { writer in
            writer.field("@type", "Organization")
            writer.field("@id", sellerID(scope))
            if let name = settings.sellerName { writer.field("name", name) }
            if let url = settings.sellerURL { writer.field("url", url) }
        }
        return Array("{\"@context\":".utf8) + writer.bytes + Array(",\"@graph\":[\n".utf8) + seller.bytes
    }

    package static let closing = Array("\n]}\n".utf8)

    /// The product as a member of the graph, with the comma that parts it from the one before.
    ///
    /// - Returns: how many variants it shows; 0 where none may stand here, and then nothing is written.
    static func write(_ item: FeedItem, _ scope: Scope, into bytes: inout [UInt8]) -> Int {
        let shown = item.variants.filter { $0.price.minorUnits > 0 }
        guard let only = shown.first else { return 0 }
        var writer = JSONWriter(reserving: 600 + shown.count * 500)
        writer.object { writer in
            if item.isGroup { group(item, shown, scope, &writer) } else { single(item, only, scope, &writer) }
        }
        bytes.append(contentsOf: [UInt8(ascii: ","), 0x0A])
        bytes.append(contentsOf: writer.bytes)
        return shown.count
    }

    private static func group(
        _ item: FeedItem, _ variants: [FeedItem.Variant], _ scope: Scope, _ writer: inout JSONWriter
    ) {
        writer.field("@type", "ProductGroup")
        shared(item, &writer)
        images(item.images, &writer)
        writer.field("productGroupID", item.id)
        let axes = item.options.compactMap(\.axis)
        if !axes.isEmpty {
            writer.arrayField("variesBy") { writer in for axis in axes { writer.string(axis.term) } }
        }
        writer.arrayField("hasVariant") { writer in
            for variant in variants {
                writer.object { writer in
                    writer.field("@type", "Product")
                    writer.field("@id", "urn:uuid:\(variant.id)")
                    writer.field("name", variant.name)
                    images(item.images(of: variant), &writer)
                    writer.field("inProductGroupWithID", item.id)
                    details(item, variant, scope, &writer)
                }
            }
        }
    }

    private static func single(
        _ item: FeedItem, _ variant: FeedItem.Variant, _ scope: Scope, _ writer: inout JSONWriter
    ) {
        writer.field("@type", "Product")
        shared(item, &writer)
        images(item.images(of: variant), &writer)
        writer.field("productID", item.id)
        details(item, variant, scope, &writer)
    }

    private static func shared(_ item: FeedItem, _ writer: inout JSONWriter) {
        writer.field("@id", "urn:uuid:\(item.id)")
        writer.field("name", item.title)
        if let text = item.description { writer.field("description", text) }
        if let url = item.url { writer.field("url", url) }
        if let brand = item.brand {
            writer.objectField("brand") { writer in
                writer.field("@type", "Brand")
                writer.field("name", brand)
            }
        }
        if let category = item.category { writer.field("category", category) }
    }

    private static func images(_ images: [FeedItem.Image], _ writer: inout JSONWriter) {
        if images.isEmpty { return }
        writer.arrayField("image") { writer in for image in images { writer.string(image.url) } }
    }

    private static func details(
        _ item: FeedItem, _ variant: FeedItem.Variant, _ scope: Scope, _ writer: inout JSONWriter
    ) {
        if let sku = variant.sku { writer.field("sku", sku) }
        if let gtin = variant.gtin { writer.field("gtin", gtin) }
        if let mpn = variant.mpn { writer.field("mpn", mpn) }
        options(item, variant, &writer)
        writer.objectField("offers") { writer in offer(item, variant, scope, &writer) }
    }

    private static func options(_ item: FeedItem, _ variant: FeedItem.Variant, _ writer: inout JSONWriter) {
        func value(_ option: FeedItem.Option) -> String? {
            variant.choices.first { $0.option == option.name }?.value
        }
        let plain: Set<OptionAxis> = [.color, .size, .material, .pattern]
        var written: Set<OptionAxis> = []
        var others: [(name: String, value: String)] = []
        var audience: [(axis: OptionAxis, value: String)] = []
        for option in item.options {
            guard let value = value(option) else { continue }
            guard let axis = option.axis, written.insert(axis).inserted else {
                others.append((option.name, value))
                continue
            }
            if plain.contains(axis) { writer.field(axis.rawValue, value) } else { audience.append((axis, value)) }
        }
        if !audience.isEmpty {
            writer.objectField("audience") { writer in
                writer.field("@type", "PeopleAudience")
                for (axis, value) in audience { writer.field(axis.rawValue, value) }
            }
        }
        if others.isEmpty { return }
        writer.arrayField("additionalProperty") { writer in
            for (name, value) in others {
                writer.object { writer in
                    writer.field("@type", "PropertyValue")
                    writer.field("name", name)
                    writer.field("value", value)
                }
            }
        }
    }

    /// The price stands on the offer itself: a list price beside it is the only price specification.
    private static func offer(
        _ item: FeedItem, _ variant: FeedItem.Variant, _ scope: Scope, _ writer: inout JSONWriter
    ) {
        writer.field("@type", "Offer")
        writer.field("price", variant.price.decimalText)
        writer.field("priceCurrency", variant.price.currency.code)
        writer.field("availability", variant.availability.term)
        writer.field("itemCondition", "https://schema.org/NewCondition")
        if let url = item.url { writer.field("url", url) }
        writer.objectField("seller") { $0.field("@id", sellerID(scope)) }
        guard let before = variant.listPrice else { return }
        writer.objectField("priceSpecification") { writer in
            writer.field("@type", "UnitPriceSpecification")
            writer.field("priceType", "https://schema.org/StrikethroughPrice")
            writer.field("price", before.decimalText)
            writer.field("priceCurrency", before.currency.code)
        }
    }

    private static func sellerID(_ scope: Scope) -> String { "urn:uuid:\(scope.organisation)" }
}
