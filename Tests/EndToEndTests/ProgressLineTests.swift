import Kernel
import Testing

@testable import tradewind

@Suite("What import and export show of themselves")
struct ProgressLineTests {
    private static let clear = "\r\u{1B}[K"

    @Test("On a terminal one line is drawn over, with a bar that fills")
    func terminal() {
        var line = ProgressLine(isTerminal: true)
        #expect(line.text(0, of: 200, "none") == "\(Self.clear)[..............................] 0 %  none")
        #expect(line.text(100, of: 200, "half") == "\(Self.clear)[###############...............] 50 %  half")
        #expect(line.text(100, of: 200, "half") == "\(Self.clear)[###############...............] 50 %  half")
        #expect(line.text(999, of: 200, "all") == "\(Self.clear)[##############################] 100 %  all")
        #expect(line.end("done") == "\(Self.clear)done\n")
    }

    @Test("Elsewhere each tenth is a line, said once, with nothing that only a terminal understands")
    func log() {
        var line = ProgressLine(isTerminal: false)
        let texts = (0...1000).map { line.text($0, of: 1000, "\($0) rows") }.filter { !$0.isEmpty }
        #expect(texts.count == 11)
        #expect(texts.first == "0 %  0 rows\n" && texts[1] == "10 %  100 rows\n" && texts.last == "100 %  1000 rows\n")
        #expect(line.text(1000, of: 1000, "again").isEmpty)
        #expect(line.end("done") == "done\n")
        #expect(!(texts.joined() + line.end("")).contains { $0 == "\r" || $0 == "\u{1B}" })
    }

    @Test("Where the whole isn't known a terminal shows how much there is, and a log nothing before the end")
    func unknown() {
        for total in [nil, 0] as [Int?] {
            var terminal = ProgressLine(isTerminal: true)
            #expect(terminal.text(5, of: total, "5 bytes") == "\(Self.clear)5 bytes")
            var log = ProgressLine(isTerminal: false)
            #expect(log.text(5, of: total, "5 bytes").isEmpty)
            #expect(log.end("5 bytes written") == "5 bytes written\n")
        }
    }

    private static let csv =
        "product_id,title,sku\r\na,\"One,\r\nb,\"\"x\"\"\",1\r\na,One,2\r\nb,Two,\r\nc,\"\",3\r\n"

    @Test("An export is counted by products, wherever its bytes are cut", arguments: [1, 2, 3, 7, 1000])
    func products(_ size: Int) {
        func counts(_ text: String, isCSV: Bool) -> [Int] {
            var count = ExportCount(isCSV: isCSV)
            let bytes = Array(text.utf8)
            return stride(from: 0, to: bytes.count, by: size).map { start in
                count.take(bytes[start...].prefix(size))
                return count.products
            }
        }
        let rows = counts(Self.csv, isCSV: true)
        #expect(rows.last == 3 && rows == rows.sorted())
        #expect(counts("product_id,title\r\n", isCSV: true).last == 0)
        #expect(counts("{\"title\":\"a,\\n\"}\n{}\n", isCSV: false).last == 2)
    }

    @Test("The bar of an export fills by the products that the hub has told of")
    func export() {
        var count = ExportCount(isCSV: true)
        var line = ProgressLine(isTerminal: true)
        var bars: [String] = []
        for piece in ["product_id,title\r\na,One\r\n", "a,One\r\nb,Two\r\n"] {
            count.take(piece.utf8)
            bars.append(line.text(count.products, of: 2, "\(count.products) products"))
        }
        #expect(
            bars == [
                "\(Self.clear)[###############...............] 50 %  1 products",
                "\(Self.clear)[##############################] 100 %  2 products",
            ])
    }

    private func account(_ json: String) throws -> ImportAccount {
        ImportAccount(try JSONValue(parsing: Array(json.utf8)))
    }

    @Test("An import is told by its counts, and by its reason where it ended badly")
    func words() throws {
        let going = try account(
            """
            {"id": "7", "state": "running", "bytes": 900, "bytes_done": 300,
             "rows": {"read": 6, "created": 1, "updated": 2, "unchanged": 3, "refused": 0}}
            """)
        #expect(going.isRunning && !going.isClean && going.bytes == 900 && going.bytesDone == 300)
        #expect(going.counts == "6 rows: 1 created, 2 updated, 3 unchanged, 0 refused")
        #expect(going.path == "/api/v1/pim/imports/7")

        #expect(try account(#"{"state": "completed", "rows": {"read": 1, "created": 1}}"#).isClean)
        #expect(try !account(#"{"state": "completed", "rows": {"refused": 1}}"#).isClean)
        let failed = try account(#"{"state": "failed", "reason": "no room", "rows": {}}"#)
        #expect(!failed.isRunning && !failed.isClean)
        #expect(failed.ending == "failed (no room): 0 rows: 0 created, 0 updated, 0 unchanged, 0 refused")
        // A hub that answers something else ends the command, and isn't taken for success.
        #expect(try account("{}").ending.hasPrefix("gone: ") && !account("{}").isRunning && !account("{}").isClean)
    }

    @Test("Faults are told by line and column, and the rest by its address")
    func faults() throws {
        let page = try JSONValue(
            parsing: Array(
                """
                {"data": [{"line": 3, "column": "sku", "reason": "is taken"}, {"line": 9, "reason": "is no text"}],
                 "next_cursor": "2"}
                """.utf8))
        let one = try account(#"{"id": "7"}"#)
        #expect(
            one.faultLines(page) == [
                "line 3: sku: is taken", "line 9: is no text", "and more: GET /api/v1/pim/imports/7/errors",
            ])
        #expect(one.faultLines(.null).isEmpty)
    }
}
