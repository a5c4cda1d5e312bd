import Testing

@testable import Kernel

@Suite struct JSONSyntaxTests {
    @Test(
        "A valid text becomes its tree",
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("\t\r\nfalse\n", .bool(false)), ("0", .number("0")),
            ("-0", .number("-0")), ("1e400", .number("1e400")), ("-1.50E+3", .number("-1.50E+3")),
            ("149.99", .number("149.99")), (#""""#, .string("")), ("[]", .array([])), ("[ ]", .array([])),
            ("{}", .object(.empty)), ("[1,[2],{}]", .array([.number("1"), .array([.number("2")]), .object(.empty)])),
            (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")), (#""\u00e9\u00E9é""#, .string("ééé")),
            (#""\ud83d\udc4d👍""#, .string("👍👍")), (#""日本 \u65e5""#, .string("日本 日")),
            ("\"\u{7F}\u{2028}\"", .string("\u{7F}\u{2028}")),
            // What no storage engine can hold is replaced; the raw bytes are kept elsewhere.
            (#""a\u0000b""#, .string("a\u{FFFD}b")), (#""\ud800""#, .string("\u{FFFD}")),
            (#""\udc00\ud800""#, .string("\u{FFFD}\u{FFFD}")), (#""\ud800\ud83d\udc4d""#, .string("\u{FFFD}👍")),
            (#""\ud800\n""#, .string("\u{FFFD}\n")), (#""\ud800x""#, .string("\u{FFFD}x")),
        ] as [(String, JSONValue)])
    func valid(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)) == value)
        #expect(throws: Never.self) { try stepOver(Array(text.utf8)) }
    }

    @Test(
        "An invalid text is refused, by the parser and by the scanner alike",
        arguments: [
            "", " ", "nul", "nulll", "True", "tru", "+1", "01", "-01", "1.", ".5", "-", "-a", "1e", "1e+", "1.e5",
            "0x1",
            "NaN", "Infinity", "1 2", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{\"a\"}", "{\"a\":}",
            "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:2}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "[1}",
            "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u\"", "\"a\nb\"", "\"a\tb\"",
            "\"\u{0}\"",
            "'a'", "// x\n1", "/* */1", "1;", "[1]x", "\u{FEFF}1", "1\u{A0}", "{\"a\":1}{}", "truefalse", "--1", "1-1",
            "1.2.3",
        ])
    func invalid(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(throws: JSONSyntaxError.self) { try stepOver(Array(text.utf8)) }
        #expect(throws: JSONSyntaxError.self) { try JSONScan(Array(text.utf8), for: ["a"]) }
    }

    @Test(
        "Bytes that are not UTF-8 are refused in texts and names",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x91], [0xF0, 0x9F, 0x91, 0x28],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0x63, 0x61, 0x66, 0xE9],
        ] as [[UInt8]])
    func badUTF8(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let text = [quote] + bytes + [quote]
        for document in [text, Array("{".utf8) + text + Array(":1}".utf8), [quote] + bytes] {
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: document) }
            #expect(throws: JSONSyntaxError.self) { try stepOver(document) }
        }
    }

    @Test("Every scalar's UTF-8 is accepted at the edges of the encoding's lengths")
    func edgeScalars() throws {
        for value in [
            0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x10FFFF,
        ] {
            let text = String(try #require(Unicode.Scalar(UInt32(value))))
            #expect(try JSONValue(parsing: Array("\"\(text)\"".utf8)) == .string(text))
        }
    }

    @Test(
        "Nesting is accepted to 64 levels and refused beyond, by the parser and by the scanner",
        arguments: ["[]", "{}"])
    func depth(_ pair: String) throws {
        func nested(_ levels: Int, empty: Bool) -> [UInt8] {
            let (open, close) = pair == "[]" ? ("[", "]") : ("{\"a\":", "}")
            let inside = empty ? pair : pair == "[]" ? "[1]" : "{\"a\":1}"
            let outer = levels - 1
            return Array((String(repeating: open, count: outer) + inside + String(repeating: close, count: outer)).utf8)
        }
        for empty in [true, false] {
            #expect(throws: Never.self) { try JSONValue(parsing: nested(64, empty: empty)) }
            #expect(throws: Never.self) { try stepOver(nested(64, empty: empty)) }
            for document in [nested(65, empty: empty), nested(10_000, empty: empty)] {
                #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: document) }
                #expect(throws: JSONSyntaxError.self) { try stepOver(document) }
            }
            guard pair == "{}" else { continue }
            for names in [["a"], ["other"]] as [[StaticString]] {
                #expect(throws: Never.self) { try JSONScan(nested(64, empty: empty), for: names) }
                #expect(throws: JSONSyntaxError.self) { try JSONScan(nested(65, empty: empty), for: names) }
            }
        }
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [UInt8](repeating: 0x5B, count: 10_000)) }
        #expect(throws: JSONSyntaxError.self) { try stepOver([UInt8](repeating: 0x5B, count: 10_000)) }
    }

    @Test("A name that stands twice is refused, in a small object and in a large one")
    func duplicates() {
        let many = (0..<100).map { "\"n\($0)\":1" }.joined(separator: ",")
        for text in ["{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"\\u0061\":2}}", "{\(many),\"n57\":1}"] {
            let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text.utf8)) }
            if case .duplicateName = error?.fault {} else { Issue.record("\(text): \(String(describing: error))") }
        }
        #expect(throws: Never.self) { try JSONValue(parsing: Array("{\(many)}".utf8)) }
    }

    @Test("Two spellings of one accented letter are two names")
    func canonicalEquivalents() throws {
        let many = (0..<20).map { ",\"n\($0)\":1" }.joined()
        for rest in ["", many] {
            let text = "{\"\u{E9}\":1,\"e\u{301}\":2\(rest)}"
            #expect(try JSONValue(parsing: Array(text.utf8)).object?.members.count ?? 0 >= 2)
        }
    }

    @Test("A document that is cut off at any byte is refused without a crash")
    func cuts() {
        let sample = Array(sampleOrder.utf8)
        #expect(throws: Never.self) { try JSONValue(parsing: sample) }
        for end in 0..<sample.count {
            let cut = Array(sample[..<end])
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: cut) }
            #expect(throws: JSONSyntaxError.self) { try stepOver(cut) }
            #expect(throws: JSONSyntaxError.self) { try JSONScan(cut, for: ["id", "line_items"]) }
        }
    }

    @Test("An error says what is wrong and at which byte")
    func descriptions() {
        let cases: [(String, String)] = [
            ("", "the body is empty"), ("[1;2]", "unexpected \";\" at byte 2"),
            ("[1,\u{1}]", "unexpected byte 0x01 at byte 3"),
            ("[1", "the text ends in the middle of a value, at byte 2"),
            ("1 x", "there is more after the end of the value, at byte 2"),
            ("[01]", "malformed number at byte 1"), ("\"\\x\"", "malformed escape in a text at byte 1"),
            ("{\"a\":1,\"a\":2}", "the name \"a\" stands twice in one object, at byte 7"),
        ]
        for (text, description) in cases {
            let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text.utf8)) }
            #expect(error?.description == description)
        }
        let error = #expect(throws: JSONSyntaxError.self) { try JSONScan(Array("[1]".utf8), for: ["a"]) }
        #expect(error?.description == "the body is not a JSON object")
    }
}

/// Checks a whole text without building a tree.
func stepOver(_ bytes: [UInt8]) throws(JSONSyntaxError) {
    let result: Result<Void, JSONSyntaxError> = bytes.withUnsafeBufferPointer { buffer in
        do throws(JSONSyntaxError) {
            var reader = JSONReader(buffer)
            try reader.skip()
            try reader.expectEnd()
            return .success(())
        } catch {
            return .failure(error)
        }
    }
    try result.get()
}

let sampleOrder = #"""
    {"id":727,"status":"processing","currency":"JPY","total":"1980.00","ratio":-1.5e-3,"paid":true,"note":null,
     "billing":{"first_name":"Zo\u00eb \ud83d\udc4d","city":"Łódź","tags":["a","\"b\"","c\\"]},
     "line_items":[{"id":1,"sku":"HUB-MUG-01","quantity":2,"price":5.996666666666666,"meta":[]},{"id":2,"meta":{}}]}
    """#
