import Kernel

extension EventFilter {
    /// Whether an event with this public payload is taken. A payload that is no JSON is not.
    package func matches(payload: [UInt8]) -> Bool {
        do throws(JSONSyntaxError) { return matches(try JSONValue(parsing: payload)) } catch { return false }
    }

    /// The same for a payload that was parsed before, for another subscription.
    package func matches(_ payload: JSONValue) -> Bool { root.holds(for: payload) }
}

extension EventFilter.Node {
    fileprivate func holds(for payload: JSONValue) -> Bool {
        switch self {
        case .all(let nodes): nodes.allSatisfy { $0.holds(for: payload) }
        case .any(let nodes): nodes.contains { $0.holds(for: payload) }
        case .not(let node): !node.holds(for: payload)
        case .test(let path, let test): test.holds(for: payload, at: path[...])
        }
    }
}

extension EventFilter.Test {
    /// Whether a value at the path passes. A list stands for each of its elements, on the way and at the end.
    fileprivate func holds(for value: JSONValue, at path: ArraySlice<String>) -> Bool {
        if case .array(let items) = value {
            // An empty list at the end is a value that exists, and equals nothing.
            if items.isEmpty { return path.isEmpty && self == .exists }
            return items.contains { holds(for: $0, at: path) }
        }
        guard let name = path.first else { return isPassed(by: value) }
        guard let member = value[name] else { return false }
        return holds(for: member, at: path.dropFirst())
    }

    private func isPassed(by value: JSONValue) -> Bool {
        switch self {
        case .exists: return true
        case .among(let wanted): return Scalar(value).map { wanted.contains($0) } ?? false
        case .hasPrefix(let prefix): return value.string?.utf8.starts(with: prefix) ?? false
        case .compares(let comparison, let bound):
            switch (Scalar(value), bound) {
            case (.number(let number), .number(let bound)): return comparison.holds(number, bound)
            case (.text(let text), .text(let bound)): return comparison.holds(Bytes(text), Bytes(bound))
            default: return false
            }
        }
    }

    /// Bytes in the order of their values, which for UTF-8 is the order of the characters' numbers.
    private struct Bytes: Comparable {
        let bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        static func < (a: Bytes, b: Bytes) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    }
}

extension EventFilter.Comparison {
    fileprivate func holds<Value: Comparable>(_ value: Value, _ bound: Value) -> Bool {
        switch self {
        case .greater: value > bound
        case .atLeast: value >= bound
        case .less: value < bound
        case .atMost: value <= bound
        }
    }
}
