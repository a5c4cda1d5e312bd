import Kernel

/// How a file is to be read: found out from its first bytes, the same each time.
struct ImportLayout: Sendable {
    enum Source: String, Sendable {
        case tradewind
        case shopify
        case woocommerce
    }

    let source: Source
    let grammar: RecordParser.Grammar
    /// Where each heading stands; empty for JSON lines.
    let columns: [String: Int]
    /// Cells of a record.
    let width: Int
    /// Where the first record begins.
    let offset: Int
    let line: Int

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// - Parameters:
    ///   - head: the file's first bytes.
    ///   - isWhole: whether that is all of it.
    init(_ format: CatalogueImport.Format, head: [UInt8], isWhole: Bool) throws(InvalidDocument) {
        if head.isEmpty { throw Self.fault("is empty") }
        if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) || head.prefix(2).contains(0) {
            throw Self.fault("is UTF-16; save it as UTF-8")
        }
        let start = head.starts(with: Self.byteOrderMark) ? 3 : 0
        guard format == .csv else {
            (source, grammar, columns, width) = (.tradewind, .lines, [:], 1)
            (offset, line) = (start, 1)
            return
        }
        let delimiter = Self.delimiter(of: head[start...])
        let grammar = RecordParser.Grammar.csv(delimiter: delimiter)
        var parser = RecordParser(grammar, offset: start, limit: head.count)
        parser.feed(head[start...])
        if isWhole { parser.finish() }
        guard let header = parser.next() else { throw Self.fault("has a header of more than \(head.count) bytes") }
        if let fault = header.fault { throw Self.fault("line 1 (the header): \(fault.reason)") }
        if header.isBlank { throw Self.fault("has no header in its first line") }
        columns = try Self.columns(of: header)
        source = try Self.source(of: columns, delimiter)
        self.grammar = grammar
        width = header.count
        (offset, line) = (parser.offset, parser.line)
    }

    private static func fault(_ detail: String) -> InvalidDocument {
        InvalidDocument(pointer: "", detail: "the file \(detail)")
    }

    /// The one of comma, semicolon, tab and bar that stands most often in the header, outside of quotes.
    private static func delimiter(of head: ArraySlice<UInt8>) -> UInt8 {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in head {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == 0x0A || byte == 0x0D { break }
            counts[byte, default: 0] += 1
        }
        let candidates = Array(",;\t|".utf8)
        return candidates.max { counts[$0, default: 0] < counts[$1, default: 0] }
            .flatMap { counts[$0] == nil ? nil : $0 } ?? UInt8(ascii: ",")
    }

    private static func columns(of header: Record) throws(InvalidDocument) -> [String: Int] {
        var columns: [String: Int] = [:]
        for index in 0..<header.count {
            guard let text = String(validating: header.cell(index), as: UTF8.self) else {
                throw fault("line 1 (the header): column \(index + 1) is not UTF-8")
            }
            let heading = text.trimmed.lowercased()
            // Spreadsheets leave empty columns at the end.
            if heading.isEmpty { continue }
            if columns.updateValue(index, forKey: heading) != nil {
                throw fault("line 1 (the header): the column \"\(heading)\" stands twice")
            }
        }
        return columns
    }

    private static func source(of columns: [String: Int], _ delimiter: UInt8) throws(InvalidDocument) -> Source {
        let headings = Set(columns.keys)
        if headings.isSuperset(of: ShopifySheet.known), !headings.isDisjoint(with: ShopifySheet.marks) {
            return .shopify
        }
        if headings.isSuperset(of: WooCommerceSheet.known), !headings.isDisjoint(with: WooCommerceSheet.marks) {
            return .woocommerce
        }
        let unknown = columns.sorted { $0.value < $1.value }.map(\.key).filter { !OwnSheet.headings.contains($0) }
        if !unknown.isEmpty {
            let named = unknown.prefix(5).map { "\"\($0.prefix(60))\"" }.joined(separator: ", ")
            throw fault(
                "has columns that are not known: \(named); read with \"\(Unicode.Scalar(delimiter))\" between them. "
                    + "Known are \(OwnSheet.headings.joined(separator: ", "))")
        }
        if headings.isDisjoint(with: ["sku", "handle", "product_id"]) {
            throw fault("needs a column sku, handle or product_id")
        }
        return .tradewind
    }

    // MARK: Records

    /// What a record says, in the names of the API.
    func entry(_ record: Record, currency: Currency?) -> ImportEntry {
        if let fault = record.fault {
            return .faults([ImportFault(line: record.line, field: nil, reason: fault.reason)])
        }
        if record.isBlank { return .nothing }
        if grammar == .lines { return JSONLine.entry(record) }
        if record.count != width {
            let reason = "has \(record.count) cells where the header has \(width)"
            return .faults([ImportFault(line: record.line, field: nil, reason: reason)])
        }
        var cells = Cells(record, columns)
        var draft =
            switch source {
            case .tradewind: OwnSheet.draft(&cells)
            case .shopify: ShopifySheet.draft(&cells, currency: currency)
            case .woocommerce: WooCommerceSheet.draft(&cells, currency: currency)
            }
        if !cells.faults.isEmpty { return .faults(cells.faults) }
        if source == .tradewind { draft.setCurrency(currency) }
        draft.group = draft.ownGroup
        return .drafts([draft])
    }

    /// The column that a field of the document came from.
    func field(of pointer: String) -> String {
        if grammar == .lines { return pointer }
        let known =
            switch source {
            case .tradewind: OwnSheet.columns.map { ($0.pointer, $0.heading) }
            case .shopify: ShopifySheet.sources.map { ($0.pointer, $0.heading) }
            case .woocommerce: WooCommerceSheet.sources.map { ($0.pointer, $0.heading) }
            }
        return known.first { pointer == $0.0 || pointer.hasPrefix($0.0 + "/") }?.1 ?? pointer
    }

    /// Puts the drafts of one product together, where the source spreads it over several rows.
    func settle(_ drafts: inout [ImportDraft]) {
        if source == .shopify { ShopifySheet.settle(&drafts) }
    }
}

