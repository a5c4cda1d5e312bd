import Testing

@testable import Events

@Suite("Patterns of event types")
struct EventPatternTests {
    @Test(
        "exact, entity.*, *: a pattern asks for one type, for those of an entity, or for all",
        arguments: [
            ("*", "order.created", true), ("*", "anything.else", true), ("order.*", "order.created", true),
            ("order.*", "order.updated", true), ("order.*", "product.created", false),
            ("order.*", "orders.created", false), ("order.*", "order", false), ("order.*", "order_line.created", false),
            ("order.created", "order.created", true), ("order.created", "order.updated", false),
            ("order.created", "order.created.again", false), ("product.*", "product.price_changed", true),
        ])
    func matches(text: String, type: String, expected: Bool) throws {
        #expect(try #require(EventPattern(text)).matches(type) == expected)
    }

    @Test("A pattern is kept as it was written", arguments: ["*", "order.*", "product.*"] + EventCatalog.names)
    func text(text: String) {
        #expect(EventPattern(text)?.description == text)
    }

    @Test(
        "What can match nothing is no pattern",
        arguments: [
            "", ".", ".*", "**", "*.*", "*.created", "order", "order.", "order.cre*", "order.created.*", "orders.*",
            "ORDER.*", "Order.created", "order.* ", " *", "order.created ", "order.craeted", "order\n.*",
        ])
    func refused(text: String) {
        #expect(EventPattern(text) == nil)
    }

    @Test("A tenant's own types are asked for like the others, among its names only")
    func own() throws {
        let names = EventNames(own: ["ticket.opened"])
        #expect(EventPattern("ticket.opened") == nil)
        #expect(EventPattern("ticket.*") == nil)
        #expect(try #require(EventPattern("ticket.opened", among: names)).matches("ticket.opened"))
        #expect(try #require(EventPattern("ticket.*", among: names)).matches("ticket.opened"))
        #expect(EventPattern("ticket.closed", among: names) == nil)
        #expect(EventPattern("order.created", among: names) == .exactly("order.created"))
        #expect(names.nearest(to: "tiket.opened") == "ticket.opened")
    }

    @Test("A stored pattern is read though its type is gone")
    func stored() {
        #expect(EventPattern(stored: "ticket.opened") == .exactly("ticket.opened"))
        #expect(EventPattern(stored: "ticket.*") == .entity("ticket"))
        #expect(EventPattern(stored: "*") == .all)
        #expect(EventPattern(stored: "") == nil)
    }
}
