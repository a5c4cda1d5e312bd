import Kernel
import Testing

@Suite struct JSONWriterTests {
    @Test("Commas stand between members and elements and nowhere else")
    func commas() {
        let bytes = JSONWriter.object { writer in
            writer.field("a", 1)
            writer.objectField("b") { writer in writer.field("c", true) }
            writer.objectField("d") { _ in }
            writer.arrayField("e") { writer in
                writer.integer(1)
                writer.array { _ in }
                writer.object { _ in }
                writer.null()
            }
            writer.key("f")
            writer.raw(#"{"raw":1}"#.utf8)
            writer.field("g", String?.none)
        }

        #expect(
            String(decoding: bytes, as: UTF8.self)
                == #"{"a":1,"b":{"c":true},"d":{},"e":[1,[],{},null],"f":{"raw":1},"g":null}"#)
    }

    @Test(
        "Texts are escaped where JSON demands it and left alone elsewhere",
        arguments: [
            ("", #""""#), ("plain", #""plain""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{8}\u{1F}", #""\u0000\u0008\u001f""#), ("é日👍\u{7F}", "\"é日👍\u{7F}\""), ("\"", #""\"""#),
            ("x\n", #""x\n""#),
        ])
    func escapes(_ text: String, _ json: String) {
        var writer = JSONWriter()
        writer.string(text)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == json)
    }

    @Test("A text that is a slice of another, or comes from elsewhere, is written whole")
    func slices() {
        let long = String(repeating: "é\n", count: 5000)
        var writer = JSONWriter()
        writer.string(String(long.dropFirst(3).prefix(4)))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #""\né\né""#)
    }

    @Test("Identifiers, instants and money have the forms of the wire")
    func fields() throws {
        let id = try #require(TenantID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))
        let bytes = JSONWriter.object { writer in
            writer.field("id", id)
            writer.field("at", Timestamp(milliseconds: 0))
            writer.field("price", Money(minorUnits: 14_990, currency: .usd))
            writer.field("none", TenantID?.none)
            writer.field("never", Timestamp?.none)
        }
        #expect(
            String(decoding: bytes, as: UTF8.self) == #"{"id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f","#
                + #""at":"1970-01-01T00:00:00.000Z","price":149.90,"none":null,"never":null}"#)
    }
}
