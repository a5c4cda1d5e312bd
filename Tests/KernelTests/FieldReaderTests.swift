import Kernel
import Testing

@Suite struct FieldReaderTests {
    private enum Colour: String, CaseIterable { case red, green }

    private func faults(_ json: String, _ body: (FieldReader) -> Void) throws -> [String] {
        do {
            try FieldReader.read(JSONValue(parsing: Array(json.utf8))) { reader in body(reader) }
            return []
        } catch let error as InvalidDocument {
            return error.faults.map { "\($0.pointer): \($0.detail)" }
        }
    }

    @Test("Members that are right are read, and JSON's null counts as absent")
    func reading() throws {
        let json = #"""
            {"t":"x","n":5,"b":false,"id":"017f22e2-79b0-7cc3-98c4-dc0c0c07398f","c":"red","m":"1.50","k":2,"cur":"USD",
             "o":{"x":"y"},"l":[{"q":1},{"q":2}],"s":["a","b"],"none":null}
            """#
        let found = try faults(json) { reader in
            #expect(reader.requiredString("t") == "x")
            #expect(reader.integer("n", in: 0...10) == 5)
            #expect(reader.bool("b") == false)
            #expect(reader.id("id", of: Tenant.self) != nil)
            #expect(reader.choice("c", of: Colour.self) == .red)
            #expect(reader.currency("cur") == .usd)
            #expect(reader.money("m", in: .usd)?.minorUnits == 150)
            #expect(reader.money("k", in: .usd)?.minorUnits == 200)
            #expect(reader.object("o") { $0.string("x") } == "y")
            #expect(reader.objects("l", upTo: 2) { $0.integer("q", in: 0...9) } == [1, 2])
            #expect(reader.strings("s", upTo: 2) == ["a", "b"])
            #expect(reader.string("none") == nil)
            #expect(reader.isPresent("none") && !reader.isPresent("absent"))
            #expect(reader.string("absent") == nil)
        }
        #expect(found.isEmpty)
    }

    @Test("Every fault is collected with its pointer, unknown and nested members included")
    func collecting() throws {
        let json = #"""
            {"t":5,"long":"abcdef","blank":" \t","n":11,"f":1.5,"b":"yes","id":"x","c":"blue","m":"74.999",
             "mm":[],"cur":"ZZZ",
             "o":{"x":1,"extra":2},"l":[{"q":"1"},7,{"z":1}],"s":["a",1],"many":[1,2,3],"a/b~c":1}
            """#
        let found = try faults(json) { reader in
            _ = reader.string("t")
            _ = reader.string("long", upTo: 5)
            _ = reader.requiredString("blank")
            _ = reader.requiredString("gone")
            _ = reader.integer("n", in: 0...10)
            _ = reader.integer("f", in: 0...10)
            _ = reader.bool("b")
            _ = reader.id("id", of: Tenant.self)
            _ = reader.choice("c", of: Colour.self)
            _ = reader.money("m", in: .usd)
            _ = reader.money("mm", in: .usd)
            _ = reader.currency("cur")
            _ = reader.object("o") { $0.string("x") }
            _ = reader.objects("l", upTo: 9) { $0.integer("q", in: 0...9) }
            _ = reader.strings("s", upTo: 9)
            _ = reader.strings("many", upTo: 2)
        }
        #expect(
            found == [
                "/t: must be a text, not a number", "/long: is longer than 5 characters", "/blank: is required",
                "/gone: is required", "/n: must be a whole number from 0 to 10",
                "/f: must be a whole number from 0 to 10",
                "/b: must be true or false", "/id: must be a UUID", "/c: must be one of red, green",
                "/m: 74.999 has more than the 2 decimals that USD has", "/mm: must be a number, not an array",
                "/cur: \"ZZZ\" is not a currency code of ISO 4217", "/o/x: must be a text, not a number",
                "/o/extra: is not a field of this document", "/l/0/q: must be a whole number from 0 to 9",
                "/l/1: must be an object, not a number", "/l/2/z: is not a field of this document",
                "/s/1: must be a text, not a number", "/many: has more than 2 elements",
                "/a~1b~0c: is not a field of this document",
            ])
    }

    @Test(
        "A body that is no object is one fault", arguments: [("[]", "an array"), ("1", "a number"), ("null", "null")])
    func noObject(_ json: String, _ kind: String) throws {
        #expect(try faults(json) { _ in } == [": must be an object, not \(kind)"])
    }

    @Test("The sentence of an invalid document names each field")
    func sentence() {
        let error = InvalidDocument([
            FieldFault(pointer: "", detail: "is bad"), FieldFault(pointer: "/a", detail: "is required"),
        ])
        #expect("\(error)" == "document: is bad; /a: is required")
    }
}
