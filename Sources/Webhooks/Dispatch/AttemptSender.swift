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

    /// One call; whatever it comes to is a record. Jitter is drawn where it is needed.
    func attempt(
        _ delivery: ReadyDelivery, at endpoint: Endpoint, jitter: @Sendable () -> Double
    ) async -> AttemptRecord {
        let startedAt = time.now()
        let request = rendering.render(delivery.event, to: endpoint, at: startedAt)
        var response: IncomingResponse?
        var failure: ExchangeError?
        do throws(ExchangeError) { response = try await exchange.send(request) } catch { failure = error }
        let now = time.now()
        let outcome: AttemptOutcome =
            if let response {
                .answered(status: response.status, retryAfter: Self.retryAfter(response, now: now))
            } else {
                .failed(failure?.errorClass ?? .body)
            }
        let phases = response?.phases ?? failure?.phases
        let decision = DeliveryDecision.after(
            outcome, attempts: delivery.attempts + 1, createdAt: delivery.createdAt, now: now,
            schedule: endpoint.schedule, jitter: outcome.errorClass == nil ? 0 : jitter())
        return AttemptRecord(
            delivery: delivery, startedAt: startedAt, duration: phases?.total ?? max(.zero, now - startedAt),
            phases: phases, outcome: outcome, detail: failure?.detail,
            requestHeaders: Self.shown(request.headers, masking: endpoint.headers),
            responseHeaders: response.map { Self.shown($0.headers, masking: []) }, responseBody: response?.body,
            decision: decision)
    }

    /// What a failed call asks for; of a success nobody reads it.
    private static func retryAfter(_ response: IncomingResponse, now: Timestamp) -> Duration? {
        if (200..<300).contains(response.status) { return nil }
        return response.headers[.retryAfter].flatMap { HTTPDate.retryAfter($0, now: now) }
    }

    /// Headers as they are kept: values that the subscriber set are credentials as likely as not. Those that came more
    /// than once are one member, since no name may stand twice in a JSON object.
    static func shown(_ headers: HTTPFields, masking masked: [Subscription.Header]) -> [UInt8] {
        let hidden = masked.compactMap { HTTPField.Name($0.name) }
        var members: [(name: HTTPField.Name, value: String)] = []
        members.reserveCapacity(16)
        for field in headers.prefix(64) {
            // A dozen names: looking back is cheaper than a dictionary for each call.
            if let index = members.firstIndex(where: { $0.name == field.name }) {
                members[index].value += ", " + kept(field.value)
            } else {
                members.append((field.name, kept(field.value)))
            }
        }
        var writer = JSONWriter(reserving: 512)
        writer.object { writer in
            for (name, value) in members {
                writer.field(name.rawName, hidden.contains(name) ? "***" : value)
            }
        }
        return writer.bytes
    }

    private static func kept(_ value: String) -> String {
        value.utf8.count <= 1024 ? value : String(value.prefix(1024))
    }
}
