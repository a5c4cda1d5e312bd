import Commerce
import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Integrations

@Suite("Deliveries that can't become orders")
struct ParkedDeliveryTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let order: String
        /// Nil: it lands all the same.
        let reason: String?

        init(_ description: String, _ order: String, _ reason: String?) {
            testDescription = description
            self.order = order
            self.reason = reason
        }
    }

    private static func line(_ words: String) -> String { order("bad", line: words) }

    private static let nested = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    private static let manyLines: String = {
        let lines = (0..<5000).map { #"{"sku":"S-\#($0)","quantity":1,"unit_amount":1}"# }.joined(separator: ",")
        return #"{"id":"bad","line_items":[\#(lines)]}"#
    }()

    static let cases = [
        Bad(
            "an amount beyond all bounds", line(#""sku":"A","quantity":1,"unit_amount":1e400"#),
            "data/line_items/0/unit_amount: 1e400 is out of range"),
        Bad("minus nothing", line(#""sku":"A","quantity":1,"unit_amount":-0"#), nil),
        Bad(
            "a tenth of a cent", line(#""sku":"A","quantity":1,"unit_amount":74.999"#),
            "data/line_items/0/unit_amount: 74.999 has more than the 2 decimals that USD has"),
        Bad(
            "half a piece", line(#""sku":"A","quantity":1.5,"unit_amount":1"#),
            "data/line_items/0/quantity: must be a whole number above zero, not 1.5"),
        Bad(
            "no piece", line(#""sku":"A","quantity":0,"unit_amount":1"#),
            "data/line_items/0/quantity: must be a whole number above zero, not 0"),
        Bad(
            "less than none", line(#""sku":"A","quantity":-3,"unit_amount":1"#),
            "data/line_items/0/quantity: must be a whole number above zero, not -3"),
        Bad("no quantity", line(#""sku":"A","unit_amount":1"#), "data/line_items/0/quantity: is missing"),
        Bad("no id", #"{"line_items":[]}"#, "data/id: is missing"),
        Bad(
            "an unknown currency", #"{"id":"bad","currency":"XYZ","line_items":[]}"#,
            "data/currency: \"XYZ\" is not a currency code of ISO 4217"),
        Bad("a currency in lower case", #"{"id":"bad","currency":"eur","line_items":[]}"#, nil),
        Bad("no lines at all", #"{"id":"bad"}"#, "data/line_items: is missing"),
        Bad("5,000 lines", manyLines, nil),
        Bad(
            "a name that stands twice", #"{"id":"bad","line_items":[],"id":"worse"}"#,
            "body: the name \"id\" stands twice in one object, at byte"),
        Bad("deep but bearable nesting", #"{"id":"bad","line_items":[],"x":\#(nested)}"#, nil),
        Bad(
            "two lines of one id",
            order("bad", line: #""id":"1","quantity":1,"unit_amount":1},{"id":"1","quantity":1,"unit_amount":1"#),
            "data/line_items: two lines have the id \"1\""),
        Bad(
            "sums beyond 64 bits", line(#""sku":"A","quantity":1000000000,"unit_amount":46000000000000000"#),
            "data/line_items/0/unit_amount: times the quantity is more than can be held"),
        Bad("no order but a text", #""bad""#, "data: must be an object, not a text"),
        Bad(
            "a time that is none", #"{"id":"bad","updated_at":"yesterday","line_items":[]}"#,
            "data/updated_at: \"yesterday\" is not a time of RFC 3339"),
    ]

    @Test("It is parked with its reason, and its neighbours land", arguments: TestEngine.allCases, cases)
    func parked(_ engine: TestEngine, _ bad: Bad) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.send(envelope(order("first")), over: link)
            let id = try #require(try await door.send(envelope(bad.order), over: link).accepted)
            _ = try await door.send(envelope(order("last")), over: link)
            await door.runner.drain()
            let entry = try #require(try await door.log(link).first { $0.id == id })
            let stored = Set(try await door.orders().compactMap(\.externalID))
            if let reason = bad.reason {
                #expect(entry.state == "parked" && entry.reason?.hasPrefix(reason) == true, "\(entry.reason ?? "-")")
                #expect(entry.body == Array(envelope(bad.order).utf8) && entry.order == nil)
                #expect(stored == ["first", "last"])
            } else {
                #expect(entry.state == "processed" && entry.reason == nil, "\(entry.reason ?? "-")")
                #expect(stored == ["first", "bad", "last"])
            }
        }
    }

    @Test("An order in another currency than before is parked", arguments: TestEngine.allCases)
    func currency(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.send(envelope(order("a")), over: link)
            _ = try await door.send(envelope(#"{"id":"a","currency":"EUR","line_items":[]}"#), over: link)
            await door.runner.drain()
            let entry = try #require(try await door.log(link).first)
            #expect(entry.state == "parked")
            #expect(entry.reason == "currency: the order was in USD and now is in EUR")
        }
    }

    /// A stored order that can't be read makes every transaction fail that touches it.
    private func spoil(_ external: String, in door: Door) async throws {
        try await door.database.write { transaction in
            try transaction.execute("UPDATE sales_order SET currency = '???' WHERE external_id = $1", [.text(external)])
        }
    }

    @Test(
        "One that fails its whole batch is taken out of it, tried again and at last given up",
        arguments: TestEngine.allCases)
    func poison(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            _ = try await door.send(envelope(order("bad")), over: link)
            await door.runner.drain()
            try await spoil("bad", in: door)
            for number in 0..<5 { _ = try await door.send(envelope(order("good-\(number)")), over: link) }
            let id = try #require(try await door.send(envelope(order("bad", at: 9)), over: link).accepted)
            for number in 5..<9 { _ = try await door.send(envelope(order("good-\(number)")), over: link) }
            await door.runner.drain()
            #expect(try await door.log(link).map(\.state).count { $0 == "processed" } == 10)
            for attempt in 1..<10 {
                let entry = try #require(try await door.log(link).first { $0.id == id })
                #expect(entry.state == "queued" && entry.reason?.contains("???") == true, "attempt \(attempt)")
                door.time.advance(by: .seconds(600))
                await door.runner.drain()
            }
            let entry = try #require(try await door.log(link).first { $0.id == id })
            #expect(entry.state == "parked" && entry.body != nil)
            // After the fix it is processed as if nothing had been.
            try await door.database.write { transaction in
                try transaction.execute("UPDATE sales_order SET currency = 'USD'")
            }
            try await door.inbox.retry(id, of: link.id, scope: Door.scope)
            #expect(try await door.log(link).first { $0.id == id }?.state == "queued")
            await door.runner.drain()
            #expect(try await door.log(link).first { $0.id == id }?.state == "processed")
        }
    }

    @Test("A processed one can be processed again after a product was made", arguments: TestEngine.allCases)
    func again(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let link = try await door.connect()
            let id = try #require(try await door.send(envelope(order("a")), over: link).accepted)
            await #expect(throws: Refusal.conflict("The workflow is still running or waiting to run.")) {
                try await door.inbox.retry(id, of: link.id, scope: Door.scope)
            }
            await door.runner.drain()
            #expect(try await door.orders().map(\.matchStatus) == [Order.MatchStatus.none])
            let new = try request(#"{"title":"T","variants":[{"sku":"A"}]}"#) { NewProduct($0) }
            _ = try await door.products.create(new, scope: Door.scope, actor: Door.actor)
            try await door.inbox.retry(id, of: link.id, scope: Door.scope)
            await door.runner.drain()
            #expect(try await door.orders().map(\.matchStatus) == [.full])
            let log = try await door.log(link)
            #expect(log.count == 1 && log[0].state == "processed" && log[0].reason == nil)
            let types = try await door.eventTypes()
            #expect(types == ["order.created", "product.created", "order.updated", "inventory.adjusted"])
        }
    }

    @Test("The log is paged from the newest, and is its owner's alone", arguments: TestEngine.allCases)
    func log(_ engine: TestEngine) async throws {
        try await withDoor(engine) { door in
            let (link, other) = (try await door.connect(), try await door.connect("conn-2"))
            var ids: [InboxID] = []
            for number in 0..<5 {
                ids.append(try #require(try await door.send(envelope(order("o\(number)")), over: link).accepted))
            }
            _ = try await door.send(envelope(order("x"), connection: "conn-2"), over: other)
            let first = try await door.inbox.list(
                link.id, scope: Door.scope, before: nil, limit: 3, withBodies: false)
            #expect(first.map(\.id) == [ids[4], ids[3], ids[2]] && first.allSatisfy { $0.body == nil })
            let second = try await door.inbox.list(
                link.id, scope: Door.scope, before: ids[2], limit: 3, withBodies: true)
            #expect(second.map(\.id) == [ids[1], ids[0]] && second[1].body == Array(envelope(order("o0")).utf8))
            for scope in [Door.sister, Door.stranger] {
                await #expect(throws: Refusal.notFound("connection")) {
                    _ = try await door.inbox.list(link.id, scope: scope, before: nil, limit: 3, withBodies: true)
                }
                await #expect(throws: Refusal.notFound("connection")) {
                    try await door.inbox.retry(ids[0], of: link.id, scope: scope)
                }
            }
            await #expect(throws: Refusal.notFound("inbox entry")) {
                try await door.inbox.retry(ids[0], of: other.id, scope: Door.scope)
            }
        }
    }
}
