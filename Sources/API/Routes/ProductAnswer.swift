import Commerce
import Kernel

/// How products and variants are answered. What they cost the tenant is told to members only.
struct ProductAnswer {
    let showsCost: Bool

    init(for role: Role) { showsCost = role >= .member }

    func write(_ product: Product, _ writer: inout JSONWriter) {
        writer.field("id", product.id)
        writer.field("handle", product.handle)
        writer.field("title", product.title)
        writer.field("description", product.description)
        writer.field("brand", product.brand)
        writer.field("category", product.category)
        writer.field("category_id", product.categoryID)
        writer.field("url", product.url)
        writer.field("status", product.status.rawValue)
        // Kept as they are answered: the members without the braces around them.
        writer.raw((product.keptDetails ?? ProductDetails.emptyJSON).dropFirst().dropLast())
        writer.arrayField("variants") { writer in
            for variant in product.variants { writer.object { writer in write(variant, &writer) } }
        }
        writer.field("version", product.version)
        writer.field("created_at", product.createdAt)
        writer.field("updated_at", product.updatedAt)
    }

    func write(_ variant: Variant, _ writer: inout JSONWriter) {
        writer.field("id", variant.id)
        writer.field("product_id", variant.product)
        writer.field("sku", variant.sku)
        writer.field("barcode", variant.barcode)
        writer.field("title", variant.title)
        writer.key("options")
        writer.raw(variant.keptOptions ?? Array("{}".utf8))
        write("price", variant.price, &writer)
        write("compare_at_price", variant.compareAt, &writer)
        writer.field("currency", variant.price?.currency.code)
        if showsCost {
            write("cost_price", variant.cost, &writer)
            writer.field("cost_currency", variant.cost?.currency.code)
        }
        writer.field("gtin", variant.gtin)
        writer.field("mpn", variant.mpn)
        if let grams = variant.weightGrams {
            writer.field("weight_grams", grams)
        } else {
            writer.key("weight_grams")
            writer.null()
        }
        writer.field("image_url", variant.imageURL)
        writer.field("version", variant.version)
        writer.field("created_at", variant.createdAt)
        writer.field("updated_at", variant.updatedAt)
    }

    private func write(_ name: String, _ money: Money?, _ writer: inout JSONWriter) {
        guard let money else {
            writer.key(name)
            return writer.null()
        }
        writer.field(name, money)
    }
}
