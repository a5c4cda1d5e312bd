import Events
import Kernel
import TestSupport
import Testing

@testable import Webhooks

@Suite("Event types of a tenant's own")
struct OwnTypeTests {
    private static let schema = """
        {"type": "object", "required": ["subject"], "additionalProperties": false, "properties": {
          "subject": {"type": "string", "maxLength": 20}, "hours": {"type": "number", "multipleOf": 0.25},
          "caller": {"type": "string", "x-privacy": "confidential"}, "token": {"x-privacy": "restricted"}}}
        """

    private func types(_ hub: Hub) -> OwnTypeService { OwnTypeService(publisher: hub.publisher, ids: hub.ids) }

    private func request(_ body: String) throws -> OwnTypeRequest {
        try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { OwnTypeRequest.new($0) }
    }

    @discardableResult
    private func register(_ hub: Hub, _ name: String = "ticket.opened", more: String = "") async throws -> OwnType {
        let body = #"{"name": "\#(name)", "summary": "A ticket.", "schema": \#(Self.schema)\#(more)}"#
        return try await types(hub).register(request(body), scope: Hub.scope)
    }

    private func publish(
        _ hub: Hub, _ payload: String, type: String = "ticket.opened", entity: String = "", scope: Scope = Hub.scope
    ) async throws -> DomainEvent {
        let body = #"{"event_type": "\#(type)", "payload": \#(payload)\#(entity)}"#
        let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { OwnEventRequest($0) }
        return try await types(hub).publish(
            request, scope: scope, actor: Actor(user: ID(high: 5, low: 5), role: "member"))
    }

