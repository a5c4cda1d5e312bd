import Kernel

/// One HTTP call and what follows from it, as it is written down. A class: it goes through several lists on its way.
final class AttemptRecord: Sendable {
    let delivery: ReadyDelivery
    let startedAt: Timestamp
    let duration: Duration
    /// Nil from an exchange that does not time its parts.
    let phases: CallPhases?
    let outcome: AttemptOutcome
    /// The engine's or network's own words for a failure.
    let detail: String?
    /// JSON objects of header names and values, secrets masked.
    let requestHeaders: [UInt8]
    let responseHeaders: [UInt8]?
    let responseBody: [UInt8]?
    let decision: DeliveryDecision

    init(
        delivery: ReadyDelivery, startedAt: Timestamp, duration: Duration, phases: CallPhases?,
        outcome: AttemptOutcome, detail: String?, requestHeaders: [UInt8], responseHeaders: [UInt8]?,
        responseBody: [UInt8]?, decision: DeliveryDecision
    ) {
        self.delivery = delivery
        self.startedAt = startedAt
        self.duration = duration
        self.phases = phases
        self.outcome = outcome
        self.detail = detail
        self.requestHeaders = requestHeaders
        self.responseHeaders = responseHeaders
        self.responseBody = responseBody
        self.decision = decision
    }

    /// Whether a delivery ended that others of its entity may wait for.
    var endsOrdered: Bool { delivery.orderedBy != nil && decision.move != .putOff }
}
