import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("A tenant that publishes events of its own")
struct OwnTypeStoryTests {
    private static let path = "/api/v1/webhooks/event-types"

    @Test(
        "POST /api/v1/webhooks/event-types and POST /api/v1/events: from a type of one's own to the endpoint",
        arguments: TestEngine.allCases)
    func story(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let made = try await shop.api.post(
                    Self.path,
                    """
                    {"name": "ticket.opened", "summary": "A ticket was opened.", "example": {"subject": "Wet"},
                     "schema": {"type": "object", "required": ["subject"], "properties": {
                       "subject": {"type": "string"}, "caller": {"x-privacy": "confidential"}}}}
                    """)
                #expect(made.status == 201, "\(made.text)")
                #expect(made["own"] == .bool(true))
                #expect(made["withheld"] == .array([.string("caller")]))
                let subscription = try await shop.subscribe(receiver.url, to: "ticket.opened")

                let body = #"{"event_type": "ticket.opened", "payload": {"subject": "Wet", "caller": "Ann Guest"}}"#
                let key: HTTPFields = [HTTPField.Name("Idempotency-Key")].compactMap { $0 }
                    .reduce(into: [:]) { $0[$1] = "k-1" }
                let published = try await shop.api.post("/api/v1/events", body, key)
                let again = try await shop.api.post("/api/v1/events", body, key)
                #expect(published.status == 201, "\(published.text)")
                #expect(again.body == published.body)
                let delivery = try await eventually("it was delivered") { receiver.deliveries.first }
                #expect(delivery.isSigned(with: subscription.secret))
                let sent = try JSONValue(parsing: delivery.body)
                #expect(sent["event_id"] == published["event_id"])
                #expect(sent["payload"]?.object?.members.map(\.name) == ["subject"])
                let fed = try await eventually("it is in the feed") {
                    try await shop.api.get("/api/v1/webhooks/events?event_type=ticket.*").page().first
                }
                #expect(fed["payload"]?.object?.members.map(\.name) == ["subject"])

                let bad = try await shop.api.post(
                    "/api/v1/events", #"{"event_type": "ticket.opened", "payload": {"subject": 1}}"#)
                #expect(bad.status == 422)
                #expect(bad["errors"]?.array?.first?["pointer"] == .string("/payload/subject"))
            }
        }
    }

    @Test(
        "GET /api/v1/webhooks/event-types: name, summary, JSON Schema and example of each, and each by its name",
        arguments: TestEngine.allCases)
    func list(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let types = try await api.get(Self.path).page()
            #expect(types.count == 21)
            for type in types {
                let one = try await api.get("\(Self.path)/\(type.text("name"))")
                #expect(one.json == type)
                #expect(try type.text("summary").hasSuffix("."))
                #expect(type["schema"]?["title"] == type["name"])
                #expect(type["example"]?.object?.members.isEmpty == false)
            }
            #expect(try await api.get(Self.path + "/ticket.opened").status == 404)
            #expect(try await api.call(.patch, Self.path + "/order.created", #"{"summary": "x"}"#).status == 403)
        }
    }
}
