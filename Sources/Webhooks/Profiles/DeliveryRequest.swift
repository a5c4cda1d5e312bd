import Events
import HTTPTypes
import Kernel
import Signing

/// Renders one delivery as the HTTP request that leaves: body, signatures, the subscriber's own headers.
struct DeliveryRequest: Sendable {
    /// Seed 002: an endpoint has ten seconds to answer.
    static let timeout: Duration = .seconds(10)

    let userAgent: String

    /// The request for one attempt at `now`: the same event at another time differs in its signatures only.
    func render(_ event: DomainEvent, to endpoint: Endpoint, at now: Timestamp) -> OutgoingRequest {
        let body = endpoint.profile.envelope(event, endpoint.payloadMode)
        var headers: HTTPFields = [.contentType: "application/json", .userAgent: userAgent]
        headers.append(contentsOf: signatures(of: body, event: event.id, endpoint: endpoint, now: now))
        for header in endpoint.headers {
            if let name = HTTPField.Name(header.name) { headers[name] = header.value.revealText(for: "calling") }
        }
        return OutgoingRequest(
            method: .post, url: endpoint.url, headers: headers, body: body, timeout: Self.timeout,
            responseLimit: Limits.responseBodyBytes)
    }

    private func signatures(of body: [UInt8], event: EventID, endpoint: Endpoint, now: Timestamp) -> HTTPFields {
        guard let key = endpoint.keys.first else { return [:] }
        // The id of the event, not of the delivery: it stays the same over retries and replays.
        let content = SignedContent(id: event.description, time: now, body: body)
        let older = Array(endpoint.keys.dropFirst())
        var headers = SignatureCatalog.standardV1.sign(content, key: key, older: older)
        if let own = endpoint.profile.signature {
            headers.append(contentsOf: own.sign(content, key: key, older: older))
        }
        return headers
    }
}
