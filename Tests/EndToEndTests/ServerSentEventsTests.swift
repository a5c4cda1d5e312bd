import TestSupport
import Testing

@testable import tradewind

@Suite("Reading server-sent events")
struct ServerSentEventsTests {
    private typealias Item = ServerSentEvents.Item

    private static func read(_ text: String, cutEvery count: Int = .max) throws -> [ServerSentEvents.Item] {
        var reader = ServerSentEvents()
        var items: [ServerSentEvents.Item] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            items += try reader.take(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        return items
    }

    @Test(
        "An event is its id and its data, however the bytes are cut and the lines end", arguments: [1, 2, 3, 7, 1000])
    func cuts(_ count: Int) throws {
        for end in ["\n", "\r\n", "\r"] {
            let text = [": connected", "", "id: 7", "data: {\"a\": 1}", "", "id:8", "data:é", "", ""]
                .joined(separator: end)
            let expected = [Item(id: "7", data: "{\"a\": 1}"), Item(id: "8", data: "é")]
            #expect(try Self.read(text, cutEvery: count) == expected, "\(end.debugDescription)")
        }
    }

    @Test("Lines of data are joined, and only one blank is taken off each")
    func manyLines() throws {
        #expect(try Self.read("data: a\ndata:  b\ndata\n\n") == [Item(id: nil, data: "a\n b\n")])
    }

    @Test("An id without data moves the cursor, and comments and unknown fields do nothing")
    func idle() throws {
        #expect(try Self.read("id: 9\n: idle\n\n: idle\n\nretry: 10\nevent: x\n\n") == [Item(id: "9", data: nil)])
        #expect(try Self.read("id: 9\n\ndata: a\n\n").last == Item(id: "9", data: "a"))
    }

    @Test(
        "What no empty line has ended is no event; a byte order mark and an id with a zero are passed over",
        .isLongWork)
    func edges() throws {
        #expect(try Self.read("data: half\n").isEmpty)
        #expect(try Self.read("\u{FEFF}data: a\n\n") == [Item(id: nil, data: "a")])
        #expect(try Self.read("id: a\0b\ndata: c\n\n") == [Item(id: nil, data: "c")])
        #expect(throws: ServerSentEvents.TooLong.self) {
            try Self.read("data: " + String(repeating: "a", count: 17 << 20))
        }
    }

    @Test(
        "A stream that stays away is asked ever more rarely, up to half a minute or as it asks; a success begins anew"
    )
    func delays() {
        var delay = ReconnectDelay()
        let waits = (0..<7).map { _ in delay.wait(chance: 1) }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(delay.wait(chance: 0) == .seconds(15))
        delay.succeeded()
        #expect(delay.wait(chance: 1) == .seconds(1))
        #expect(delay.wait(chance: 1, asked: .seconds(7)) == .seconds(7))
        #expect(delay.wait(chance: 1, asked: .seconds(3)) == .seconds(4))
        #expect(delay.wait(chance: 1, asked: .seconds(86_400)) == .seconds(300))
    }
}
