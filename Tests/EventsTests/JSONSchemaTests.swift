import Kernel
import TestSupport
import Testing

@testable import Events

private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

/// A schema, a value that it accepts and one that it refuses, with the fault's place and a part of its words.
struct SchemaCase: Sendable, CustomTestStringConvertible {
    let schema: String
    let good: [String]
    let bad: [String]
    let pointer: String
    let words: String

    init(_ schema: String, good: [String], bad: [String], at pointer: String = "", _ words: String) {
        self.schema = schema
        self.good = good
        self.bad = bad
        self.pointer = pointer
        self.words = words
    }

    var testDescription: String { schema }

    static let values = [
        SchemaCase(#"{"type":"integer"}"#, good: ["1", "1.0", "-2e3", "0"], bad: ["1.5", "\"1\"", "1e-1"], "integer"),
        SchemaCase(#"{"type":["string","null"]}"#, good: ["null", "\"\""], bad: ["0", "{}"], "string or null"),
        SchemaCase(#"{"type":"number"}"#, good: ["1.5", "-0"], bad: ["\"1.5\"", "true"], "number"),
        SchemaCase(#"{"enum":[1,"a",{"b":[2]}]}"#, good: ["1.0", "{\"b\":[2.00]}"], bad: ["\"b\"", "true"], "one of"),
        SchemaCase(#"{"const":{"a":1,"b":2}}"#, good: [#"{"b":2,"a":1.0}"#], bad: [#"{"a":1}"#, "0"], "one of"),
        // One letter, and a letter with an accent of its own: Swift holds them for equal, JSON does not.
        SchemaCase(#"{"const":"\u00e9"}"#, good: [#""\u00e9""#], bad: [#""e\u0301""#], "one of"),
        SchemaCase("false", good: [], bad: ["null", "{}"], "may not be there"),
        SchemaCase("true", good: ["null", "[1]"], bad: [], ""),
        SchemaCase(
            #"{"minimum":0.1}"#, good: ["0.1", "0.10", "1e9", "\"x\""], bad: ["0.09999", "-5"], "at least 0.1"),
        SchemaCase(#"{"exclusiveMinimum":-1}"#, good: ["-0.9", "0"], bad: ["-1", "-1.0", "-2"], "above -1"),
        SchemaCase(#"{"maximum":100}"#, good: ["1e2", "99.9"], bad: ["100.0000000000000000001"], "at most 100"),
        SchemaCase(#"{"exclusiveMaximum":1e2}"#, good: ["99.99"], bad: ["100"], "below 1e2"),
        SchemaCase(
            #"{"multipleOf":0.01}"#, good: ["149.99", "0.07", "1e40", "-3"], bad: ["0.005"], "multiple of 0.01"),
        SchemaCase(#"{"multipleOf":3}"#, good: ["9", "3e2", "0"], bad: ["10", "1e30", "4.5"], "multiple of 3"),
    ]

    static let texts = [
        SchemaCase(#"{"minLength":2}"#, good: [#""ab""#, "1", #""👍🏽""#], bad: [#""a""#, #""é""#], "at least 2"),
        SchemaCase(#"{"maxLength":1}"#, good: [#""👍""#, #""""#], bad: [#""ab""#, #""e\u0301""#], "at most 1"),
        SchemaCase(#"{"pattern":"^[A-Z]{3}-\\d+$"}"#, good: [#""ABC-1""#], bad: [#""AB-1""#, #""ABC-""#], "pattern"),
        SchemaCase(#"{"pattern":"b+c"}"#, good: [#""xbbcx""#], bad: [#""bac""#], "pattern"),
        SchemaCase(
            #"{"format":"date-time"}"#,
            good: [#""2024-12-04T15:32:07.412Z""#, #""2024-02-29t00:00:00+01:30""#, "1"],
            bad: [
                #""2024-12-04""#, #""2023-02-29T00:00:00Z""#, #""2024-12-04T15:32:07""#, #""2024-12-04 15:32:07Z""#,
            ], "date-time"),
        SchemaCase(#"{"format":"date"}"#, good: [#""2024-02-29""#], bad: [#""2023-02-29""#, #""2024-2-9""#], "date"),
        SchemaCase(
            #"{"format":"uuid"}"#, good: [#""019391c1-2c5c-7000-8000-000000000001""#],
            bad: [#""019391c12c5c70008000000000000001""#, #""01JE8W2B2W0000000000000001""#], "uuid"),
        SchemaCase(
            #"{"format":"email"}"#, good: [#""ann+x@example.test""#],
            bad: [#""ann""#, #""a@b@c.test""#, #""@c.test""#, #""a b@c.test""#, #""a@-c.test""#], "email"),
        SchemaCase(
            #"{"format":"uri"}"#, good: [#""https://a.test/b?c=%20#d""#, #""urn:x:y""#],
            bad: [#""/b""#, #""https://a.test/ b""#, #""https://a.test/%2""#, #""1a:b""#], "uri"),
    ]

    static let containers = [
        SchemaCase(#"{"minItems":1,"maxItems":2}"#, good: ["[1]", "[1,2]", "{}"], bad: ["[]", "[1,2,3]"], "elements"),
        SchemaCase(#"{"uniqueItems":true}"#, good: ["[1,\"1\",true]"], bad: ["[1,2,1.0]", "[{},{}]"], "twice"),
        SchemaCase(
            #"{"items":{"type":"string"}}"#, good: ["[]", "[\"a\"]"], bad: ["[\"a\",1]"], at: "/1", "string"),
        SchemaCase(
            #"{"prefixItems":[{"type":"string"}],"items":false}"#, good: ["[]", "[\"a\"]"], bad: ["[\"a\",1]"],
            at: "/1", "may not be there"),
        SchemaCase(
            #"{"contains":{"const":1},"minContains":2,"maxContains":3}"#, good: ["[1,0,1]", "[1,1,1]"],
            bad: ["[1]", "[1,1,1,1]"], "contains"),
        SchemaCase(#"{"contains":{"const":1},"minContains":0}"#, good: ["[]", "[2]"], bad: [], ""),
        SchemaCase(#"{"minProperties":1,"maxProperties":1}"#, good: [#"{"a":1}"#], bad: ["{}"], "members"),
        SchemaCase(
            #"{"required":["a","b/c"]}"#, good: [#"{"a":1,"b/c":null}"#], bad: [#"{"a":1}"#], at: "/b~1c", "req"),
        SchemaCase(
            #"{"properties":{"a":{"type":"integer"}},"additionalProperties":false}"#, good: ["{}", #"{"a":1}"#],
            bad: [#"{"b":1}"#], at: "/b", "not a field"),
        SchemaCase(
            #"{"properties":{"a":{}},"additionalProperties":{"type":"string"}}"#, good: [#"{"a":1,"b":"x"}"#],
            bad: [#"{"b":1}"#], at: "/b", "string"),
        SchemaCase(
            #"{"patternProperties":{"^x_":{"type":"integer"}},"additionalProperties":false}"#,
            good: [#"{"x_a":1}"#], bad: [#"{"x_a":"1"}"#], at: "/x_a", "integer"),
        SchemaCase(#"{"propertyNames":{"maxLength":1}}"#, good: [#"{"a":1}"#], bad: [#"{"ab":1}"#], at: "/ab", "name"),
        SchemaCase(
            #"{"dependentRequired":{"a":["b"]}}"#, good: ["{}", #"{"b":1}"#, #"{"a":1,"b":1}"#], bad: [#"{"a":1}"#],
            at: "/b", "required"),
        SchemaCase(
            #"{"dependentSchemas":{"a":{"required":["b"]}}}"#, good: [#"{"b":1}"#], bad: [#"{"a":1}"#], at: "/b",
            "required"),
    ]

    static let combinations = [
        SchemaCase(#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, good: ["1", "2"], bad: ["0"], "at least 1"),
        SchemaCase(#"{"anyOf":[{"minimum":5},{"type":"string"}]}"#, good: ["5", "\"\""], bad: ["4"], "none of the 2"),
        SchemaCase(#"{"oneOf":[{"minimum":1},{"minimum":5}]}"#, good: ["2"], bad: ["6"], "2 of the 2"),
        SchemaCase(#"{"not":{"type":"null"}}"#, good: ["0"], bad: ["null"], "forbids"),
        SchemaCase(
            #"{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}"#,
            good: [#"{"a":1,"b":0}"#, #"{"c":1}"#], bad: [#"{"a":1}"#], at: "/b", "required"),
        SchemaCase(
            ##"{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"integer"}}}"##, good: ["1"], bad: ["\"\""], "integer"),
        SchemaCase(
            ##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
            good: [#"{"next":{"next":{}}}"#], bad: [#"{"next":{"next":{"x":1}}}"#], at: "/next/next/x", "not a field"),
    ]
}

@Suite("JSON Schemas")
struct JSONSchemaTests {
    @Test(
        "A keyword accepts what it should, and names the place of what it refuses",
        arguments: SchemaCase.values + SchemaCase.texts + SchemaCase.containers + SchemaCase.combinations)
    func keywords(_ example: SchemaCase) throws {
        let schema = try JSONSchema(json(example.schema))
        for value in example.good { #expect(schema.faults(in: try json(value)).isEmpty, "\(value)") }
        for value in example.bad {
            let faults = schema.faults(in: try json(value))
            #expect(faults.first?.pointer == example.pointer, "\(value)")
            #expect(faults.first?.detail.contains(example.words) == true, "\(value): \(faults)")
        }
    }

    @Test("All faults are told at once, in the order of the value")
    func several() throws {
        let schema = try JSONSchema(
            json(#"{"required":["z"],"properties":{"a":{"type":"integer"},"b":{"items":{"minimum":3}}}}"#))
        let faults = schema.faults(in: try json(#"{"a":"x","b":[1,5,2]}"#), at: ["payload"])
        #expect(faults.map(\.pointer) == ["/payload/z", "/payload/a", "/payload/b/0", "/payload/b/2"])
    }

    @Test("A value with a thousand faults is told twenty of them")
    func many() throws {
        let value = JSONValue.array(Array(repeating: .null, count: 1000))
        #expect(try JSONSchema(json(#"{"items":{"type":"string"}}"#)).faults(in: value).count == 20)
    }

    @Test(
        "What is not supported is refused by name and place, never passed over",
        arguments: [
            (#"{"properties":{"a":{"unevaluatedProperties":false}}}"#, "/schema/properties/a/unevaluatedProperties"),
            (#"{"minLenght":1}"#, "/schema/minLenght"),
            (##"{"$dynamicRef":"#"}"##, "/schema/$dynamicRef"),
            (#"{"items":[{}]}"#, "/schema/items"),
            (#"{"format":"ipv4"}"#, "/schema/format"),
            (#"{"pattern":"(a)\\1"}"#, "/schema/pattern"),
            (#"{"pattern":"(?=a)"}"#, "/schema/pattern"),
            (#"{"patternProperties":{"[":{}}}"#, "/schema/patternProperties/["),
            (#"{"$ref":"https://example.test/s"}"#, "/schema/$ref"),
            (##"{"$ref":"#/$defs/none"}"##, "/schema/$ref"),
            (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "/schema/$schema"),
            (#"{"properties":{"a":{"$id":"b"}}}"#, "/schema/properties/a/$id"),
            (#"{"type":"text"}"#, "/schema/type"),
            (#"{"type":[]}"#, "/schema/type"),
            (#"{"minLength":-1}"#, "/schema/minLength"),
            (#"{"minLength":1.5}"#, "/schema/minLength"),
            (#"{"multipleOf":0}"#, "/schema/multipleOf"),
            (#"{"multipleOf":1.2345678901234567891}"#, "/schema/multipleOf"),
            (#"{"minimum":"1"}"#, "/schema/minimum"),
            (#"{"required":["a","a"]}"#, "/schema/required"),
            (#"{"enum":[]}"#, "/schema/enum"),
            (#"{"allOf":[]}"#, "/schema/allOf"),
            (#"{"allOf":[1]}"#, "/schema/allOf/0"),
            (#"{"then":{}}"#, "/schema/then"),
            (#"{"minContains":1,"maxContains":2}"#, "/schema"),
            (#"{"properties":{"a":{"x-privacy":"secret"}}}"#, "/schema/properties/a/x-privacy"),
            (
                #"{"properties":{"a":{"properties":{"b":{"x-privacy":"confidential"}}}}}"#,
                "/schema/properties/a/properties/b/x-privacy"
            ),
            (#"{"x-privacy":"confidential"}"#, "/schema/x-privacy"),
            ("[]", "/schema"),
        ])
    func refused(schema: String, pointer: String) throws {
        let error = #expect(throws: InvalidDocument.self) { try JSONSchema(json(schema), at: ["schema"]) }
        #expect(error?.faults.map(\.pointer) == [pointer])
    }

    @Test(
        "A schema that comes back to itself over the same value is refused",
        arguments: [
            ##"{"$ref":"#"}"##, ##"{"anyOf":[{"type":"null"},{"not":{"$ref":"#"}}]}"##,
            ##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}"##,
            ##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##, ##"{"if":{"$ref":"#"}}"##,
        ])
    func circles(schema: String) throws {
        let error = #expect(throws: InvalidDocument.self) { try JSONSchema(json(schema)) }
        #expect(error?.faults.first?.detail.contains("comes back to itself") == true)
    }

    @Test("More than sixteen schemas over one value are refused, and sixteen are taken")
    func layers() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"not":"#, count: depth) + "{}" + String(repeating: "}", count: depth)
        }
        _ = try JSONSchema(json(nested(15)))
        #expect(throws: InvalidDocument.self) { try JSONSchema(json(nested(16))) }
    }

    @Test("A schema of more than two thousand parts is refused")
    func size() throws {
        let list = Array(repeating: "{}", count: 2000).joined(separator: ",")
        let error = #expect(throws: InvalidDocument.self) { try JSONSchema(json(#"{"allOf":[\#(list)]}"#)) }
        #expect(error?.faults.first?.detail.contains("2000") == true)
    }

    @Test("A check that would take too long ends, and says so", .isLongWork)
    func bounded() throws {
        let list = Array(repeating: ##"{"$ref":"#/$defs/a"}"##, count: 900).joined(separator: ",")
        let schema = try JSONSchema(json(##"{"items":{"allOf":[\##(list)]},"$defs":{"a":{"minimum":0}}}"##))
        let value = JSONValue.array(Array(repeating: .number("1"), count: 5000))
        #expect(schema.faults(in: value).map(\.detail) == ["takes too many steps to check"])
        #expect(schema.faults(in: .array([.number("-1")])).count == 20)
    }
}
