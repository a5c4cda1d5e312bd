import Events
import Foundation
import Kernel
import TestSupport
import Testing

/// Draws schemas of the supported keywords, and values that come near them.
///
/// Left out is where the judge decides otherwise than the specification: it works with binary floating point, its
/// patterns are Python's, and it counts formats as words for people. Numbers are whole or end in a half.
private struct SchemaDraw {
    var random: SeededRandom

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func pick<T>(_ items: [T]) -> T { items[number(0...items.count - 1)] }

    static let names = ["a", "b", "ab", "c1", "x_y"]
    static let texts = ["", "a", "ab", "abc", "aab", "A1", "b-2", "ünï", "👍", "2024"]
    static let patterns = ["^a", "b$", "^[a-z]+$", "^[^a]*$", "a{2}b?", "^(a|ab)+$", "[0-9]", "^.$", "-|A"]

    mutating func decimal() -> String {
        let whole = number(-4...12)
        return pick(["\(whole)", "\(whole).5", "\(whole).0", "\(whole)e1"])
    }

    // MARK: Values

    mutating func value(_ depth: Int) -> String {
        switch number(0...(depth > 0 ? 7 : 5)) {
        case 0: return "null"
        case 1: return pick(["true", "false"])
        case 2, 3: return decimal()
        case 4, 5: return "\"\(pick(Self.texts))\""
        case 6: return "[" + (0..<number(0...4)).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
        default:
            let members = Self.names.filter { _ in number(0...2) == 0 }
            return "{" + members.map { "\"\($0)\":" + value(depth - 1) }.joined(separator: ",") + "}"
        }
    }

    // MARK: Schemas

