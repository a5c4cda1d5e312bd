import Kernel

/// How the attempts to one endpoint ended over some time, and whether that is the end of it. Pure.
struct EndpointHealth: Sendable, Equatable {
    private(set) var attempts: Int64 = 0
    private(set) var failures: Int64 = 0
    private(set) var lastSuccessAt: Timestamp?

    init() {}

    init(attempts: Int64, failures: Int64, lastSuccessAt: Timestamp?) {
        self.attempts = attempts
        self.failures = failures
        self.lastSuccessAt = lastSuccessAt
    }

    /// Counts one attempt. Every one counts, those of replays and tests too: they say the same of the endpoint.
    mutating func count(isFailure: Bool, at time: Timestamp) {
        attempts += 1
        if isFailure { failures += 1 } else { lastSuccessAt = max(lastSuccessAt ?? time, time) }
    }

    /// Whether the subscription is to be disabled: more than the share of failures that the tenant puts up with, among
    /// as many attempts as it wants to have seen. A threshold of 100 is never passed.
    func isPast(_ settings: TenantSettings) -> Bool {
        attempts >= settings.minDeliveriesForDisable && failures * 100 > Int64(settings.failureThreshold) * attempts
    }

    /// What is told of it, as a sentence without its end.
    func sentence(_ settings: TenantSettings) -> String {
        let window = settings.failureWindow == 1 ? "an hour" : "\(settings.failureWindow) hours"
        return "\(failures) of \(attempts) attempts failed within \(window)"
    }
}

/// The attempts of one transaction, counted by endpoint.
struct EndpointTally: Sendable {
    let tenant: TenantID
    private(set) var health = EndpointHealth()

    static func of(_ records: [AttemptRecord]) -> [SubscriptionID: EndpointTally] {
        var tallies: [SubscriptionID: EndpointTally] = [:]
        for record in records {
            tallies[record.delivery.subscription, default: EndpointTally(tenant: record.delivery.tenant)].count(record)
        }
        return tallies
    }

    private init(tenant: TenantID) { self.tenant = tenant }

    private mutating func count(_ record: AttemptRecord) {
        health.count(isFailure: record.decision != .delivered, at: record.startedAt + record.duration)
    }
}
