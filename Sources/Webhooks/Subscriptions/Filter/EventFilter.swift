import Kernel

/// Which events of the wanted types a subscription takes, by what their public payload says. Pure and bounded.
///
/// The language is a small part of MongoDB's: an object of paths and conditions, all of which must hold, with `$and`,
/// `$or` and `$not` to combine such objects. `docs/subscriptions.md` has it whole.
package struct EventFilter: Sendable, Equatable {
    /// Bytes of a filter's JSON.
    package static let bytesMost = 4096
    /// Conditions inside conditions: enough for an `$or` of `$and`s with a `$not` in each.
    package static let depthMost = 8
    /// Tests in one filter: what a fan-out spends on it is bounded with them.
    package static let testsMost = 64
    /// Values of one `$in` or `$nin`.
    package static let valuesMost = 100

    indirect enum Node: Sendable, Equatable {
        case all([Node])
        case any([Node])
        case not(Node)
        case test(path: [String], Test)
    }

    /// What the values at a path are asked.
    enum Test: Sendable, Equatable {
        case among([Scalar])
        case compares(Comparison, Scalar)
        case hasPrefix([UInt8])
        case exists
    }

    enum Comparison: Sendable, Equatable {
        case greater
        case atLeast
        case less
        case atMost
    }

    let root: Node

    /// The filter as it was given; stored and shown in this form.
    package let json: JSONValue

    private init(root: Node, json: JSONValue) {
        self.root = root
        self.json = json
    }

    /// Reads a filter; every fault is told with the path that leads to it.
    package static func read(_ value: JSONValue) throws(FilterFaults) -> EventFilter {
        var parser = FilterParser()
        let size = JSONWriter.bytes(of: value).count
        if size > bytesMost { throw FilterFaults([.init(path: [], detail: "is longer than \(bytesMost) bytes")]) }
        let root = parser.conditions(value, at: [], depth: 1)
        if parser.faults.isEmpty { return EventFilter(root: root, json: value) }
        throw FilterFaults(parser.faults)
    }

    /// Reads a row's text, which was checked when it was written.
    init(stored json: String) throws {
        self = try EventFilter.read(try JSONValue(parsing: Array(json.utf8)))
    }

    package static func == (a: EventFilter, b: EventFilter) -> Bool { a.json == b.json }
}

/// What is wrong with a filter, each with the names and indices that lead to it.
package struct FilterFaults: Error {
    package struct Fault: Sendable, Equatable {
        package let path: [String]
        package let detail: String
    }

    package let faults: [Fault]

    init(_ faults: [Fault]) { self.faults = faults }
}

/// A value that a condition compares with.
///
/// Numbers are equal by value and ordered as decimals, texts by their UTF-8 bytes; values of different kinds are
/// neither equal nor in any order.
enum Scalar: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(DecimalDigits)
    case text([UInt8])

    /// Nil for lists, objects, and numbers of more than 400 digits.
    init?(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let digits):
            guard let number = DecimalDigits(digits) else { return nil }
            self = .number(number)
        case .string(let text): self = .text(Array(text.utf8))
        case .array, .object: return nil
        }
    }
}
