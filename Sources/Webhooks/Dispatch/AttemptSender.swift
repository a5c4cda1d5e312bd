import HTTPTypes
import Kernel

/// Makes one attempt: calls the endpoint with the rendered delivery, and judges what came back.
package struct AttemptSender: Sendable {
    let directory: EndpointDirectory
    private let exchange: any HTTPExchange
    private let time: TimeSource
    private let rendering: DeliveryRequest

    package init(exchange: any HTTPExchange, directory: EndpointDirectory, time: TimeSource, userAgent: String) {
        self.exchange = exchange
        self.directory = directory
        self.time = time
        self.rendering = DeliveryRequest(userAgent: userAgent)
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
        let request = rendering.render(delivery.event, to: endpoint, at: startedAt)
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
            schedule: endpoint.schedule, jitter: jitter)
        return .sent(
            AttemptRecord(
                delivery: delivery, startedAt: startedAt, duration: begin.duration(to: clock.now), outcome: outcome,
                detail: detail, requestHeaders: Self.shown(request.headers, masking: endpoint.headers),
                responseHeaders: response.map { Self.shown($0.headers, masking: []) },
                responseBody: response?.body, decision: decision))
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
