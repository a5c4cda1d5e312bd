import Webhooks

/// The schemas of subscriptions and deliveries.
enum SubscriptionSchemas {
    static let all: KeyValuePairs<String, Schema> = [
        "Subscription": .object(members),
        "NewSubscriptionSecret": Schema.open(["id": .uuid, "secret": .text.saying("Shown only here.")])
            .saying("The members of `Subscription`, and the secret."),
        "NewSubscription": new,
        "SubscriptionChange": change,
        "Retry": retry,
        "Delivery": .object(delivery),
        "Attempt": .object([
            "number": .integer, "started_at": .time, "duration_us": .integer,
            "phases": Schema.named("AttemptPhases").orNull, "status": .integer.orNull, "error_class": .text.orNull,
            "detail": .text.orNull, "request_headers": .anything,
            "response_headers": .anything, "response_body": .text.orNull,
        ]),
        "AttemptPhases": Schema.object([
            "dns_us": .integer.orNull, "connect_us": .integer.orNull, "tls_us": .integer.orNull,
            "first_byte_us": .integer.orNull, "total_us": .integer.orNull,
        ]).saying("Null for a part that was not needed; the last two count from the start of the call."),
        "SubscriptionStats": stats,
        "WebhookSettings": .object([
            "retention_days": .integer, "max_subscriptions": .integer, "max_retry_attempts": .integer,
            "backoff_schedule": .list(.integer), "failure_threshold": .integer, "failure_window": .integer,
            "min_deliveries_for_disable": .integer,
        ]),
        "WebhookSettingsChange": .request([
            "retention_days?": .integer(1...365), "max_subscriptions?": .integer(1...100),
            "max_retry_attempts?": .integer(1...20), "backoff_schedule?": .list(.integer(0...1440), 1, upTo: 20),
            "failure_threshold?": .integer(1...100), "failure_window?": .integer(1...168),
            "min_deliveries_for_disable?": .integer(1...10_000),
        ]),
    ]

    /// The members of a delivery, wherever it is listed.
    static let delivery: KeyValuePairs<String, Schema> = [
        "id": .uuid, "event_id": .uuid, "event_type": .text, "replay_id": .uuid.orNull,
        "state": .choice(DeliveryState.self), "reason": .text.orNull, "next_attempt_at": .time.orNull,
        "created_at": .time, "finished_at": .time.orNull, "attempts": .list(.named("Attempt")),
    ]

    private static let members: KeyValuePairs<String, Schema> = [
        "id": .uuid, "url": .text, "event_types": .list(.text), "profile": .text,
        "payload_mode": .choice(PayloadMode.self), "signature": .choice(Subscription.Signature.self),
        "headers": .map(.text.saying("Masked.")), "description": .text.orNull, "retry": Schema.named("Retry").orNull,
        "rate_limit": .integer.orNull, "max_in_flight": .integer.orNull, "ordered": .boolean, "filter": .anything,
        "status": .choice(Subscription.Status.self), "status_reason": .text.orNull, "created_at": .time,
        "updated_at": .time,
    ]

    private static let url = Schema.text(1, upTo: 2048).saying("https, at a public address.")
    private static let patterns = Schema.list(.text, 1, upTo: 100).saying("Types, `entity.*`, or `*`.")
    private static let profile = Schema.choice(of: ProfileCatalog.all.map(\.name))
    private static let headers = Schema.map(.text(upTo: 2048))
    private static let filter = Schema.map(.anything).saying("See docs/subscriptions.md.")

    /// What a new subscription needs, and a change may leave out.
    private static let new = Schema.request(
        [
            "url": url, "event_types": patterns, "signature?": .choice(Subscription.Signature.self),
            "secret?": .text(16, upTo: 512),
        ], options)

    private static let change = Schema.request(["url?": url, "event_types?": patterns], options)

    private static let options: KeyValuePairs<String, Schema> = [
        "profile?": profile, "payload_mode?": .choice(PayloadMode.self), "headers?": headers,
        "description?": .text(upTo: 500), "retry?": .named("Retry"), "rate_limit?": .integer(1...10_000),
        "max_in_flight?": .integer(1...Int64(EndpointQueue.windowMost)), "ordered?": .boolean, "filter?": filter,
    ]

    private static let retry = Schema.request([
        "delays_seconds?": .list(.integer(1...86_400), 1, upTo: 20), "first_seconds?": .integer(1...3600),
        "factor?": .integer(1...10), "longest_seconds?": .integer(1...86_400),
        "window_seconds?": .integer(60...604_800),
        "max_attempts?": .integer(1...Int64(RetrySchedule.attemptsMost)),
    ])

    private static let stats = Schema.object([
        "since": .time, "attempts": .integer, "successes": .integer, "failures": .map(.integer),
        "success_rate": .number.orNull, "duration_p50_us": .integer.orNull, "duration_p95_us": .integer.orNull,
        "sampled": .boolean, "pending": .integer, "delivering": .integer, "next_due_at": .time.orNull,
        "oldest_pending_at": .time.orNull,
        "breaker": .object(["state": .text, "opened_at": .time.orNull, "next_probe_at": .time.orNull]),
    ])
}
