import Events
import Kernel

/// Writes a catalogue as a file that an import reads back: products in the order in which they were made.
package struct CatalogueExport: Sendable {
    /// Products of one page: what is in memory at once.
    private static let page = 200

    private let products: ProductService
    private let categories: CategoryService

    package init(products: ProductService, categories: CategoryService) {
        self.products = products
        self.categories = categories
    }

    /// How many products it would write now.
    package func count(scope: Scope) async throws -> Int { try await products.count(scope: scope) }

    /// Hands over piece after piece. Products that are made meanwhile may or may not be among them; none comes twice.
    package func write(
        _ format: CatalogueImport.Format, scope: Scope,
        to take: (_ piece: [UInt8], _ products: Int) async throws -> Void
    ) async throws {
        let places = Dictionary(
            try await categories.list(scope: scope).map { ($0.category.id, $0.path) },
            uniquingKeysWith: { first, _ in first })
        var query = ProductQuery(limit: Self.page)
        if format == .csv { try await take(CSVText.line(OwnSheet.headings), 0) }
        while true {
            let found = try await products.list(query, scope: scope)
            var piece: [UInt8] = []
            for product in found {
                let path = product.categoryID.flatMap { places[$0] }
                switch format {
                case .csv: try piece += OwnSheet.lines(of: product, categoryPath: path)
                case .jsonl: piece += JSONLine.text(of: product, categoryPath: path)
                }
            }
            if !piece.isEmpty { try await take(piece, found.count) }
            guard found.count == Self.page, let last = found.last else { return }
            query.cursor = query.cursor(behind: last)
        }
    }
}

/// CSV as RFC 4180 has it, with quotes only where they are needed.
enum CSVText {
    static func line(_ cells: [String]) -> [UInt8] {
        var out: [UInt8] = []
        for (index, cell) in cells.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            append(cell, to: &out)
        }
        out.append(0x0D)
        out.append(0x0A)
        return out
    }

    private static func append(_ cell: String, to out: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let needsQuotes = cell.utf8.contains { $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0A || $0 == 0x0D }
        if !needsQuotes { return out.append(contentsOf: cell.utf8) }
        out.append(quote)
        for byte in cell.utf8 {
            if byte == quote { out.append(quote) }
            out.append(byte)
        }
        out.append(quote)
    }
}

extension OwnSheet {
    /// The rows of a product: one a variant, or one for a product without any.
    static func lines(of product: Product, categoryPath path: [String]?) throws -> [UInt8] {
        let details = try product.details
        func list<T>(_ items: [T], _ write: (T, inout JSONWriter) -> Void) -> String {
            if items.isEmpty { return "" }
            var writer = JSONWriter()
            writer.array { writer in for item in items { write(item, &writer) } }
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        let attributes = JSONWriter.object { writer in
            for one in details.attributes { writer.field(one.name, one.value) }
        }
        let own: [String] = [
            product.id.description, product.handle ?? "", product.title, product.description ?? "",
            product.brand ?? "", product.category ?? "", product.url ?? "", product.status.rawValue,
        ].map(FormulaGuard.added)
        let parts: [String] = [
            list(details.options) { $1.string($0) }, list(details.tags) { $1.string($0) },
            details.attributes.isEmpty ? "" : String(decoding: attributes, as: UTF8.self),
            list(details.media) { media, writer in
                writer.object { writer in
                    writer.field("url", media.url)
                    if let alt = media.alt { writer.field("alt", alt) }
                }
            },
        ]
        let place = list(path ?? []) { $1.string($0) }
        if product.variants.isEmpty {
            let none = columns.filter(\.isOfVariant).map { _ in "" }
            return CSVText.line(own + parts + none + [place, ""])
        }
        return product.variants.enumerated().flatMap { index, variant in
            CSVText.line(own + parts + cells(of: variant) + [place, String(index + 1)])
        }
    }

    private static func cells(of variant: Variant) -> [String] {
        func digits(_ money: Money?) -> String { money?.decimalText ?? "" }
        let texts: [String] = [
            variant.sku ?? "", variant.barcode ?? "", variant.title ?? "",
            variant.keptOptions.map { String(decoding: $0, as: UTF8.self) } ?? "", digits(variant.price),
            digits(variant.compareAt), variant.price?.currency.code ?? "", digits(variant.cost),
            variant.cost?.currency.code ?? "", variant.gtin ?? "", variant.mpn ?? "",
            variant.weightGrams.map(String.init) ?? "", variant.imageURL ?? "",
        ]
        return texts.map(FormulaGuard.added)
    }
}

extension JSONLine {
    /// A product as one line, in the members that an import takes.
    static func text(of product: Product, categoryPath path: [String]?) -> [UInt8] {
        let bytes = JSONWriter.object { writer in
            writer.field("product_id", product.id)
            writer.field("handle", product.handle)
            writer.field("title", product.title)
            writer.field("description", product.description)
            writer.field("brand", product.brand)
            writer.field("category", product.category)
            writer.field("url", product.url)
            writer.field("status", product.status.rawValue)
            writer.raw((product.keptDetails ?? ProductDetails.emptyJSON).dropFirst().dropLast())
            if let path { writer.arrayField("category_path") { for name in path { $0.string(name) } } }
            writer.arrayField("variants") { writer in
                for variant in product.variants { writer.object { writer in write(variant, &writer) } }
            }
        }
        return bytes + [0x0A]
    }

    private static func write(_ variant: Variant, _ writer: inout JSONWriter) {
        writer.field("sku", variant.sku)
        writer.field("barcode", variant.barcode)
        writer.field("title", variant.title)
        if let options = variant.keptOptions {
            writer.key("options")
            writer.raw(options)
        }
        if let price = variant.price {
            writer.field("price", price)
            writer.field("currency", price.currency.code)
        }
        if let before = variant.compareAt { writer.field("compare_at_price", before) }
        if let cost = variant.cost {
            writer.field("cost_price", cost)
            writer.field("cost_currency", cost.currency.code)
        }
        writer.field("gtin", variant.gtin)
        writer.field("mpn", variant.mpn)
        if let grams = variant.weightGrams { writer.field("weight_grams", grams) }
        writer.field("image_url", variant.imageURL)
    }
}
