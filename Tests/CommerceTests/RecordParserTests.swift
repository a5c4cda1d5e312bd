import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("Cutting CSV into records")
struct RecordParserTests {
    private static let comma = RecordParser.Grammar.csv(delimiter: UInt8(ascii: ","))

    private func parse(
        _ text: [UInt8], cutAt cuts: [Int] = [], _ grammar: RecordParser.Grammar = comma, limit: Int = 1 << 20
    ) -> [Record] {
        var parser = RecordParser(grammar, limit: limit)
        var records: [Record] = []
        var start = 0
        for cut in cuts + [text.count] {
            parser.feed(text[start..<cut])
            start = cut
            if cut == text.count { parser.finish() }
            while let record = parser.next() { records.append(record) }
        }
        return records
    }

    private func texts(_ record: Record) -> [String] {
        (0..<record.count).map { String(decoding: record.cell($0), as: UTF8.self) }
    }

    private static let samples = [
        "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a,b\n1,2", "\"a\"\"x\",\"b\nc\"\r\n,\n", "\n\na,\n\"\"\n",
        "\"x\"y,1\nz,2\n", "a,\"open\nb,2\nc,3\n", "5\" pipe,x\n", "\"a\r\nb\",c\rd,e", "é,ü\n\u{0},x\n", "\"\"",
        "a,\"b\"", "x,\"\"\"\"\ny,\"a\"\"\"\"b\"\n",
    ]

    @Test("Wherever the bytes are cut, the records are the same", arguments: samples)
    func cuts(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = parse(bytes)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                #expect(parse(bytes, cutAt: [first, second]) == whole, "cut at \(first) and \(second)")
            }
        }
        #expect(parse(bytes, cutAt: Array(0..<bytes.count)) == whole)
    }

    @Test("Quotes, line breaks of every kind and a missing last one are read as RFC 4180 has them")
    func grammar() {
        let records = parse(Array("a,\"b \"\"c\"\"\r\nd\"\r\n,\r\"\"\nlast,1".utf8))
        #expect(records.map(texts) == [["a", "b \"c\"\r\nd"], ["", ""], [""], ["last", "1"]])
        #expect(records.map(\.line) == [1, 3, 4, 5])
        #expect(records.map(\.offset) == [0, 16, 18, 21])
    }

    @Test("Broken quotes spoil their own line and no more")
    func brokenQuotes() {
        let stray = parse(Array("a,1\n\"b\"x,2\nc,3\n".utf8))
        #expect(stray.map(\.fault) == [nil, .strayQuote, nil] && texts(stray[2]) == ["c", "3"])
        let open = parse(Array("a,1\nb,\"open\nc,3\nd,4\n".utf8))
        #expect(open.map(\.fault) == [nil, .openQuote, nil, nil] && open.map(\.line) == [1, 2, 3, 4])
        #expect(texts(open[3]) == ["d", "4"])
    }

    @Test("A record that is too long is passed over, and the next one is read")
    func tooLong() {
        let (long, quoted) = (String(repeating: "x", count: 100), String(repeating: "y", count: 90))
        let text = Array("a,1\n\(long),2\nc,3\n\"\(quoted)\nd,4\n".utf8)
        for cuts in [[], Array(stride(from: 0, to: text.count, by: 7))] {
            let records = parse(text, cutAt: cuts, limit: 40)
            #expect(records.map { $0.fault == nil } == [true, false, true, false, true])
            #expect(records[1].fault == .tooLong(40))
            #expect(records.map(\.line) == [1, 2, 3, 4, 5])
            #expect(records.last.map(texts) == ["d", "4"])
        }
    }

    @Test("What is written as CSV is read back, whatever the cells hold")
    func roundTrip() {
        var random = SeededRandom(seed: 7)
        let alphabet: [String] = ["a", "\"", ",", "\n", "\r", "é", "'", "=", " ", ";", "\t", ""]
        for _ in 0..<300 {
            let cells = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (0..<Int.random(in: 0...6, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }.joined()
            }
            let records = parse(CSVText.line(cells))
            #expect(records.count == 1)
            #expect(records.first.map { texts($0).map { Array($0.utf8) } } == cells.map { Array($0.utf8) })
            for cell in cells { #expect(FormulaGuard.removed(FormulaGuard.added(cell)) == cell) }
        }
        #expect(FormulaGuard.added("=1+1") == "'=1+1" && FormulaGuard.added("'=1") == "''=1")
        #expect(FormulaGuard.added("plain") == "plain" && FormulaGuard.removed("'plain") == "'plain")
    }
}

@Suite("Finding out how a file is to be read")
struct ImportLayoutTests {
    private func layout(_ bytes: [UInt8]) throws -> ImportLayout {
        try ImportLayout(.csv, head: bytes, isWhole: true)
    }

    @Test(
        "Delimiters and a byte order mark are found out",
        arguments: ["sku,title,price", "sku;title;price", "sku\ttitle\tprice", "\u{FEFF}SKU, Title ,price"])
    func delimiters(_ header: String) throws {
        let found = try layout(Array("\(header)\r\nA,B,1\r\n".utf8))
        #expect(found.columns.keys.sorted() == ["price", "sku", "title"] && found.width == 3 && found.line == 2)
    }

    @Test(
        "A file that can't be read is refused as a whole, with the reason",
        arguments: [
            ([], "empty"), ([0xFF, 0xFE, 0x61, 0], "UTF-16"), ([0x73, 0, 0x6B, 0], "UTF-16"),
            (Array("\n".utf8), "no header"), (Array("sku,colour\n".utf8), "\"colour\""),
            (Array("title,price\n".utf8), "needs a column sku"), (Array("sku,SKU\n".utf8), "stands twice"),
            (Array("sku,\"title\n".utf8), "broken quotes"), ([0x73, 0x6B, 0x75, 0x2C, 0xE9, 0x0A], "not UTF-8"),
        ] as [([UInt8], String)])
    func refusals(_ bytes: [UInt8], _ reason: String) throws {
        let error = #expect(throws: InvalidDocument.self) { try layout(bytes) }
        #expect(error?.description.contains(reason) ?? false, "\(error?.description ?? "")")
    }

    @Test("Stores' own exports are known by their columns")
    func sources() throws {
        #expect(try layout(Array("Handle,Title,Variant SKU\n".utf8)).source == .shopify)
        #expect(try layout(Array("ID,Type,SKU,Name,Published,Parent\n".utf8)).source == .woocommerce)
        #expect(try layout(Array("handle,title,sku\n".utf8)).source == .tradewind)
    }
}
