import Webhooks

enum EventLogOperations {
    private static let root = "/api/v1/events"

    static let group = OperationGroup(
        name: "Event log", summary: "What happened, looked at, sent again and erased.",
        schemas: [
            "Event": .object(event(isOne: false)),
            "EventDetail": .object(detail),
            "EventDelivery": .object(["subscription_id": .uuid], SubscriptionSchemas.delivery),
        ],
        operations: [
            .get(root, "listEvents", "Events, newest first.")
                .asking([
                    "event_type?": .text, "entity_type?": .text, "entity_id?": .uuid, "source?": .text,
                    "since?": .time, "until?": .time, "subscription_id?": .uuid,
                    "delivery_state?": .choice(DeliveryState.self),
                ]).paged(.named("Event")),
            .get("\(root)/{id}", "readEvent", "One event, with its deliveries and their attempts.")
                .answering(200, .named("EventDetail")),
            .post("\(root)/{id}/replay", "resendEvent", "Sends an event again, to one subscription or to all.")
                .taking(.request(["subscription_id?": .uuid]), isRequired: false).once().failing(410)
                .answering(
                    202,
                    .object(["status": .choice("queued"), "event_id": .uuid, "subscription_ids": .list(.uuid)])),
            .post("\(root)/erase", "eraseEvents", "Empties what is kept of one customer or order.", .role(.admin))
                .audited(.event)
                .taking(
                    .request(["entity_type": .text(1, upTo: 100), "entity_id": .uuid]),
                    example: #"{"entity_type": "customer", "entity_id": "0190a000-0000-7000-8000-000000000009"}"#
                ).answering(200, .object(["events_erased": .integer, "inbox_entries_erased": .integer])),
        ])

    private static func event(isOne: Bool) -> KeyValuePairs<String, Schema> {
        [
            "event_id": .uuid, "event_type": .text, "timestamp": .time, "tenant_id": .uuid, "org_id": .uuid,
            "user_id": .uuid, "role": .text, "entity_type": .text, "entity_id": .uuid, "source": .text.orNull,
            "causation_id": .uuid.orNull, "payload": .map(.anything),
            "withheld?": .map(.anything).saying("What the caller may see and no subscriber does."),
            "deliveries\(isOne ? "" : "?")": .list(.named("EventDelivery")),
        ]
    }

    private static let detail = event(isOne: true)
}
