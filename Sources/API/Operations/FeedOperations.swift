enum FeedOperations {
    private static let root = "/api/v1/webhooks/events"

    static let group = OperationGroup(
        name: "Feed", summary: "Events in commit order, to be pulled.",
        schemas: [
            "FeedEvent": .object([
                "id": .text.saying("A ULID."), "event_type": .text, "entity_type": .text, "entity_id": .uuid,
                "occurred_at": .time, "payload": .map(.anything),
            ])
        ],
        operations: [
            .get(root, "readFeed", "Events after a cursor, oldest first; nothing is skipped or moved.")
                .asking([
                    "after?": .text.saying("An event's id."), "event_type?": .text, "entity_type?": .text,
                    "per_page?": .integer(1...100), "limit?": .integer(1...1000),
                    "wait?": .integer(0...30).saying("Seconds to wait for an event where there is none."),
                ]).failing(410).answering(
                    200,
                    .object([
                        "data": .list(.named("FeedEvent")), "next_cursor": .text.orNull, "has_more": .boolean,
                    ])),
            .get("\(root)/stream", "followFeed", "The same as server-sent events, without an end.")
                .asking(["after?": .text, "event_type?": .text, "entity_type?": .text])
                .header("Last-Event-ID?", .text).failing(410).answering(200, .text, as: "text/event-stream"),
        ])
}
