import Kernel
import Testing

@testable import Events

@Suite("What an event tells")
struct DomainEventTests {
    private static let scope = Scope(tenant: ID(high: 1, low: 2), organisation: ID(high: 3, low: 4))

    @Test("DomainEvent: an occurrence carries who, where, when and what for")
    func envelope() {
        let actor = Actor(user: ID(high: 5, low: 6), role: "member")
        let event = OrderUpdated.example.occurred(
            id: ID(high: 7, low: 8), at: Timestamp(milliseconds: 9), scope: Self.scope, actor: actor,
            source: "connection:1", causation: ID(high: 10, low: 11))
        #expect(event.id == ID(high: 7, low: 8))
        #expect(event.type == "order.updated")
        #expect(event.occurredAt == Timestamp(milliseconds: 9))
        #expect(event.scope == Self.scope)
        #expect(event.actor == actor)
        #expect(event.entity == DomainEvent.Entity(type: "order", id: OrderPayload.example.id))
        #expect(event.source == "connection:1")
        #expect(event.causation == ID(high: 10, low: 11))
    }

    @Test("The system acts as the nil UUID in the role system")
    func system() {
        #expect(Actor.system.user.description == "00000000-0000-0000-0000-000000000000")
        #expect(Actor.system.role == "system")
    }

    @Test("Amounts are numbers in the currency's own exponent, and times are RFC 3339")
    func amounts() throws {
        let payload = try payload(.example)
        #expect(payload["total"] == .number("149.98"))
        #expect(payload["refunded_total"] == .number("0.00"))
        #expect(payload["line_items"]?.array?.first?["unit_price"] == .number("74.99"))
        #expect(payload["line_items"]?.array?.first?["quantity"] == .number("2"))
        #expect(payload["placed_at"] == .string("2024-12-04T15:32:06.998Z"))
        var yen = OrderPayload.example
        yen.total = Money(minorUnits: 1500, currency: try #require(Currency(code: "JPY")))
        #expect(try self.payload(yen)["total"] == .number("1500"))
    }

    @Test("What is unknown is null, and an order without a customer withholds nothing")
    func unknown() throws {
        var order = OrderPayload.example
        order.externalID = nil
        order.customerName = nil
        order.customerEmail = nil
        order.lines[0].variant = nil
        order.lines[0].sku = nil
        let event = occurred(order)
        let payload = try JSONValue(parsing: event.payload)
        #expect(payload["external_id"] == .null)
        #expect(payload["line_items"]?.array?.first?["variant_id"] == .null)
        #expect(payload["line_items"]?.array?.first?["sku"] == .null)
        #expect(event.withheld == nil)
    }

    @Test("A field of a list's element that is not public is not written at all")
    func elements() throws {
        let list = EventField("notes", .public, .objects([]), "A list.")
        let open = EventField("shown", .public, .integer, "Shown.")
        let closed = EventField("cost", .restricted, .integer, "Never shown.")
        let (payload, withheld) = PayloadWriter.write { writer in
            writer.objects(list, [1, 2]) { element, number in
                element.field(open, Int64(number))
                element.field(closed, Int64(number))
            }
        }
        #expect(String(decoding: payload, as: UTF8.self) == #"{"notes":[{"shown":1},{"shown":2}]}"#)
        #expect(withheld == nil)
    }

    @Test("A list that is not public is withheld as a whole")
    func closedList() {
        let list = EventField("notes", .confidential, .objects([]), "A list.")
        let text = EventField("text", .public, .text, "Text.")
        let (payload, withheld) = PayloadWriter.write { writer in
            writer.objects(list, ["a"]) { element, word in element.field(text, word) }
        }
        #expect(String(decoding: payload, as: UTF8.self) == "{}")
        #expect(withheld.map { String(decoding: $0, as: UTF8.self) } == #"{"notes":[{"text":"a"}]}"#)
    }

    @Test("The longest order that is taken has all of its lines in its event")
    func longOrder() throws {
        var order = OrderPayload.example
        order.lines = Array(repeating: order.lines[0], count: Limits.orderLines)
        #expect(try payload(order)["line_items"]?.array?.count == Limits.orderLines)
    }

    private func occurred(_ order: OrderPayload) -> DomainEvent {
        OrderCreated(order: order).occurred(
            id: .zero, at: Timestamp(milliseconds: 0), scope: Self.scope, actor: .system, source: "api",
            causation: nil)
    }

    private func payload(_ order: OrderPayload) throws -> JSONValue { try JSONValue(parsing: occurred(order).payload) }
}
