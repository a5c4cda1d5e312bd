import Kernel
import Signing
import Storage
import Synchronization

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

/// Endpoints by subscription, kept for a moment so that a busy one costs no query and no unsealing for each delivery.
///
/// A change made by another copy of the server is seen when the moment is over; one made here at once.
package final class EndpointDirectory: Sendable {
    private struct Entry {
        let endpoint: Endpoint?
        let expires: Timestamp
    }

    /// How long a change made elsewhere may go unseen.
    private static let moment: Duration = .seconds(2)
    private static let entriesMost = 20_000

    private let database: any Database
    private let secrets: SecretBox
    private let time: TimeSource
    private let entries = Mutex<[SubscriptionID: Entry]>([:])

    package init(database: any Database, secrets: SecretBox, time: TimeSource) {
        self.database = database
        self.secrets = secrets
        self.time = time
    }

    /// To be called after a change of the subscription, so that the next delivery from here sees it.
    package func forget(_ id: SubscriptionID) {
        entries.withLock { _ = $0.removeValue(forKey: id) }
    }

    /// To be called after a change that concerns all subscriptions of a tenant.
    package func forgetAll() { entries.withLock { $0.removeAll() } }

    /// Nil when there is no such subscription any more.
    func endpoint(_ id: SubscriptionID, tenant: TenantID) async throws -> Endpoint? {
        let now = time.now()
        if let entry = entries.withLock({ $0[id] }), entry.expires > now { return entry.endpoint }
        let endpoint = try await load(id, tenant: tenant, now: now)
        entries.withLock { entries in
            if entries.count >= Self.entriesMost { entries.removeAll() }
            entries[id] = Entry(endpoint: endpoint, expires: now + Self.moment)
        }
        return endpoint
    }

    private func load(_ id: SubscriptionID, tenant: TenantID, now: Timestamp) async throws -> Endpoint? {
        let found = try await database.read(.background) { transaction in
            try SubscriptionStore.fetch(id, tenant: tenant, in: transaction).map {
                (
                    $0, try SubscriptionStore.secrets(of: id, tenant: tenant, now: now, in: transaction),
                    try TenantSettings.load(of: tenant, in: transaction)
                )
            }
        }
        guard let (stored, sealed, settings) = found, let profile = ProfileCatalog.profile(named: stored.profile) else {
            return nil
        }
        let keys = try sealed.compactMap { row in
            SigningKey(try secrets.open(row.sealed, context: Self.context(of: row.id)))
        }
        let subscription = try open(stored)
        let schedule = profile.schedule(under: settings)
        return Endpoint(
            url: stored.url, headers: subscription.headers, profile: profile, payloadMode: stored.payloadMode,
            keys: keys, isActive: stored.status == .active,
            schedule: subscription.retry?.applied(to: schedule) ?? schedule,
            rateLimit: stored.rateLimit, maxInFlight: stored.maxInFlight, isOrdered: stored.isOrdered,
            settings: settings)
    }

    // MARK: Sealing

    static func context(of id: ID<SubscriptionStore.SecretRow>) -> String { "subscription_secret:\(id)" }

    static func sealHeaders(
        _ headers: [Subscription.Header], of id: SubscriptionID, with secrets: SecretBox
    ) throws -> [UInt8]? {
        if headers.isEmpty { return nil }
        let json = JSONWriter.object { writer in
            for header in headers { writer.field(header.name, header.value.revealText(for: "sealing a header")) }
        }
        return try secrets.seal(Secret(json), context: "subscription_headers:\(id)")
    }

    func open(_ stored: SubscriptionStore.Stored) throws -> Subscription {
        var headers: [Subscription.Header] = []
        if let sealed = stored.sealedHeaders {
            let json = try secrets.open(sealed, context: "subscription_headers:\(stored.id)")
            let object = try JSONValue(parsing: json.reveal(for: "reading sealed headers")).object ?? .empty
            headers = object.members.map { .init(name: $0.name, value: Secret($0.value.string ?? "")) }
        }
        return Subscription(
            id: stored.id, scope: stored.scope, url: stored.url, patterns: stored.patterns, profile: stored.profile,
            payloadMode: stored.payloadMode, signature: stored.signature, headers: headers,
            description: stored.description, retry: try stored.retry.map { try RetryOverride(stored: $0) },
            rateLimit: stored.rateLimit, maxInFlight: stored.maxInFlight, isOrdered: stored.isOrdered,
            filter: try stored.filter.map { try EventFilter(stored: $0) }, status: stored.status,
            statusReason: stored.statusReason, createdAt: stored.createdAt, updatedAt: stored.updatedAt)
    }
}
