import Events
import HTTPTypes
import Kernel
import Signing

/// Renders one delivery as the HTTP request that leaves: body, signatures, the subscriber's own headers.
struct DeliveryRequest: Sendable {
    /// Seed 002: an endpoint has ten seconds to answer.
    static let timeout: Duration = .seconds(10)

    /// Stands on test deliveries only.
    private static let testHeader = HTTPField.Name(known: "webhook-test")

    let userAgent: String

    /// The request for one attempt at `now`: the same event at another time differs in its signatures only.
    func render(_ event: DomainEvent, to endpoint: Endpoint, at now: Timestamp) -> OutgoingRequest {
        let body = endpoint.profile.envelope(event, endpoint.payloadMode)
        var headers: HTTPFields = [.contentType: "application/json", .userAgent: userAgent]
        sign(body, event: event, endpoint: endpoint, now: now, into: &headers)
        // A receiver must be able to tell an example from something that happened.
        if event.source == SubscriptionService.testSource { headers[Self.testHeader] = "true" }
        for header in endpoint.headers {
            if let name = HTTPField.Name(header.name) { headers[name] = header.value.revealText(for: "calling") }
        }
        return OutgoingRequest(
            method: .post, url: endpoint.url, headers: headers, body: body, timeout: Self.timeout,
            responseLimit: Limits.responseBodyBytes)
    }

    /// One signature of each live secret in the `webhook-*` headers, and the newest shared one's in the profile's own.
    ///
    /// A subscription that has key pairs only shares no secret, so its deliveries lack the profile's own header.
    private func sign(
        _ body: [UInt8], event: DomainEvent, endpoint: Endpoint, now: Timestamp, into headers: inout HTTPFields
    ) {
        // The id of the event, not of the delivery: it stays the same over retries and replays.
        let content = SignedContent(id: event.id.description, time: now, body: body)
        for field in StandardWebhooksHeaders.fields(of: content, keys: endpoint.keys) { headers.append(field) }
        if let own = endpoint.profile.signature, let key = endpoint.keys.first(where: { !$0.isPair }) {
            headers.append(own.field(of: content, key: key))
        }
    }
}

extension Profile {
    /// One event as a delivery of this profile, for tools that stand in for the dispatcher.
    package func request(
        for event: DomainEvent, to url: String, mode: PayloadMode, keys: [SigningKey], userAgent: String,
        at now: Timestamp
    ) -> OutgoingRequest {
        let settings = TenantSettings()
        let endpoint = Endpoint(
            url: url, headers: [], profile: self, payloadMode: mode, keys: keys, isActive: true,
            schedule: schedule(under: settings), rateLimit: nil, maxInFlight: nil, isOrdered: false,
            settings: settings)
        return DeliveryRequest(userAgent: userAgent).render(event, to: endpoint, at: now)
    }
}
