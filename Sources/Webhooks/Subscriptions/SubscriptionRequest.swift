import Events
import Kernel

/// What a caller asks for when it subscribes, read from a body and checked field by field.
package struct SubscriptionRequest: Sendable {
    package let url: String
    package let patterns: [EventPattern]
    package let profile: String
    package let payloadMode: PayloadMode
    package let secret: SecretRequest
    package let headers: [Subscription.Header]
    package let description: String?
    package let retry: RetryOverride?
    package let rateLimit: Int?
    package let maxInFlight: Int?
    package let isOrdered: Bool
    package let filter: EventFilter?

    package init(_ fields: FieldReader, rules: SubscriptionRules) {
        url = SubscriptionFields.url(fields, rules.policy)
        patterns = SubscriptionFields.patterns(fields, rules.names)
        profile = SubscriptionFields.profile(fields) ?? ProfileCatalog.usual.name
        payloadMode = fields.choice("payload_mode") ?? .full
        secret = SecretRequest(fields)
        headers = SubscriptionFields.headers(fields, mask: false)?.compactMap(\.given) ?? []
        description = fields.string("description", upTo: 500)
        retry = SubscriptionFields.retry(fields)
        rateLimit = SubscriptionFields.rateLimit(fields)
        maxInFlight = SubscriptionFields.maxInFlight(fields)
        isOrdered = fields.bool("ordered") ?? false
        filter = SubscriptionFields.filter(fields)
    }

    /// The subscription that this becomes.
    func subscription(_ id: SubscriptionID, scope: Scope, now: Timestamp) -> Subscription {
        Subscription(
            id: id, scope: scope, url: url, patterns: patterns, profile: profile, payloadMode: payloadMode,
            signature: secret.signature, headers: headers, description: description, retry: retry,
            rateLimit: rateLimit, maxInFlight: maxInFlight, isOrdered: isOrdered, filter: filter, status: .active,
            statusReason: nil, createdAt: now, updatedAt: now)
    }
}
