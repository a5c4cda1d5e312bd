import Testing

@testable import Kernel

/// Seeded documents and mutations of them: parser, scanner and writer have to agree on each.
@Suite struct JSONAgreementTests {
    @Test("Stepping over a text accepts what the parser accepts, duplicate names apart, over 2,000 texts and mutations")
    func skipAgrees() {
        var random = SplitMix(state: 2026)
        var accepted = 0
        var refused = 0
        for round in 0..<2000 {
            var writer = JSONWriter()
            writer.value(tree(&random, depth: 0))
            var text = writer.bytes
            if round % 4 != 0 { mutate(&text, &random) }
            let parsed = fault { () throws(JSONSyntaxError) in _ = try JSONValue(parsing: text) }
            let stepped = fault { () throws(JSONSyntaxError) in try stepOver(text) }
            if case .duplicateName = parsed { continue }
            if parsed == nil { accepted += 1 } else { refused += 1 }
            if parsed != stepped, !text.isEmpty {
                Issue.record("\(String(decoding: text, as: UTF8.self)): \(String(describing: (parsed, stepped)))")
            }
        }
        // Both halves of the corpus have to be there for the test to mean something.
        #expect(accepted > 500)
        #expect(refused > 500)
    }

    @Test("What the writer writes parses back to the same tree")
    func writerRoundTrip() throws {
        var random = SplitMix(state: 7)
        for _ in 0..<1000 {
            let value = tree(&random, depth: 0)
            var writer = JSONWriter()
            writer.value(value)
            #expect(try JSONValue(parsing: writer.bytes) == value)
        }
    }

    @Test("A picked member's bytes are what the parser finds under that name")
    func scanAgrees() throws {
        var random = SplitMix(state: 99)
        for _ in 0..<500 {
            let object = JSONValue.object(
                JSONObject(
                    members: ["x", "id", "data", "y"].map { name in
                        JSONObject.Member(name: name, value: tree(&random, depth: 1))
                    }))
            var writer = JSONWriter()
            writer.value(object)
            let scan = try JSONScan(writer.bytes, for: ["data", "id", "absent"])
            for (index, name) in ["data", "id"].enumerated() {
                let member = try #require(scan[index])
                #expect(try JSONValue(parsing: Array(writer.bytes[member.range])) == object[name])
                #expect(member.string == object[name]?.string)
            }
            #expect(scan[2] == nil)
        }
    }

    private func fault(_ body: () throws(JSONSyntaxError) -> Void) -> JSONSyntaxError.Fault? {
        do throws(JSONSyntaxError) {
            try body()
            return nil
        } catch {
            return error.fault
        }
    }

    private func tree(_ random: inout SplitMix, depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 9 : 6), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .number(String(Int64.random(in: .min ... .max, using: &random)))
        case 3: .number("\(Int.random(in: 0...99, using: &random)).\(Int.random(in: 0...99, using: &random))e-5")
        case 4, 5: .string(text(&random))
        case 6: .array((0..<Int.random(in: 0...3, using: &random)).map { _ in tree(&random, depth: depth + 1) })
        default:
            .object(
                JSONObject(
                    members: (0..<Int.random(in: 0...(depth == 0 ? 20 : 3), using: &random)).map { index in
                        JSONObject.Member(name: "\(index)-\(text(&random))", value: tree(&random, depth: depth + 1))
                    }))
        }
    }

    private func text(_ random: inout SplitMix) -> String {
        let pieces = [
            "a", "\"", "\\", "/", "\n", "\u{1}", "é", "日", "👍", "e\u{301}", " ", "0", "\u{7F}", "\u{1F}", "u0041",
        ]
        return (0..<Int.random(in: 0...8, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    private func mutate(_ text: inout [UInt8], _ random: inout SplitMix) {
        let marks = Array("{}[]\",:\\u0019.eE+-tfn \n".utf8) + [0x80, 0xC3, 0xED, 0xF0, 0xFF, 0x00]
        for _ in 0...Int.random(in: 0...2, using: &random) where !text.isEmpty {
            let index = Int.random(in: 0..<text.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text.remove(at: index)
            case 1: text.insert(marks.randomElement(using: &random) ?? 0, at: index)
            case 2: text[index] = marks.randomElement(using: &random) ?? 0
            default: text.removeSubrange(index...)
            }
        }
    }
}
