import Signing

/// All that is needed to call one endpoint. A class, because each call takes it out of the directory.
final class Endpoint: Sendable {
    let url: String
    let headers: [Subscription.Header]
    let profile: Profile
    let payloadMode: PayloadMode
    /// Newest first; all of them sign.
    let keys: [SigningKey]
    let isActive: Bool
    /// The subscription's own retries, or those of its profile under the tenant's settings.
    let schedule: RetrySchedule
    /// Deliveries a second at most, retries included; nil for no limit.
    let rateLimit: Int?
    /// Calls at once at most; nil for what the dispatcher finds.
    let maxInFlight: Int?
    /// Whether deliveries about one entity go out one after the other, in the order of their events.
    let isOrdered: Bool
    let settings: TenantSettings

    init(
        url: String, headers: [Subscription.Header], profile: Profile, payloadMode: PayloadMode, keys: [SigningKey],
        isActive: Bool, schedule: RetrySchedule, rateLimit: Int?, maxInFlight: Int?, isOrdered: Bool,
        settings: TenantSettings
    ) {
        self.url = url
        self.headers = headers
        self.profile = profile
        self.payloadMode = payloadMode
        self.keys = keys
        self.isActive = isActive
        self.schedule = schedule
        self.rateLimit = rateLimit
        self.maxInFlight = maxInFlight
        self.isOrdered = isOrdered
        self.settings = settings
    }
}
