import Kernel
import Testing

@Suite struct JSONScanTests {
    private func scan(_ text: String) throws -> JSONScan {
        try JSONScan(Array(text.utf8), for: ["connection_id", "event", "data"])
    }

    @Test("Picks top-level members wherever they stand: the bytes of each, and the text of a string")
    func picks() throws {
        let text =
            #" { "data" : {"event":"inner","x":[1, 2]} , "n":{"data":1}, "event":"a\u002eb", "connection_id" : 7 } "#
        let bytes = Array(text.utf8)
        let scan = try scan(text)

        #expect(scan[0].map { String(decoding: bytes[$0.range], as: UTF8.self) } == "7")
        #expect(scan[0]?.string == nil)
        #expect(scan[1].map { String(decoding: bytes[$0.range], as: UTF8.self) } == #""a\u002eb""#)
        #expect(scan[1]?.string == "a.b")
        #expect(scan[2].map { String(decoding: bytes[$0.range], as: UTF8.self) } == #"{"event":"inner","x":[1, 2]}"#)
    }

    @Test("A name with escapes is the name that it spells")
    func escapedNames() throws {
        #expect(try scan(#"{"\u0065vent":"x"}"#)[1]?.string == "x")
        #expect(try scan(#"{"event\u0000":"x","even":"y","events":"z"}"#)[1] == nil)
    }

    @Test(
        "A picked name that stands twice is refused, another one is not",
        arguments: [
            (#"{"event":"a","event":"b"}"#, true), (#"{"event":"a","\u0065vent":"b"}"#, true),
            (#"{"x":1,"x":2}"#, false), (#"{"event":"a","data":{"event":"b"}}"#, false),
        ])
    func duplicates(_ text: String, _ refused: Bool) {
        if refused {
            let error = #expect(throws: JSONSyntaxError.self) { try scan(text) }
            #expect(error?.fault == .duplicateName("event"))
        } else {
            #expect(throws: Never.self) { try scan(text) }
        }
    }

    @Test(
        "Only an object is scanned, and all of it is checked",
        arguments: [
            "[]", "1", "\"a\"", "null", "{\"event\":\"a\"} x", "{\"event\":\"a\",\"x\":[1,}",
            "{\"event\":\"a\",\"x\":01}", "{\"event\"}",
        ])
    func refused(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try scan(text) }
    }

    @Test("An empty object has none of the members")
    func empty() throws {
        let scan = try scan(" { } ")
        #expect((0..<3).allSatisfy { scan[$0] == nil })
    }
}
