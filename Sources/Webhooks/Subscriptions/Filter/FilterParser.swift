import Kernel

/// Turns a filter's JSON into nodes and collects what is wrong with it.
struct FilterParser {
    private(set) var faults: [FilterFaults.Fault] = []
    private var tests = 0

    private static let operators = [
        "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$prefix", "$not",
    ]
    private static let segmentsMost = 8

    private mutating func fault(_ path: [String], _ detail: String) -> EventFilter.Node {
        faults.append(.init(path: path, detail: detail))
        return .all([])
    }

    /// An object of paths and combinations; all of its members must hold.
    mutating func conditions(_ value: JSONValue, at path: [String], depth: Int) -> EventFilter.Node {
        guard let object = value.object else { return fault(path, "must be an object, not \(value.kind)") }
        if object.members.isEmpty { return fault(path, "must hold at least one condition") }
        if depth > EventFilter.depthMost {
            return fault(path, "is nested deeper than \(EventFilter.depthMost) levels")
        }
        return .all(
            object.members.map { member in
                let place = path + [member.name]
                switch member.name {
                case "$and": return .all(list(member.value, at: place, depth: depth))
                case "$or": return .any(list(member.value, at: place, depth: depth))
                case "$not": return .not(conditions(member.value, at: place, depth: depth + 1))
                default: return field(member, at: place, depth: depth)
                }
            })
    }

    private mutating func list(_ value: JSONValue, at path: [String], depth: Int) -> [EventFilter.Node] {
        guard let items = value.array, !items.isEmpty else {
            return [fault(path, "must be a list of at least one object")]
        }
        return items.enumerated().map { index, item in
            conditions(item, at: path + [String(index)], depth: depth + 1)
        }
    }

    /// A path and what is asked of the values there.
    private mutating func field(_ member: JSONObject.Member, at path: [String], depth: Int) -> EventFilter.Node {
        let segments = member.name.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        if member.name.hasPrefix("$") {
            return fault(path, "\(member.name.prefix(40)) is no operator here; there are $and, $or and $not")
        }
        guard segments.count <= Self.segmentsMost, !segments.contains("") else {
            return fault(path, "must be a path of 1 to \(Self.segmentsMost) names parted by dots")
        }
        return asked(member.value, of: segments, at: path, depth: depth)
    }

    private mutating func asked(
        _ value: JSONValue, of segments: [String], at path: [String], depth: Int
    ) -> EventFilter.Node {
        guard let object = value.object else {
            return scalar(value, at: path).map { test(.among([$0]), of: segments, at: path) } ?? .all([])
        }
        if object.members.isEmpty { return fault(path, "must hold at least one operator") }
        if depth > EventFilter.depthMost {
            return fault(path, "is nested deeper than \(EventFilter.depthMost) levels")
        }
        return .all(
            object.members.map { member in
                operation(member, of: segments, at: path + [member.name], depth: depth)
            })
    }

    private mutating func operation(
        _ member: JSONObject.Member, of segments: [String], at path: [String], depth: Int
    ) -> EventFilter.Node {
        let value = member.value
        switch member.name {
        case "$eq": return scalar(value, at: path).map { test(.among([$0]), of: segments, at: path) } ?? .all([])
        case "$ne": return scalar(value, at: path).map { .not(test(.among([$0]), of: segments, at: path)) } ?? .all([])
        case "$in": return test(.among(scalars(value, at: path)), of: segments, at: path)
        case "$nin": return .not(test(.among(scalars(value, at: path)), of: segments, at: path))
        case "$gt": return comparison(.greater, value, of: segments, at: path)
        case "$gte": return comparison(.atLeast, value, of: segments, at: path)
        case "$lt": return comparison(.less, value, of: segments, at: path)
        case "$lte": return comparison(.atMost, value, of: segments, at: path)
        case "$prefix":
            guard let text = value.string else { return fault(path, "must be a text, not \(value.kind)") }
            return test(.hasPrefix(Array(text.utf8)), of: segments, at: path)
        case "$exists":
            guard let wanted = value.bool else { return fault(path, "must be true or false, not \(value.kind)") }
            let found = test(.exists, of: segments, at: path)
            return wanted ? found : .not(found)
        case "$not": return .not(asked(value, of: segments, at: path, depth: depth + 1))
        default:
            return fault(
                path,
                "is no operator; there are \(Self.operators.joined(separator: ", ")). Fields inside an object "
                    + "are named by a path with dots")
        }
    }

    private mutating func comparison(
        _ comparison: EventFilter.Comparison, _ value: JSONValue, of segments: [String], at path: [String]
    ) -> EventFilter.Node {
        switch scalar(value, at: path) {
        case .number(let number): return test(.compares(comparison, .number(number)), of: segments, at: path)
        case .text(let text): return test(.compares(comparison, .text(text)), of: segments, at: path)
        case .null, .bool: return fault(path, "must be a number or a text, not \(value.kind)")
        case nil: return .all([])
        }
    }

    private mutating func test(
        _ test: EventFilter.Test, of segments: [String], at path: [String]
    ) -> EventFilter.Node {
        tests += 1
        // Told once: a filter that is far too long need not be told so at each of its conditions.
        if tests == EventFilter.testsMost + 1 {
            return fault(path, "is one condition more than the \(EventFilter.testsMost) that a filter may have")
        }
        return .test(path: segments, test)
    }

    private mutating func scalars(_ value: JSONValue, at path: [String]) -> [Scalar] {
        guard let items = value.array, (1...EventFilter.valuesMost).contains(items.count) else {
            _ = fault(path, "must be a list of 1 to \(EventFilter.valuesMost) values")
            return []
        }
        return items.enumerated().compactMap { index, item in scalar(item, at: path + [String(index)]) }
    }

    private mutating func scalar(_ value: JSONValue, at path: [String]) -> Scalar? {
        if let scalar = Scalar(value) { return scalar }
        switch value {
        case .array, .object: _ = fault(path, "must be a text, a number, true, false or null, not \(value.kind)")
        default: _ = fault(path, "is a number with more digits than can be compared")
        }
        return nil
    }
}