extension ImportDraft {
    /// What says that two records are of one product; their line where nothing does.
    var ownGroup: String {
        for name in ["handle", "product_id"] {
            if let text = product.first(where: { $0.name == name })?.value.string { return "\(name) \(text)" }
        }
        return "sku \(sku ?? "of line \(line)")"
    }

    /// Gives a price without a currency the one of the whole file.
    mutating func setCurrency(_ currency: Currency?) {
        guard let currency, var members = variant,
            members.contains(where: { $0.name == "price" && $0.value != .null }),
            !members.contains(where: { $0.name == "currency" && $0.value != .null })
        else { return }
        members.removeAll { $0.name == "currency" }
        members.append(.text("currency", currency.code))
        variant = members
    }
}

/// Our own JSON lines: a product a line as the API takes it, with `variants`, or with one `variant`.
enum JSONLine {
    static func entry(_ record: Record) -> ImportEntry {
        func fault(_ reason: String) -> ImportEntry {
            .faults([ImportFault(line: record.line, field: nil, reason: reason)])
        }
        let value: JSONValue
        do { value = try JSONValue(parsing: Array(record.cell(0))) } catch { return fault("is no JSON: \(error)") }
        guard let object = value.object else { return fault("must be an object, not \(value.kind)") }
        var draft = ImportDraft(line: record.line)
        var variants: [JSONObject]?
        for member in object.members {
            switch member.name {
            case "variants":
                guard let items = member.value.array, items.allSatisfy({ $0.object != nil }) else {
                    return .faults([
                        ImportFault(line: record.line, field: "/variants", reason: "must be an array of objects")
                    ])
                }
                variants = items.compactMap(\.object)
            case "variant": draft.variant = member.value.object?.members
            case "category_path":
                draft.categoryPath = member.value.array?.compactMap(\.string)
                if draft.categoryPath?.isEmpty ?? true, member.value != .null {
                    return .faults([
                        ImportFault(line: record.line, field: "/category_path", reason: "must be an array of names")
                    ])
                }
            default: draft.product.append(member)
            }
        }
        draft.group = draft.ownGroup
        guard let variants, !variants.isEmpty else { return .drafts([draft]) }
        return .drafts(
            variants.enumerated().map { index, variant in
                var one = draft
                one.variant = variant.members
                one.variantPointer = "/variants/\(index)"
                return one
            })
    }
}
