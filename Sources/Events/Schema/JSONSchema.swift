import Kernel

/// A JSON Schema (2020-12) that is ready to check values with: of its keywords those that are listed in
/// `docs/event-types.md`.
///
/// Nothing that a schema says is passed over: a keyword that is not known here is refused when the schema is read. Both
/// reading and checking are bounded, because schemas and values come from callers.
package struct JSONSchema: Sendable {
    /// Schemas inside of one schema; the largest that is published by a shop system has some hundreds.
    package static let nodesMost = 2000
    /// Schemas that are laid over the same value, one inside the other. More is never written by hand.
    static let layersMost = 16
    /// Steps of one check, some tens of milliseconds: a value of 1 MiB under an ordinary schema takes a tenth of them.
    package static let stepsMost = 2_000_000
    /// Schemas that may be open at once while a value is checked; a thread's stack holds several times as many.
    static let depthMost = 400
    /// Faults that are told of one value. Who mends these sees the next ones.
    static let faultsMost = 20

    /// The root's is the first.
    let nodes: [SchemaNode]

    /// Reads a schema; the faults name each part that is not understood by its pointer, which begins with `path`.
    package init(_ document: JSONValue, at path: [String] = []) throws(InvalidDocument) {
        var compiler = SchemaCompiler()
        nodes = try compiler.compile(document, at: path)
    }

    /// What is wrong with a value, by pointers into it that begin with `path`. Empty when the schema accepts it.
    package func faults(in value: JSONValue, at path: [String] = []) -> [FieldFault] {
        var evaluation = SchemaEvaluation(nodes: nodes, path: path)
        return evaluation.faults(in: value)
    }

    /// A JSON pointer (RFC 6901) of names and indices.
    static func pointer(_ path: [String]) -> String {
        path.map { name in
            "/"
                + name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }.joined()
    }
}

/// One schema: what it demands, in the order in which it is checked. No rules accept everything.
struct SchemaNode: Sendable {
    var rules: [SchemaRule] = []

    static let acceptsNothing = SchemaNode(rules: [.nothing])
}

/// One demand of a schema. Numbers stand for other schemas: they are indices into `JSONSchema.nodes`.
enum SchemaRule: Sendable {
    /// The schema `false`.
    case nothing
    case types([SchemaType])
    /// By the canonical text of the value; the list is as written, for the answer.
    case values(Set<[UInt8]>, shown: String)
    case number(NumberRule)
    case text(TextRule)
    case array(ArrayRule)
    case object(ObjectRule)
    case all([Int])
    case any([Int])
    case one([Int])
    case not(Int)
    case when(Int, then: Int?, otherwise: Int?)
    case reference(Int)

    /// The schemas that are laid over the same value. A circle of these would never come to an end.
    var layers: [Int] {
        switch self {
        case .all(let nodes), .any(let nodes), .one(let nodes): nodes
        case .not(let node), .reference(let node): [node]
        case .when(let condition, let then, let otherwise): [condition, then, otherwise].compactMap { $0 }
        case .object(let rule): rule.dependentSchemas.map(\.node)
        default: []
        }
    }
}

/// JSON Schema's names of types.
enum SchemaType: String, Sendable, CaseIterable {
    case null, boolean, integer, number, string, array, object

    func includes(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .bool), (.number, .number), (.string, .string), (.array, .array),
            (.object, .object):
            true
        // 1.0 is an integer (JSON Schema 2020-12 Core, 4.2.3).
        case (.integer, .number(let text)): DecimalDigits(text)?.isWhole ?? false
        default: false
        }
    }
}

/// What is demanded of numbers; other values pass.
struct NumberRule: Sendable {
    /// A bound as a value, and as it was written, for the answer.
    struct Bound: Sendable {
        let value: DecimalDigits
        let text: String
    }

    var minimum: Bound?
    var exclusiveMinimum: Bound?
    var maximum: Bound?
    var exclusiveMaximum: Bound?
    var multipleOf: Bound?
}

/// What is demanded of texts; other values pass. Lengths count code points.
struct TextRule: Sendable {
    var minimum: Int?
    var maximum: Int?
    var pattern: SchemaPattern?
    var format: SchemaFormat?
}

/// What is demanded of arrays; other values pass.
struct ArrayRule: Sendable {
    var minimum: Int?
    var maximum: Int?
    var isUnique = false
    var first: [Int] = []
    /// The schema of those behind `first`.
    var rest: Int?
    var contained: Int?
    var containedMinimum = 1
    var containedMaximum: Int?
}

/// What is demanded of objects; other values pass. Names are compared by their bytes: Swift's texts would take two
/// spellings of an accented letter for the same.
struct ObjectRule: Sendable {
    /// A name that entails others, or a schema for the whole object.
    struct Dependency: Sendable {
        let name: [UInt8]
        let required: [String]
    }

    struct DependentSchema: Sendable {
        let name: [UInt8]
        let node: Int
    }

    var minimum: Int?
    var maximum: Int?
    var required: [String] = []
    var dependencies: [Dependency] = []
    var dependentSchemas: [DependentSchema] = []
    var properties: [[UInt8]: Int] = [:]
    var patterns: [(pattern: SchemaPattern, node: Int)] = []
    /// The schema of members that neither `properties` nor `patterns` speak of.
    var additional: Int?
    var names: Int?
}

extension JSONValue {
    /// Bytes that are equal for values that JSON Schema holds for equal: 1 and 1.0, and objects in any order.
    var canonicalBytes: [UInt8] {
        var writer = JSONWriter()
        Self.writeCanonical(self, &writer)
        return writer.bytes
    }

    private static func writeCanonical(_ value: JSONValue, _ writer: inout JSONWriter) {
        switch value {
        case .number(let text): writer.raw((DecimalDigits(text)?.canonicalText ?? text).utf8)
        case .array(let items): writer.array { writer in for item in items { writeCanonical(item, &writer) } }
        case .object(let object):
            writer.object { writer in
                for member in object.members.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                    writer.key(member.name)
                    writeCanonical(member.value, &writer)
                }
            }
        default: writer.value(value)
        }
    }
}
