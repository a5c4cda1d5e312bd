enum EventTypeOperations {
    private static let root = "/api/v1/webhooks/event-types"

    static let group = OperationGroup(
        name: "Event types", summary: "What can be subscribed to, ours and a tenant's own.",
        schemas: [
            "EventType": .object([
                "name": .text, "summary": .text, "own": .boolean, "schema": .map(.anything), "example": .anything,
                "withheld": .list(.text.saying("Fields that never leave.")), "version?": .integer,
                "created_at?": .time, "updated_at?": .time,
            ])
        ],
        operations: [
            .get(root, "listEventTypes", "All types, the tenant's own last.")
                .answering(200, .page(.named("EventType"))),
            .get("\(root)/{name}", "readEventType", "One type.").answering(200, .named("EventType")),
            .post(root, "registerEventType", "Registers a type of the tenant's own.").audited(.eventType)
                .taking(
                    .request([
                        "name": .text(1, upTo: 80), "summary": .text(1, upTo: 500), "schema": schema,
                        "example?": .map(.anything),
                    ]),
                    example: """
                        {"name": "ticket.opened", "summary": "A ticket was opened.",
                         "schema": {"type": "object", "properties": {"title": {"type": "string"}}}}
                        """
                ).once().answering(201, .named("EventType")),
            .patch("\(root)/{name}", "changeEventType", "Changes what is named of an own type.").audited(.eventType)
                .taking(
                    .request([
                        "summary?": .text(1, upTo: 500), "schema?": schema, "example?": .map(.anything),
                    ]), example: #"{"summary": "A ticket came in."}"#
                ).failing(409).answering(200, .named("EventType")),
            .delete("\(root)/{name}", "deleteEventType", "Takes an own type away.").audited(.eventType).failing(409),
            .post("/api/v1/events", "publishEvent", "Publishes an event of an own type.")
                .taking(
                    .request(["event_type": .text(1, upTo: 200), "entity_id?": .uuid, "payload": .map(.anything)]),
                    example: #"{"event_type": "ticket.opened", "payload": {"title": "Broken"}}"#
                ).once().answering(
                    201,
                    .object([
                        "event_id": .uuid, "event_type": .text, "entity_type": .text, "entity_id": .uuid,
                        "timestamp": .time, "payload": .map(.anything),
                    ])),
        ])

    private static let schema = Schema.map(.anything).saying("JSON Schema 2020-12 of an object.")
}
