import Webhooks

enum SubscriptionOperations {
    private static let root = "/api/v1/webhooks/subscriptions"

    static let group = OperationGroup(
        name: "Subscriptions", summary: "Where a tenant's events go, and what became of what was sent.",
        schemas: SubscriptionSchemas.all, operations: subscriptions + story)

    private static let subscriptions: [Operation] = [
        .get(root, "listSubscriptions", "All subscriptions.").paged(.named("Subscription")),
        .get("\(root)/{id}", "readSubscription", "One subscription.").answering(200, .named("Subscription")),
        .post(root, "createSubscription", "Subscribes an endpoint and shows its secret once.").audited(.subscription)
            .taking(
                .named("NewSubscription"),
                example: #"{"url": "https://example.com/in", "event_types": ["order.*"]}"#
            ).once().answering(201, .named("NewSubscriptionSecret")),
        .patch("\(root)/{id}", "changeSubscription", "Changes what is named; null takes away.").audited(.subscription)
            .taking(.named("SubscriptionChange"), example: #"{"description": "orders only"}"#)
            .failing(409).answering(200, .named("Subscription")),
        .delete("\(root)/{id}", "deleteSubscription", "Ends a subscription.").audited(.subscription),
        .post("\(root)/{id}/activate", "activateSubscription", "Sends again, counting failures anew.").audited(
            .subscription
        )
        .failing(409).answering(200, .named("Subscription")),
        .post("\(root)/{id}/disable", "disableSubscription", "Sends no more until it is activated.").audited(
            .subscription
        )
        .failing(409).answering(200, .named("Subscription")),
        .post("\(root)/{id}/rotate-secret", "rotateSubscriptionSecret", "A new secret, shown once.").audited(
            .subscriptionSecret
        )
        .taking(
            .request([
                "overlap_hours?": .integer(0...168), "secret?": .text(upTo: 512),
                "signature?": .choice(Subscription.Signature.self),
            ]), isRequired: false, example: #"{"overlap_hours": 24}"#
        ).once().answering(
            200,
            .object([
                "id": .uuid, "signature": .choice(Subscription.Signature.self), "secret": .text,
                "overlap_hours": .integer, "previous_until": .time.orNull,
            ])),
        .post("\(root)/{id}/test", "testSubscription", "Sends one made-up event to the endpoint.")
            .taking(
                .request(["event_type?": .text]), isRequired: false, example: #"{"event_type": "order.created"}"#
            ).once().answering(202, .object(["status": .choice("queued"), "delivery_id": .uuid])),
    ]

    private static let story: [Operation] = [
        .get("\(root)/{id}/keys", "listSubscriptionKeys", "The public keys of an ed25519 subscription.")
            .failing(409).answering(
                200,
                .object([
                    "keys": .list(.object(["public_key": .text, "created_at": .time, "expires_at": .time.orNull]))
                ])),
        .get("\(root)/{id}/deliveries", "listDeliveries", "What was sent, newest first, with every attempt.")
            .paged(.named("Delivery")),
        .get("\(root)/{id}/stats", "readSubscriptionStats", "How an endpoint does.")
            .answering(200, .named("SubscriptionStats")),
        .get("/api/v1/webhooks/settings", "readWebhookSettings", "What holds for all of a tenant's subscriptions.")
            .answering(200, .named("WebhookSettings")),
        .patch("/api/v1/webhooks/settings", "changeWebhookSettings", "Changes what is named.", .role(.admin)).audited(
            .webhookSettings
        )
        .taking(.named("WebhookSettingsChange"), example: #"{"retention_days": 30}"#)
        .answering(200, .named("WebhookSettings")),
    ]
}
