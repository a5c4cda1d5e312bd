import Kernel

/// Shopify's product CSV: rows with one handle are one product, the first of which holds what is the product's.
enum ShopifySheet {
    static let known: Set<String> = ["handle", "title"]
    static let marks: Set<String> = ["variant sku", "variant price", "option1 name", "option1 value", "variant grams"]

    /// The column that a field of the document comes from.
    static let sources: [(pointer: String, heading: String)] = [
        ("/handle", "handle"), ("/title", "title"), ("/description", "body (html)"), ("/brand", "vendor"),
        ("/category", "product category"), ("/tags", "tags"), ("/media", "image src"), ("/status", "status"),
        ("/options", "option1 name"), ("/variant/sku", "variant sku"), ("/variant/price", "variant price"),
        ("/variant/currency", "variant price"), ("/variant/compare_at_price", "variant compare at price"),
        ("/variant/cost_price", "cost per item"), ("/variant/barcode", "variant barcode"),
        ("/variant/weight_grams", "variant grams"), ("/variant/image_url", "variant image"),
        ("/variant/options", "option1 value"),
    ]

    static func draft(_ cells: inout Cells, currency: Currency?) -> ImportDraft {
        var draft = ImportDraft(line: cells.line)
        guard let handle = cells.text("handle") else {
            cells.fault("handle", "is required")
            return draft
        }
        draft.product.add("handle", handle)
        draft.product.add("title", cells.text("title"))
        draft.product.add("description", cells.text("body (html)"))
        draft.product.add("brand", cells.text("vendor"))
        draft.product.add("category", cells.text("product category") ?? cells.text("type"))
        if let tags = cells.text("tags") { draft.product.append(.texts("tags", CommaList.parts(tags))) }
        if let status = status(cells.text("status"), cells.text("published")) {
            draft.product.add("status", status)
        }
        if let image = cells.text("image src") {
            var media: [JSONObject.Member] = [.text("url", image)]
            media.add("alt", cells.text("image alt text"))
            draft.product.append(.init(name: "media", value: .array([.object(JSONObject(members: media))])))
        }
        draft.product += optionNames(&cells)
        draft.variant = variant(&cells, currency: currency)
        return draft
    }

    private static func status(_ text: String?, _ published: String?) -> String? {
        switch text?.lowercased() {
        case "archived": "inactive"
        case let status?: status
        case nil: published.map { $0.lowercased() == "true" ? "active" : "draft" }
        }
    }

    private static func optionNames(_ cells: inout Cells) -> [JSONObject.Member] {
        let names = (1...3).compactMap { cells.text("option\($0) name") }
        if names.isEmpty || names == ["Title"] { return [] }
        return [.texts("options", names)]
    }

    /// Nil for the rows that only add a picture. Values stand under their numbers until the names are known.
    private static func variant(_ cells: inout Cells, currency: Currency?) -> [JSONObject.Member]? {
        var variant: [JSONObject.Member] = []
        let price = cells.text("variant price")
        var sku = cells.text("variant sku")
        if sku?.hasPrefix("'") ?? false { sku?.removeFirst() }
        variant.add("sku", sku)
        variant.add("price", price)
        variant.add("compare_at_price", cells.text("variant compare at price"))
        if price != nil { variant.add("currency", currency?.code) }
        variant.add("cost_price", cells.text("cost per item"))
        variant.add("barcode", cells.text("variant barcode"))
        if let text = cells.text("variant grams") { variant.append(.init(name: "weight_grams", value: grams(text))) }
        variant.add("image_url", cells.text("variant image"))
        let values = (1...3).compactMap { number in
            cells.text("option\(number) value").map { JSONObject.Member.text("\(number)", $0) }
        }
        if !values.isEmpty { variant.append(.object("options", values)) }
        return price == nil && sku == nil && values.isEmpty ? nil : variant
    }

    /// To a whole gram: exports of weights in pounds and ounces write "226.796". What is below zero, or no number,
    /// stays as it is, and is refused where the field is read.
    private static func grams(_ text: String) -> JSONValue {
        guard let weight = DecimalDigits(text), weight.isPositive, let whole = weight.rounded else {
            return .number(text)
        }
        return .number(String(whole))
    }

    /// Puts the rows of one product together: pictures go to the first, option names to the values.
    static func settle(_ drafts: inout [ImportDraft]) {
        var names: [String] = []
        var media: [JSONValue] = []
        for index in drafts.indices {
            for member in drafts[index].product {
                if member.name == "options" { names = member.value.array?.compactMap(\.string) ?? [] }
                if member.name == "media" { media += member.value.array ?? [] }
            }
            drafts[index].product.removeAll { $0.name == "media" }
            guard let at = drafts[index].variant?.firstIndex(where: { $0.name == "options" }) else { continue }
            let values = drafts[index].variant?[at].value.object?.members ?? []
            let named = values.compactMap { member in
                Int(member.name).flatMap { names.indices.contains($0 - 1) ? names[$0 - 1] : nil }
                    .map { JSONObject.Member(name: $0, value: member.value) }
            }
            drafts[index].variant?.remove(at: at)
            if !named.isEmpty { drafts[index].variant?.append(.object("options", named)) }
        }
        if !media.isEmpty, !drafts.isEmpty { drafts[0].product.append(.init(name: "media", value: .array(media))) }
        // A row that only had a picture has nothing left to say, unless it is the product's own.
        drafts = drafts.enumerated().filter { $0.offset == 0 || $0.element.variant != nil }.map(\.element)
    }
}

/// Lists in one cell, as stores write them.
enum CommaList {
    /// The parts between commas, without white space and each once; `\,` is a comma of a part's own.
    static func parts(_ text: String) -> [String] {
        var parts: [String] = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                if character != "," { parts[parts.count - 1].append("\\") }
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        if isEscaped { parts[parts.count - 1].append("\\") }
        var seen: Set<String> = []
        return parts.map(\.trimmed).filter { !$0.isEmpty && seen.insert($0).inserted }
    }
}
