import Kernel

/// One thing that was wrong with a file, by its line and, where it is known, by its column or field.
package struct ImportFault: Sendable, Equatable {
    package let line: Int
    package let field: String?
    package let reason: String
}

/// What a record says of a product and perhaps of one of its variants, in the names of the API.
struct ImportDraft: Sendable, Equatable {
    let line: Int
    /// The same for the records of one product.
    var group: String
    var product: [JSONObject.Member] = []
    /// Nil where the record is about the product alone.
    var variant: [JSONObject.Member]?
    /// Names from the top of the tree of categories down to the product's.
    var categoryPath: [String]?
    /// What the record names as its parent, where it is a variation of a product that has a record of its own.
    var parent: String?
    /// Where the variant stands in the caller's own document.
    var variantPointer = "/variant"

    init(line: Int, group: String = "") {
        self.line = line
        self.group = group
    }

    var handle: String? { product.first { $0.name == "handle" }?.value.string }
    var sku: String? { variant?.first { $0.name == "sku" }?.value.string?.trimmed }

    /// The draft as the document that `CatalogueRow` reads.
    var document: JSONObject {
        var members = product
        if let variant { members.append(.init(name: "variant", value: .object(JSONObject(members: variant)))) }
        return JSONObject(members: members)
    }
}

/// What a record comes to.
enum ImportEntry: Sendable, Equatable {
    case drafts([ImportDraft])
    case faults([ImportFault])
    /// A blank line.
    case nothing
}

/// Reads the cells of one record by their headings, and notes those that are no text.
struct Cells {
    private let record: Record
    private let columns: [String: Int]
    private(set) var faults: [ImportFault] = []

    /// - Parameter columns: where each heading stands.
    init(_ record: Record, _ columns: [String: Int]) {
        self.record = record
        self.columns = columns
    }

    var line: Int { record.line }

    func has(_ heading: String) -> Bool { columns[heading] != nil }

    /// A cell's text without white space around it; nil where it is empty or missing.
    mutating func text(_ heading: String) -> String? {
        let trimmed = raw(heading)?.trimmed
        return trimmed?.isEmpty ?? true ? nil : trimmed
    }

    /// A cell's text as it stands; nil where it is empty or missing.
    mutating func raw(_ heading: String) -> String? {
        guard let index = columns[heading] else { return nil }
        let bytes = record.cell(index)
        if bytes.isEmpty { return nil }
        guard !bytes.contains(0) else {
            fault(heading, "holds a NUL byte")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            fault(heading, "is not UTF-8; a file from an older spreadsheet may be Windows-1252: save it as UTF-8")
            return nil
        }
        return text
    }

    mutating func fault(_ heading: String, _ reason: String) {
        faults.append(ImportFault(line: record.line, field: heading, reason: reason))
    }
}

extension JSONObject.Member {
    static func text(_ name: String, _ text: String) -> JSONObject.Member { .init(name: name, value: .string(text)) }
    static func texts(_ name: String, _ texts: [String]) -> JSONObject.Member {
        .init(name: name, value: .array(texts.map { .string($0) }))
    }
    static func object(_ name: String, _ members: [JSONObject.Member]) -> JSONObject.Member {
        .init(name: name, value: .object(JSONObject(members: members)))
    }
}

extension [JSONObject.Member] {
    mutating func add(_ name: String, _ text: String?) { if let text { append(.text(name, text)) } }
}
