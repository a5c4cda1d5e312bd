import Kernel

/// Our own CSV: one row a variant, one column a field. An empty cell empties its field, a missing column leaves it.
enum OwnSheet {
    enum Kind: Sendable {
        case text
        /// A text whose white space is its own.
        case prose
        /// Digits; whether they are a number, the field says.
        case integer
        /// A JSON array or object. A list may also be written as words with commas between them.
        case list
        case object
    }

    struct Column: Sendable {
        let heading: String
        let kind: Kind
        let isOfVariant: Bool
        /// Its name in the document, where that is another one.
        let name: String
        /// What an empty cell means: to empty the field, or nothing.
        let isEmptied: Bool

        init(
            _ heading: String, _ kind: Kind = .text, of variant: Bool = false, as name: String? = nil,
            emptied: Bool = true
        ) {
            self.heading = heading
            self.kind = kind
            isOfVariant = variant
            self.name = name ?? heading
            isEmptied = emptied
        }

        var pointer: String { isOfVariant ? "/variant/\(name)" : "/\(name)" }
    }

    /// In the order in which an export writes them.
    static let columns: [Column] = [
        Column("product_id", emptied: false), Column("handle"), Column("title", .prose, emptied: false),
        Column("description", .prose), Column("brand", .prose), Column("category", .prose), Column("url"),
        Column("status", emptied: false),
        Column("option_names", .list, as: "options"), Column("tags", .list), Column("attributes", .object),
        Column("media", .list),
        Column("sku", of: true), Column("barcode", of: true), Column("variant_title", .prose, of: true, as: "title"),
        Column("options", .object, of: true), Column("price", of: true), Column("compare_at_price", of: true),
        Column("currency", of: true), Column("cost_price", of: true), Column("cost_currency", of: true),
        Column("gtin", of: true), Column("mpn", of: true), Column("weight_grams", .integer, of: true),
        Column("image_url", of: true),
    ]
    /// The path in the tree of categories, as a JSON array or with " > " between the names.
    static let categoryPath = "category_path"
    /// The number of the variant in its product; empty for a product without any.
    static let position = "variant_position"
    static let headings = columns.map(\.heading) + [categoryPath, position]

    static func draft(_ cells: inout Cells) -> ImportDraft {
        var draft = ImportDraft(line: cells.line)
        var variant: [JSONObject.Member] = []
        var hasVariant = false
        for column in columns where cells.has(column.heading) {
            let text = column.kind == .prose ? cells.raw(column.heading) : cells.text(column.heading)
            if column.isOfVariant, text != nil { hasVariant = true }
            guard let value = value(text, column, &cells) else { continue }
            let member = JSONObject.Member(name: column.name, value: value)
            if column.isOfVariant { variant.append(member) } else { draft.product.append(member) }
        }
        if cells.has(position) { hasVariant = cells.text(position) != nil }
        if hasVariant { draft.variant = variant }
        if let path = cells.text(categoryPath) {
            if path.hasPrefix("[") {
                draft.categoryPath = json(path)?.array?.compactMap(\.string)
            } else {
                draft.categoryPath = path.split(separator: ">").map { String($0).trimmed }
            }
            if draft.categoryPath?.isEmpty ?? true { cells.fault(categoryPath, "is no path of names") }
        } else if cells.has(categoryPath) {
            draft.product.append(.init(name: "category_id", value: .null))
        }
        return draft
    }

    private static func value(_ text: String?, _ column: Column, _ cells: inout Cells) -> JSONValue? {
        guard let text else { return column.isEmptied ? .null : nil }
        switch column.kind {
        case .text, .prose: return .string(FormulaGuard.removed(text))
        case .integer: return .number(text)
        case .list where !text.hasPrefix("["):
            return .array(FormulaGuard.removed(text).split(separator: ",").map { .string(String($0).trimmed) })
        case .list, .object:
            if let value = json(text) { return value }
            cells.fault(column.heading, "is no JSON")
            return nil
        }
    }

    private static func json(_ text: String) -> JSONValue? {
        do { return try JSONValue(parsing: Array(text.utf8)) } catch { return nil }
    }
}

/// Keeps spreadsheets from running what a cell holds: a text that begins like a formula gets an apostrophe before it,
/// which reading takes away again. One that stands there already is kept the same way, so that nothing is lost.
enum FormulaGuard {
    private static let starts: Set<UInt8> = Set("=+-@\t\r".utf8)

    private static func isSuspect(_ text: String) -> Bool {
        text.utf8.first { $0 != UInt8(ascii: "'") }.map { starts.contains($0) } ?? false
    }

    static func added(_ text: String) -> String { isSuspect(text) ? "'" + text : text }

    static func removed(_ text: String) -> String {
        text.utf8.first == UInt8(ascii: "'") && isSuspect(text) ? String(text.dropFirst()) : text
    }
}
