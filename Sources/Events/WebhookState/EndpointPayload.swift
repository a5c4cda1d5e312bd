import Kernel

/// What the operational events tell of a subscription's endpoint. Its URL may hold a credential: only the host leaves.
package struct EndpointPayload: Sendable {
    package let subscription: ID<DomainEvent.Entity>
    package let host: String
    package let url: String
    /// Attempts and failures in the window that was judged.
    package let attempts: Int64
    package let failures: Int64
    /// When the newest attempt of the window that did succeed; nil when none did.
    package let lastSuccessAt: Timestamp?
    /// One sentence.
    package let reason: String

    package init(
        subscription: ID<DomainEvent.Entity>, host: String, url: String, attempts: Int64, failures: Int64,
        lastSuccessAt: Timestamp?, reason: String
    ) {
        self.subscription = subscription
        self.host = host
        self.url = url
        self.attempts = attempts
        self.failures = failures
        self.lastSuccessAt = lastSuccessAt
        self.reason = reason
    }

    func write(_ writer: inout PayloadWriter) {
        writer.field(Field.subscription, subscription)
        writer.field(Field.host, host)
        writer.field(Field.attempts, attempts)
        writer.field(Field.failures, failures)
        writer.field(Field.lastSuccessAt, lastSuccessAt)
        writer.field(Field.reason, reason)
        writer.field(Field.url, url)
    }

    /// The fields of an endpoint in a payload, with their privacy classes.
    enum Field {
        static let subscription = EventField("subscription_id", .public, .uuid, "The subscription.")
        static let host = EventField("host", .public, .text, "The host of its URL.")
        static let attempts = EventField("attempts", .public, .integer, "Attempts in the window that was judged.")
        static let failures = EventField("failures", .public, .integer, "How many of them failed.")
        static let lastSuccessAt = EventField(
            "last_success_at", .public, .time, "When an attempt in that window last succeeded; null if none did.",
            .nullable)
        static let reason = EventField("reason", .public, .text, "One sentence for people.")
        static let url = EventField(
            "url", .restricted, .text, "The whole URL, whose path or query may be a credential.")

        static let endpoint = [subscription, host, attempts, failures, lastSuccessAt, reason, url]
    }

    static func example(failures: Int64, reason: String) -> EndpointPayload {
        EndpointPayload(
            subscription: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_000C), host: "hooks.example.test",
            url: "https://hooks.example.test/in/8f1c2d", attempts: 24, failures: failures,
            lastSuccessAt: Timestamp(milliseconds: 1_733_322_726_998), reason: reason)
    }
}