    mutating func schema(_ depth: Int, isRoot: Bool = false) -> String {
        if !isRoot, number(0...9) == 0 { return pick(["true", "false"]) }
        var keywords = (0..<number(1...3)).map { _ in number(0...1) == 0 && depth > 0 ? nested(depth) : flat() }
        if isRoot { keywords.append(##""$defs":{"d":\##(schema(0))}"##) }
        // A name that is drawn twice counts once.
        var seen: Set<Substring> = []
        return "{" + keywords.filter { seen.insert($0.prefix { $0 != ":" }).inserted }.joined(separator: ",") + "}"
    }

    private mutating func flat() -> String {
        let count = number(0...3)
        let name = { "\"\(Self.names[$0])\"" }
        switch number(0...13) {
        case 0: return #""type":"\#(pick(["null", "boolean", "integer", "number", "string", "array", "object"]))""#
        case 1: return #""type":["\#(pick(["null", "integer", "object"]))","\#(pick(["string", "array"]))"]"#
        case 2: return #""enum":[\#(value(1)),\#(value(1)),\#(value(0))]"#
        case 3: return #""const":\#(value(1))"#
        case 4: return #""\#(pick(["minimum", "maximum"]))":\#(decimal())"#
        case 5: return #""\#(pick(["exclusiveMinimum", "exclusiveMaximum"]))":\#(decimal())"#
        case 6: return #""multipleOf":\#(pick(["2", "3", "0.5", "1.5", "10"]))"#
        case 7: return #""\#(pick(["minLength", "maxLength"]))":\#(count)"#
        case 8: return #""pattern":"\#(pick(Self.patterns))""#
        case 9: return #""\#(pick(["minItems", "maxItems", "minProperties", "maxProperties"]))":\#(count)"#
        case 10: return #""uniqueItems":\#(pick(["true", "false"]))"#
        case 11: return #""required":[\#(name(number(0...2))),\#(name(number(3...4)))]"#
        case 12: return #""dependentRequired":{\#(name(number(0...4))):[\#(name(number(0...4)))]}"#
        default: return ##""$ref":"#/$defs/d""##
        }
    }

    private mutating func nested(_ depth: Int) -> String {
        let inner = { (draw: inout SchemaDraw) in draw.schema(depth - 1) }
        switch number(0...12) {
        case 0: return #""properties":{"a":\#(inner(&self)),"\#(pick(["b", "ab"]))":\#(inner(&self))}"#
        case 1: return #""additionalProperties":\#(inner(&self))"#
        case 2: return #""patternProperties":{"\#(pick(Self.patterns))":\#(inner(&self))}"#
        case 3: return #""propertyNames":\#(inner(&self))"#
        case 4: return #""items":\#(inner(&self))"#
        case 5: return #""prefixItems":[\#(inner(&self)),\#(inner(&self))]"#
        case 6: return #""contains":\#(inner(&self)),"minContains":\#(number(0...2)),"maxContains":\#(number(1...3))"#
        case 7: return #""allOf":[\#(inner(&self)),\#(inner(&self))]"#
        case 8: return #""anyOf":[\#(inner(&self)),\#(inner(&self))]"#
        case 9: return #""oneOf":[\#(inner(&self)),\#(inner(&self))]"#
        case 10: return #""not":\#(inner(&self))"#
        case 11: return #""if":\#(inner(&self)),"then":\#(inner(&self)),"else":\#(inner(&self))"#
        default: return #""dependentSchemas":{"\#(pick(Self.names))":\#(inner(&self))}"#
        }
    }
}

@Suite("JSON Schemas before a foreign judge", .isLongWork)
struct SchemaJudgeTests {
    private struct Case {
        let schema: String
        let values: [String]
    }

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Judges/jsonschema_judge.py").path

    /// For each case a 1 or 0 a value, by the reference implementation.
    private func verdicts(_ cases: [Case]) async throws -> [String] {
        let python = try JudgePython.path()
        let list = cases.map { #"{"schema":\#($0.schema),"values":[\#($0.values.joined(separator: ","))]}"# }
        let input = "[" + list.joined(separator: ",") + "]"
        let outcome = try await Program.run([python, Self.script], input: Array(input.utf8))
        #expect(outcome.exit == .code(0), "the judge itself failed: \(outcome.errors)")
        return outcome.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func ours(_ example: Case) throws -> String {
        let schema = try JSONSchema(JSONValue(parsing: Array(example.schema.utf8)))
        return try example.values.map { text in
            schema.faults(in: try JSONValue(parsing: Array(text.utf8))).isEmpty ? "1" : "0"
        }.joined()
    }

    @Test("Each type's example is accepted by its schema, and what is empty is not")
    func catalogue() async throws {
        let cases = EventCatalog.all.map { type in
            let example = String(decoding: type.examplePayload, as: UTF8.self)
            return Case(
                schema: String(decoding: PayloadSchema.json(of: type), as: UTF8.self),
                values: [example, "{}", "[]"])
        }
        let verdicts = try await verdicts(cases)
        for (type, (example, verdict)) in zip(EventCatalog.all, zip(cases, verdicts)) {
            #expect(verdict == "100", "\(type.name)")
            #expect(try ours(example) == verdict, "\(type.name)")
        }
    }

    @Test("Of drawn schemas and values each is accepted by both or by neither", arguments: [1, 2, 3] as [UInt64])
    func drawn(seed: UInt64) async throws {
        var draw = SchemaDraw(random: SeededRandom(seed: seed))
        var cases: [Case] = []
        while cases.count < 400 {
            let schema = draw.schema(3, isRoot: true)
            let example = Case(schema: schema, values: (0..<12).map { _ in draw.value(3) })
            // What refers to itself is refused here, and ends the judge by its stack.
            if (try? ours(example)) != nil { cases.append(example) }
        }
        let verdicts = try await verdicts(cases)
        var accepted = 0
        for (example, verdict) in zip(cases, verdicts) {
            let own = try ours(example)
            #expect(own == verdict, "\(example.schema) \(example.values)")
            accepted += own.count { $0 == "1" }
        }
        // The draw tells something only when both answers are common.
        #expect((800...4000).contains(accepted))
    }
}
