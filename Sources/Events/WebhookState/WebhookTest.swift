import Kernel

/// Somebody asked for a delivery to see whether their endpoint works.
package struct WebhookTest: EventType {
    package static let name = "webhook.test"
    package static let summary = "A caller asked for a test delivery to a subscription."
    package static let fields = [Field.subscription, Field.text, Field.requestedAt]
    package static let example = WebhookTest(
        subscription: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_000C),
        requestedAt: Timestamp(milliseconds: 1_733_326_326_998))

    package let subscription: ID<DomainEvent.Entity>
    package let requestedAt: Timestamp

    package init(subscription: ID<DomainEvent.Entity>, requestedAt: Timestamp) {
        self.subscription = subscription
        self.requestedAt = requestedAt
    }

    package var entityID: ID<DomainEvent.Entity> { subscription }

    package func write(_ writer: inout PayloadWriter) {
        writer.field(Field.subscription, subscription)
        writer.field(Field.text, "This is a test.")
        writer.field(Field.requestedAt, requestedAt)
    }

    enum Field {
        static let subscription = EventField("subscription_id", .public, .uuid, "The subscription.")
        static let text = EventField("text", .public, .text, "A fixed sentence.")
        static let requestedAt = EventField("requested_at", .public, .time, "When it was asked for.")
    }
}
