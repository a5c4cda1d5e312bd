import Kernel

/// Reads a schema document into nodes, and collects what it does not understand.
struct SchemaCompiler {
    private var nodes: [SchemaNode] = []
    /// Where each node stands in the document, for the faults that show only in the whole.
    private var places: [[String]] = []
    private var definitions: [[UInt8]: Int] = [:]
    private(set) var faults: [FieldFault] = []

    mutating func compile(_ document: JSONValue, at path: [String]) throws(InvalidDocument) -> [SchemaNode] {
        let root = reserve(at: path)
        // Definitions get their numbers first: they may refer to each other and to the root.
        if let members = document["$defs"]?.object?.members {
            for member in members {
                definitions[Array(member.name.utf8)] = reserve(at: path + ["$defs", member.name])
            }
            for member in members {
                guard let node = definitions[Array(member.name.utf8)] else { continue }
                nodes[node] = self.node(member.value, at: path + ["$defs", member.name])
            }
        } else if let other = document["$defs"] {
            fault(path + ["$defs"], "must be an object, not \(other.kind)")
        }
        nodes[root] = node(document, at: path, isRoot: true)
        if faults.isEmpty { findCircles() }
        if !faults.isEmpty { throw InvalidDocument(Array(faults.prefix(JSONSchema.faultsMost))) }
        return nodes
    }

    /// Whether a schema stands directly in the root's `properties`.
    func isProperty(ofRoot path: [String]) -> Bool {
        let root = places.first ?? []
        return path.count == root.count + 2 && path[root.count] == "properties"
    }

    private mutating func reserve(at path: [String]) -> Int {
        nodes.append(SchemaNode())
        places.append(path)
        return nodes.count - 1
    }

    mutating func fault(_ path: [String], _ detail: String) {
        faults.append(FieldFault(pointer: JSONSchema.pointer(path), detail: detail))
    }

    /// Reads one schema inside the document and returns its number.
    mutating func schema(_ value: JSONValue, at path: [String]) -> Int {
        guard nodes.count < JSONSchema.nodesMost else {
            if nodes.count == JSONSchema.nodesMost {
                fault(path, "is one schema too many: a document may hold \(JSONSchema.nodesMost)")
                _ = reserve(at: path)
            }
            return 0
        }
        let index = reserve(at: path)
        nodes[index] = node(value, at: path)
        return index
    }

    private mutating func node(_ value: JSONValue, at path: [String], isRoot: Bool = false) -> SchemaNode {
        switch value {
        case .bool(true): return SchemaNode()
        case .bool(false): return .acceptsNothing
        case .object(let object):
            var reader = SchemaReader(path: path, isRoot: isRoot)
            reader.read(object, with: &self)
            return SchemaNode(rules: reader.rules)
        default:
            fault(path, "must be a schema: an object, true or false, not \(value.kind)")
            return SchemaNode()
        }
    }

    /// The number of what a `$ref` names; a fault when it is not in this document.
    mutating func target(of reference: JSONValue, at path: [String]) -> Int? {
        guard let text = reference.string else {
            fault(path, "must be a text, not \(reference.kind)")
            return nil
        }
        if text == "#" { return 0 }
        let start = "#/$defs/"
        if text.hasPrefix(start) {
            let name = text.dropFirst(start.count).split(separator: "~1", omittingEmptySubsequences: false)
                .joined(separator: "/").split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
            if let node = definitions[Array(name.utf8)] { return node }
        }
        fault(path, "\"\(text.prefix(80))\" names nothing here: references are # or #/$defs/ and a name at the root")
        return nil
    }

    // MARK: Circles

    /// Refuses schemas that are laid over a value without end, or too many of them.
    private mutating func findCircles() {
        var heights = [Int?](repeating: nil, count: nodes.count)
        for index in nodes.indices where heights[index] == nil {
            var open: Set<Int> = []
            if measure(index, &heights, &open) == nil { return }
        }
    }

    /// How many schemas lie over each other from this one on; nil after a fault.
    private mutating func measure(_ index: Int, _ heights: inout [Int?], _ open: inout Set<Int>) -> Int? {
        if let height = heights[index] { return height }
        guard open.insert(index).inserted else {
            fault(places[index], "comes back to itself without going into the value")
            return nil
        }
        // The walk ends here too, so that a long chain does not grow the stack.
        guard open.count <= JSONSchema.layersMost else {
            fault(places[index], "lies under more than \(JSONSchema.layersMost) schemas over the same value")
            return nil
        }
        var height = 0
        for layer in nodes[index].rules.flatMap(\.layers) {
            guard let below = measure(layer, &heights, &open) else { return nil }
            height = max(height, below)
        }
        open.remove(index)
        heights[index] = height + 1
        guard height < JSONSchema.layersMost else {
            fault(places[index], "has more than \(JSONSchema.layersMost) schemas over the same value")
            return nil
        }
        return height + 1
    }
}
