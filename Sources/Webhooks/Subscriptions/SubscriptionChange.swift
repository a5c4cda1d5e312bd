import Events
import Kernel

/// What a caller wants to be different about a subscription: members that are not named stay, null takes away.
package struct SubscriptionChange: Sendable {
    /// A member that can be absent.
    enum Wish<Value: Sendable>: Sendable {
        case keep
        case set(Value?)

        func applied(to value: inout Value?) {
            if case .set(let wanted) = self { value = wanted }
        }
    }

    /// The new address, where one is wanted.
    let url: String?
    private let patterns: [EventPattern]?
    private let profile: String?
    private let payloadMode: PayloadMode?
    private let isOrdered: Bool?
    private let headers: Wish<[SubscriptionFields.GivenHeader]>
    private let description: Wish<String>
    private let retry: Wish<RetryOverride>
    private let rateLimit: Wish<Int>
    private let maxInFlight: Wish<Int>
    private let filter: Wish<EventFilter>

    package init(_ fields: FieldReader, rules: SubscriptionRules) {
        func wish<Value>(_ name: String, _ read: (FieldReader) -> Value?) -> Wish<Value> {
            let value = read(fields)
            return fields.isPresent(name) ? .set(value) : .keep
        }
        for name in ["url", "event_types", "profile", "payload_mode", "ordered"]
        where fields.isPresent(name) && fields.value(name) == nil {
            fields.fault(name, "can't be taken away")
        }
        url = fields.value("url").map { _ in SubscriptionFields.url(fields, rules.policy) }
        patterns = fields.value("event_types").map { _ in SubscriptionFields.patterns(fields, rules.names) }
        profile = SubscriptionFields.profile(fields)
        payloadMode = fields.choice("payload_mode")
        isOrdered = fields.bool("ordered")
        headers = wish("headers") { SubscriptionFields.headers($0, mask: true) }
        description = wish("description") { $0.string("description", upTo: 500) }
        retry = wish("retry") { SubscriptionFields.retry($0) }
        rateLimit = wish("rate_limit") { SubscriptionFields.rateLimit($0) }
        maxInFlight = wish("max_in_flight") { SubscriptionFields.maxInFlight($0) }
        filter = wish("filter") { SubscriptionFields.filter($0) }
        for (name, other) in [
            ("secret", "rotate-secret"), ("signature", "rotate-secret"), ("status", "activate and disable"),
        ] where fields.value(name) != nil {
            fields.fault(name, "is changed with \(other)")
        }
    }

    /// The subscription with what is wanted. A header whose value is the mask keeps the value that it has.
    func applied(to old: Subscription, now: Timestamp) throws -> Subscription {
        var new = old
        if let url { new.url = url }
        if let patterns { new.patterns = patterns }
        if let profile { new.profile = profile }
        if let payloadMode { new.payloadMode = payloadMode }
        if let isOrdered { new.isOrdered = isOrdered }
        if case .set(let wanted) = headers { new.headers = try Self.merged(wanted ?? [], with: old.headers) }
        description.applied(to: &new.description)
        retry.applied(to: &new.retry)
        rateLimit.applied(to: &new.rateLimit)
        maxInFlight.applied(to: &new.maxInFlight)
        filter.applied(to: &new.filter)
        new.updatedAt = now
        return new
    }

    private static func merged(
        _ wanted: [SubscriptionFields.GivenHeader], with old: [Subscription.Header]
    ) throws -> [Subscription.Header] {
        try wanted.map { header in
            if let given = header.given { return given }
            guard let kept = old.first(where: { $0.name.lowercased() == header.name.lowercased() }) else {
                throw InvalidDocument(
                    pointer: "/headers/\(header.name)", detail: "has the mask for a value, and there was none before")
            }
            return kept
        }
    }
}
