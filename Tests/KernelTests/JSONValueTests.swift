import Kernel
import Testing

@Suite struct JSONValueTests {
    private func value(_ json: String) throws -> JSONValue { try JSONValue(parsing: Array(json.utf8)) }

    @Test("Accessors give what a value is and nil for every other kind")
    func accessors() throws {
        let object = try value(#"{"s":"x","n":1.50,"b":true,"a":[1],"o":{"k":null},"z":null}"#)
        #expect(object["s"]?.string == "x")
        #expect(object["n"]?.decimalText == "1.50")
        #expect(object["s"]?.decimalText == "x")
        #expect(object["b"]?.bool == true)
        #expect(object["a"]?.array?.count == 1)
        #expect(object["o"]?["k"] == .null)
        #expect(object["none"] == nil)
        #expect(object["s"]?.array == nil && object["s"]?.object == nil && object["s"]?.bool == nil)
        #expect(object["n"]?.string == nil && object["s"]?["k"] == nil && object["b"]?.decimalText == nil)
        #expect(object.object?.members.map(\.name) == ["s", "n", "b", "a", "o", "z"])
    }

    @Test(
        "An identifier of another system is text, from a text or a number",
        arguments: [
            ("\"gid://1\"", "gid://1"), ("727", "727"), ("12345678901234567890123", "12345678901234567890123"),
            ("\"\"", nil),
            ("null", nil), ("true", nil), ("[]", nil),
        ] as [(String, String?)])
    func identifiers(_ json: String, _ identifier: String?) throws {
        #expect(try value(json).identifier == identifier)
    }

    @Test(
        "A whole number is read whatever its spelling, and nothing else is",
        arguments: [
            ("5", 5), ("5.0", 5), ("1e2", 100), ("-0", 0), ("5.5", nil), ("9223372036854775808", nil), ("\"5\"", nil),
            ("1e400", nil),
        ] as [(String, Int64?)])
    func integers(_ json: String, _ integer: Int64?) throws {
        #expect(try value(json).integer == integer)
    }
}