    private func subscribe(_ hub: Hub, _ pattern: String) async throws -> Subscription {
        let rules = try await hub.subscriptions.rules(for: Hub.scope.tenant)
        let body = #"{"url": "https://shop.example.com/in", "event_types": ["\#(pattern)"]}"#
        let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
            SubscriptionRequest($0, rules: rules)
        }
        return try await hub.subscriptions.create(request, scope: Hub.scope).0
    }

    @Test(
        "A published event is delivered and fed without what its schema withholds", arguments: TestEngine.allCases)
    func story(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let type = try await register(hub)
            _ = try await subscribe(hub, "ticket.*")
            let event = try await publish(
                hub, #"{"caller": "Ann Guest", "subject": "Wet", "token": {"a": "s3cr3t"}, "hours": 1.50}"#,
                entity: #", "entity_id": "019391c1-2c5c-7000-8000-000000000001""#)
            #expect(event.entity.type == "ticket")
            #expect(event.entity.id.description == "019391c1-2c5c-7000-8000-000000000001")
            #expect(String(decoding: event.payload, as: UTF8.self) == #"{"subject":"Wet","hours":1.50}"#)
            #expect(type.withheldNames == ["caller", "token"])
            try await hub.deliveries(1, where: "state = 'delivered'")
            let body = try #require(hub.exchange.requests.elements.first).body
            let sent = try JSONValue(parsing: body)
            #expect(sent["event_type"] == .string("ticket.opened"))
            #expect(sent["payload"]?["hours"] == .number("1.50"))
            for secret in ["Ann Guest", "s3cr3t", "caller", "token"] {
                #expect(!String(decoding: body, as: UTF8.self).contains(secret))
            }
            try await hub.number()
            let page = try await hub.feed.page(
                FeedReader.Query(
                    after: nil, pattern: .exactly("ticket.opened"), entityType: nil, limit: 10), scope: Hub.scope)
            #expect(page.events.map(\.payload) == [event.payload])
            #expect(
                page.events.first?.withheld.map { String(decoding: $0, as: UTF8.self) }
                    == #"{"caller":"Ann Guest","token":{"a":"s3cr3t"}}"#)
        }
    }

    @Test("A payload that the schema refuses is told each fault and leaves nothing", arguments: TestEngine.allCases)
    func invalid(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await register(hub)
            let error = await #expect(throws: InvalidDocument.self) {
                try await publish(hub, #"{"hours": 0.3, "extra": 1}"#)
            }
            #expect(error?.faults.map(\.pointer) == ["/payload/subject", "/payload/hours", "/payload/extra"])
            #expect(try await hub.count("event") == 0)
        }
    }

    @Test("Only own types can be published, and the nearest one is named", arguments: TestEngine.allCases)
    func unknown(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            func fault(_ type: String, scope: Scope = Hub.scope) async throws -> String? {
                let error = await #expect(throws: InvalidDocument.self) {
                    try await publish(hub, #"{"subject": "x"}"#, type: type, scope: scope)
                }
                return error?.faults.first?.detail
            }
            #expect(try await fault("ticket.opened")?.contains("which has none") == true)
            try await register(hub)
            #expect(try await fault("tiket.opened")?.contains("nearest is ticket.opened") == true)
            #expect(try await fault("order.created")?.contains("can't be published") == true)
            #expect(try await fault("ticket.opened", scope: Hub.stranger)?.contains("which has none") == true)
            _ = try await publish(hub, #"{"subject": "x"}"#, scope: Hub.neighbour)
        }
    }

    @Test("A subscription may ask for own types, and a misspelt one is told the nearest")
    func subscriptions() async throws {
        try await withHub(.sqlite) { hub in
            try await register(hub)
            let error = await #expect(throws: InvalidDocument.self) { _ = try await subscribe(hub, "ticket.openned") }
            #expect(error?.faults.first?.detail.contains("nearest is ticket.opened") == true)
            #expect(try await subscribe(hub, "ticket.opened").patterns == [.exactly("ticket.opened")])
        }
    }

    @Test(
        "A type is refused whose name is ours or no name, or whose schema is not understood",
        arguments: [
            (#""name": "order.lost", "schema": {"type": "object"}"#, "/name"),
            (#""name": "webhook.mine", "schema": {"type": "object"}"#, "/name"),
            (#""name": "Ticket.opened", "schema": {"type": "object"}"#, "/name"),
            (#""name": "ticket", "schema": {"type": "object"}"#, "/name"),
            (#""name": "ticket.*", "schema": {"type": "object"}"#, "/name"),
            (#""name": "ticket.opened""#, "/schema"), (#""name": "ticket.opened", "schema": true"#, "/schema"),
            (#""name": "ticket.opened", "schema": {}"#, "/schema"),
            (
                #""name": "ticket.opened", "schema": {"type": "object", "unevaluatedItems": {}}"#,
                "/schema/unevaluatedItems"
            ),
            (
                #""name": "ticket.opened", "schema": {"type": "object", "required": ["a"]}, "example": {}"#,
                "/example/a"
            ),
        ])
    func refused(body: String, pointer: String) async throws {
        try await withHub(.sqlite) { hub in
            let error = await #expect(throws: InvalidDocument.self) {
                try await types(hub).register(request(#"{"summary": "A ticket.", \#(body)}"#), scope: Hub.scope)
            }
            #expect(error?.faults.map(\.pointer) == [pointer])
        }
    }

    @Test("A tenant has a hundred types at most, each name once", arguments: TestEngine.allCases)
    func limit(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            for number in 0..<OwnTypeService.typesMost { try await register(hub, "ticket.n\(number)") }
            let full = await #expect(throws: Refusal.self) { try await register(hub, "ticket.more") }
            #expect(full?.kind == .conflict)
            let twice = await #expect(throws: Refusal.self) { try await register(hub, "ticket.n1") }
            #expect(twice?.sentence == "The tenant has the event type ticket.n1 already.")
            #expect(try await types(hub).list(tenant: Hub.stranger.tenant).isEmpty)
        }
    }

    @Test("A changed schema counts from then on, and its example has to fit", arguments: TestEngine.allCases)
    func change(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await register(hub, more: #", "example": {"subject": "Wet"}"#)
            func change(_ body: String) async throws -> OwnType {
                let wanted = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { OwnTypeRequest.change($0) }
                return try await types(hub).change("ticket.opened", wanted, scope: Hub.scope)
            }
            let error = await #expect(throws: InvalidDocument.self) {
                try await change(#"{"schema": {"type": "object", "required": ["number"]}}"#)
            }
            #expect(error?.faults.map(\.pointer) == ["/example/number"])
            let changed = try await change(
                #"{"schema": {"type": "object", "required": ["number"]}, "example": {"number": 1}}"#)
            #expect(changed.version == 2)
            #expect(changed.summary == "A ticket.")
            await #expect(throws: InvalidDocument.self) { try await publish(hub, #"{"subject": "Wet"}"#) }
            _ = try await publish(hub, #"{"number": 7}"#)
        }
    }

    @Test("A type that somebody asks for is not deleted; its events outlive it", arguments: TestEngine.allCases)
    func delete(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await register(hub)
            try await register(hub, "ticket.closed")
            let exact = try await subscribe(hub, "ticket.opened")
            let all = try await subscribe(hub, "ticket.*")
            _ = try await publish(hub, #"{"subject": "Wet"}"#)
            let held = await #expect(throws: Refusal.self) {
                try await types(hub).delete("ticket.opened", scope: Hub.scope)
            }
            #expect(held?.fields.first?.value == .array([.string(exact.id.description)]))
            try await hub.subscriptions.delete(exact.id, scope: Hub.scope)
            try await types(hub).delete("ticket.opened", scope: Hub.scope)
            // The pattern still asks for the other type, and would ask for nothing after that one.
            let last = await #expect(throws: Refusal.self) {
                try await types(hub).delete("ticket.closed", scope: Hub.scope)
            }
            #expect(last?.fields.first?.value == .array([.string(all.id.description)]))
            #expect(try await hub.count("event") == 1)
            let gone = await #expect(throws: Refusal.self) {
                try await types(hub).delete("ticket.opened", scope: Hub.scope)
            }
            #expect(gone?.kind == .notFound)
            let ours = await #expect(throws: Refusal.self) {
                try await types(hub).delete("order.created", scope: Hub.scope)
            }
            #expect(ours?.kind == .forbidden)
        }
    }
}
