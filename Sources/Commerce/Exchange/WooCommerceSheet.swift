import Kernel

/// WooCommerce's product CSV: a row of the type `variable` is a product, and those of the type `variation` are its
/// variants, which name it by its SKU or as `id:12`.
enum WooCommerceSheet {
    static let known: Set<String> = ["type", "sku", "name"]
    static let marks: Set<String> = ["regular price", "parent", "published"]

    /// The column that a field of the document comes from.
    static let sources: [(pointer: String, heading: String)] = [
        ("/handle", "sku"), ("/title", "name"), ("/description", "description"), ("/brand", "brands"),
        ("/category", "categories"), ("/tags", "tags"), ("/media", "images"), ("/status", "published"),
        ("/attributes", "attribute 1 name"), ("/parent", "parent"), ("/url", "external url"), ("/variant/sku", "sku"),
        ("/variant/price", "regular price"), ("/variant/currency", "regular price"),
        ("/variant/compare_at_price", "regular price"), ("/variant/barcode", "gtin, upc, ean, or isbn"),
        ("/variant/weight_grams", "weight (kg)"), ("/variant/image_url", "images"),
        ("/variant/options", "attribute 1 value(s)"),
    ]
    /// Grams in a unit, times a million.
    private static let units: [(heading: String, factor: Int64)] = [
        ("weight (kg)", 1_000_000_000), ("weight (g)", 1_000_000), ("weight (lbs)", 453_592_370),
        ("weight (oz)", 28_349_523),
    ]

    static func draft(_ cells: inout Cells, currency: Currency?) -> ImportDraft {
        var draft = ImportDraft(line: cells.line)
        let kinds = CommaList.parts(cells.text("type") ?? "simple").map { $0.lowercased() }
        let sku = cells.text("sku")
        if kinds.contains("variation") {
            guard let parent = cells.text("parent") else {
                cells.fault(
                    "parent",
                    "is empty: name the SKU of the variation's parent there (or id: and its ID), whose row has to "
                        + "stand before line \(cells.line); or make its Type simple")
                return draft
            }
            draft.parent = parent
            draft.product.add("handle", handle(of: parent))
            draft.variant = variant(&cells, sku: sku, currency: currency)
            let values = attributes(&cells)
            if !values.isEmpty { draft.variant?.append(.object("options", values)) }
            draft.variant?.add("image_url", cells.text("images").flatMap { CommaList.parts($0).first })
            return draft
        }
        guard let handle = sku.map(slug) ?? cells.text("id").map({ "id-\($0)" }) else {
            cells.fault("sku", "or an ID is required")
            return draft
        }
        draft.product.add("handle", handle)
        product(&cells, into: &draft)
        if !kinds.contains("variable") { draft.variant = variant(&cells, sku: sku, currency: currency) }
        return draft
    }

    private static func product(_ cells: inout Cells, into draft: inout ImportDraft) {
        draft.product.add("title", cells.text("name"))
        draft.product.add("description", cells.text("description"))
        draft.product.add("brand", cells.text("brands").flatMap { CommaList.parts($0).first })
        draft.product.add("url", cells.text("external url"))
        if let published = cells.text("published") {
            draft.product.add("status", ["1": "active", "0": "inactive", "-1": "draft"][published] ?? published)
        }
        if let place = cells.text("categories").flatMap({ CommaList.parts($0).first }) {
            draft.product.add("category", place)
            draft.categoryPath = place.split(separator: ">").map { String($0).trimmed }.filter { !$0.isEmpty }
        }
        if let tags = cells.text("tags") { draft.product.append(.texts("tags", CommaList.parts(tags))) }
        if let images = cells.text("images") {
            let media = CommaList.parts(images).map { JSONValue.object(JSONObject(members: [.text("url", $0)])) }
            draft.product.append(.init(name: "media", value: .array(media)))
        }
        let values = attributes(&cells)
        if !values.isEmpty { draft.product.append(.object("attributes", values)) }
    }

    private static func attributes(_ cells: inout Cells) -> [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        for number in 1...Limits.productAttributes {
            guard cells.has("attribute \(number) name") else { break }
            guard let name = cells.text("attribute \(number) name"),
                let value = cells.text("attribute \(number) value(s)"), !members.contains(where: { $0.name == name })
            else { continue }
            members.append(.text(name, value))
        }
        return members
    }

    private static func variant(_ cells: inout Cells, sku: String?, currency: Currency?) -> [JSONObject.Member] {
        var variant: [JSONObject.Member] = []
        variant.add("sku", sku)
        let regular = cells.text("regular price")
        let sale = cells.text("sale price")
        variant.add("price", sale ?? regular)
        if sale != nil { variant.add("compare_at_price", regular) }
        if sale ?? regular != nil { variant.add("currency", currency?.code) }
        variant.add("barcode", cells.text("gtin, upc, ean, or isbn"))
        for (heading, factor) in units {
            guard let text = cells.text(heading) else { continue }
            // To a whole gram.
            guard let millionths = DecimalDigits(text)?.integer(scaledBy: 6),
                case let (scaled, isTooMuch) = millionths.multipliedReportingOverflow(by: factor / 1000), !isTooMuch
            else {
                cells.fault(heading, "must be a number with at most six decimals")
                continue
            }
            variant.append(.init(name: "weight_grams", value: .number(String((scaled + 500_000_000) / 1_000_000_000))))
        }
        return variant
    }

    /// A handle that each SKU has for itself, but for its case, in which WooCommerce sees no difference either.
    static func slug(_ sku: String) -> String {
        var out: [UInt8] = []
        for byte in sku.lowercased().utf8 {
            if (97...122).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "-") {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "_"))
                out.append(contentsOf: hexText([byte]).utf8)
            }
        }
        return String(decoding: out.prefix(200), as: UTF8.self)
    }

    private static func handle(of parent: String) -> String {
        parent.hasPrefix("id:") ? "id-\(parent.dropFirst(3))" : slug(parent)
    }
}
