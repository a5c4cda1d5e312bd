import Events
import HTTPTypes
import Kernel
import Signing

/// Makes one attempt: renders and signs the body, calls the endpoint, and judges what came back.
package struct AttemptSender: Sendable {
    /// Seed 002: an endpoint has ten seconds to answer.
    static let timeout: Duration = .seconds(10)

    let directory: EndpointDirectory
    private let exchange: any HTTPExchange
    private let time: TimeSource
    private let userAgent: String

    package init(exchange: any HTTPExchange, directory: EndpointDirectory, time: TimeSource, userAgent: String) {
        self.exchange = exchange
        self.directory = directory
        self.time = time
        self.userAgent = userAgent
    }

    enum Result: Sendable {
        case sent(AttemptRecord)
        /// There is no active subscription behind the delivery any more.
        case noEndpoint(reason: String)
    }

    func send(_ delivery: ReadyDelivery, jitter: Double) async throws -> Result {
        guard let endpoint = try await directory.endpoint(delivery.subscription, tenant: delivery.tenant) else {
            return .noEndpoint(reason: "the subscription was deleted")
        }
        guard endpoint.isActive else { return .noEndpoint(reason: "the subscription is disabled") }
        let startedAt = time.now()
        let request = request(for: delivery, to: endpoint, at: startedAt)
        let clock = ContinuousClock()
        let begin = clock.now
        var response: IncomingResponse?
        var outcome: AttemptOutcome
        var detail: String?
        do throws(ExchangeError) {
            let answer = try await exchange.send(request)
            response = answer
            outcome = .answered(status: answer.status, retryAfter: Self.retryAfter(answer, now: time.now()))
        } catch {
            outcome = .failed(error.errorClass)
            detail = error.detail
        }
        let attempts = delivery.attempts + 1
        let decision = DeliveryDecision.after(
            outcome, attempts: attempts, createdAt: delivery.createdAt, now: time.now(),
            schedule: endpoint.profile.schedule, jitter: jitter)
        return .sent(
            AttemptRecord(
                delivery: delivery, startedAt: startedAt, duration: begin.duration(to: clock.now), outcome: outcome,
                detail: detail, requestHeaders: Self.shown(request.headers, masking: endpoint.headers),
                responseHeaders: response.map { Self.shown($0.headers, masking: []) },
                responseBody: response?.body, decision: decision))
    }

    private func request(for delivery: ReadyDelivery, to endpoint: Endpoint, at now: Timestamp) -> OutgoingRequest {
        let body = endpoint.profile.body(of: delivery.event)
        var headers: HTTPFields = [.contentType: "application/json", .userAgent: userAgent]
        if let key = endpoint.keys.first {
            // The id of the event, not of the delivery: it stays the same over retries and replays.
            let content = SignedContent(id: delivery.event.id.description, time: now, body: body)
            let older = Array(endpoint.keys.dropFirst())
            headers.append(contentsOf: endpoint.profile.signature.sign(content, key: key, older: older))
            headers.append(contentsOf: SignatureCatalog.standardV1.sign(content, key: key, older: older))
        }
        for header in endpoint.headers {
            if let name = HTTPField.Name(header.name) { headers[name] = header.value.revealText(for: "calling") }
        }
        return OutgoingRequest(
            method: .post, url: endpoint.url, headers: headers, body: body, timeout: Self.timeout,
            responseLimit: Limits.responseBodyBytes)
    }

    /// Headers as they are kept: values that the subscriber set are credentials as likely as not. Those that came more
    /// than once are one member, since no name may stand twice in a JSON object.
    static func shown(_ headers: HTTPFields, masking masked: [Subscription.Header]) -> [UInt8] {
        let hidden = Set(masked.map { $0.name.lowercased() })
        var names: [HTTPField.Name] = []
        var values: [HTTPField.Name: String] = [:]
        for field in headers.prefix(64) {
            let value = hidden.contains(field.name.canonicalName) ? "***" : String(field.value.prefix(1024))
            if let earlier = values[field.name] {
                values[field.name] = earlier + ", " + value
            } else {
                names.append(field.name)
                values[field.name] = value
            }
        }
        return JSONWriter.object { writer in
            for name in names { writer.field(name.rawName, values[name]) }
        }
    }

    /// `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3).
    static func retryAfter(_ response: IncomingResponse, now: Timestamp) -> Duration? {
        guard let value = response.headers[.retryAfter] else { return nil }
        if !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }) {
            return .seconds(min(Int64(value) ?? .max, 30 * 86_400))
        }
        return HTTPDate.parse(value).map { max(.zero, $0 - now) }
    }
}
