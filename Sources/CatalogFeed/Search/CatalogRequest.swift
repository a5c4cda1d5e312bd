import Kernel

/// What an agent asks of the catalogue, in the words of UCP 2026-04-08. Its requests are open: members that are not
/// known here are passed over.
package enum CatalogRequest {
    /// Ids of one lookup at the most; the specification wants ten at least.
    package static let idsLimit = 50
    /// Products of a page when none is asked for, as the specification recommends, and at the most.
    static let pageDefault = 10
    static let pageLimit = 50

    package struct Search: Sendable, Equatable {
        var query: String?
        var categories: [String] = []
        var least: Int64?
        var most: Int64?
        /// What `least` and `most` are amounts of.
        var currency: String?
        var cursor: String?
        var limit = CatalogRequest.pageDefault

        package init(_ body: JSONValue) throws(InvalidDocument) {
            var reader = OpenReader(body)
            query = reader.text(["query"])
            categories = reader.texts(["filters", "categories"])
            least = reader.number(["filters", "price", "min"])
            most = reader.number(["filters", "price", "max"])
            currency = reader.text(["context", "currency"])
            cursor = reader.text(["pagination", "cursor"])
            if let asked = reader.number(["pagination", "limit"]) {
                if asked < 1 { reader.fault(["pagination", "limit"], "must be above zero") }
                limit = Int(min(max(asked, 1), Int64(CatalogRequest.pageLimit)))
            }
            try reader.finish()
        }
    }

    package struct Lookup: Sendable, Equatable {
        package var ids: [String]

        package init(_ body: JSONValue) throws(InvalidDocument) {
            var reader = OpenReader(body)
            var seen: Set<String> = []
            ids = reader.texts(["ids"]).filter { seen.insert($0).inserted }
            if ids.isEmpty { reader.fault(["ids"], "must have at least one id") }
            try reader.finish()
        }
    }

    package struct Detail: Sendable, Equatable {
        var id: String
        var selected: [CatalogueEntry.Choice]
        var preferences: [String]

        package init(_ body: JSONValue) throws(InvalidDocument) {
            var reader = OpenReader(body)
            id = reader.text(["id"]) ?? ""
            if id.isEmpty { reader.fault(["id"], "is required") }
            selected = reader.choices(["selected"])
            preferences = reader.texts(["preferences"])
            try reader.finish()
        }
    }
}

/// Reads members by their paths; wrong types are faults, unknown members are not.
private struct OpenReader {
    private let body: JSONValue
    private var faults: [FieldFault] = []

    init(_ body: JSONValue) {
        self.body = body
        if body.object == nil { faults.append(FieldFault(pointer: "", detail: "must be an object, not \(body.kind)")) }
    }

    mutating func fault(_ path: [String], _ detail: String) {
        faults.append(FieldFault(pointer: "/" + path.joined(separator: "/"), detail: detail))
    }

    func finish() throws(InvalidDocument) {
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }

    private mutating func value(_ path: [String]) -> JSONValue? {
        var value = body
        for (depth, name) in path.enumerated() {
            guard let object = value.object else {
                fault(Array(path[..<depth]), "must be an object, not \(value.kind)")
                return nil
            }
            guard let member = object[name], member != .null else { return nil }
            value = member
        }
        return value
    }

    mutating func text(_ path: [String]) -> String? {
        guard let value = value(path) else { return nil }
        guard let text = value.string, text.utf8.count <= 4096, !text.utf8.contains(0) else {
            fault(path, "must be a text of at most 4096 bytes")
            return nil
        }
        return text
    }

    mutating func number(_ path: [String]) -> Int64? {
        guard let value = value(path) else { return nil }
        if let number = value.integer { return number }
        fault(path, "must be a whole number")
        return nil
    }

    mutating func texts(_ path: [String]) -> [String] {
        guard let value = value(path) else { return [] }
        guard let items = value.array, items.count <= 1000 else {
            fault(path, "must be an array")
            return []
        }
        return items.enumerated().compactMap { index, item in
            if let text = item.string, text.utf8.count <= 4096, !text.utf8.contains(0) { return text }
            fault(path + [String(index)], "must be a text")
            return nil
        }
    }

    mutating func choices(_ path: [String]) -> [CatalogueEntry.Choice] {
        guard let value = value(path) else { return [] }
        guard let items = value.array, items.count <= 100 else {
            fault(path, "must be an array")
            return []
        }
        return items.enumerated().compactMap { index, item in
            if let name = item["name"]?.string, let label = item["label"]?.string { return .init(name, label) }
            fault(path + [String(index)], "must have name and label")
            return nil
        }
    }
}
