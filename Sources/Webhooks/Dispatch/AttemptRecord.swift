import Kernel

/// One HTTP call and what follows from it, as it is written down.
struct AttemptRecord: Sendable {
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

    /// Whether a delivery ended that others of its entity may wait for.
    var endsOrdered: Bool { delivery.orderedBy != nil && decision.move != .putOff }
}
