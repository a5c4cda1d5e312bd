import Kernel
import Logging
import Signing
import Storage

/// How the API is set up; every number has its reason at `Limits` or here.
package struct APISettings: Sendable {
    package var bodyBytesLimit = Limits.bodyBytes
    /// Bytes of the file of an import, which is streamed into the store and not held in memory.
    package var importBytesLimit = Limits.importBytes
    /// From the start of reading a body to its last byte.
    package var bodyTimeout: Duration = .seconds(20)
    /// Requests a minute of one token or key; 0 is no limit. 100 a second is more than any dashboard or import needs.
    package var tokenRequestsPerMinute = 6000
    /// Requests a minute of one client address to routes that need a token; 0 is no limit.
    package var addressRequestsPerMinute = 12_000
    /// Deliveries a minute of one client address; 0, the default, is no limit.
    package var inboundRequestsPerMinute = 0
    /// Proxies of ours between callers and this server, whose `X-Forwarded-For` entries are believed.
    package var proxies = 0
    /// Whether `GET /metrics` is answered without a token.
    package var metricsArePublic = true

    package init() {}
}

/// What the routes are made of. Assembled once, by the server and by tests alike.
package struct APIDependencies: Sendable {
    package let settings: APISettings
    package let database: any Database
    package let time: TimeSource
    package let ids: IDGenerator
    package let tokens: TokenVerifier
    package let keys: APIKeyStore
    package let audit: AuditStore
    package let tenants: TenantRegistry
    package let idempotency: IdempotencyStore
    package let readiness: ReadinessProbe
    package let registry: PrometheusRegistry
    package let bodies: BodyReader
    /// One for the router and the door, so that a caller is counted once.
    let rates: CallerRates

    /// - Parameters:
    ///   - tokens: checks JWTs, against an identity provider's keys or our own.
    ///   - box: seals stored answers, which may show secrets.
    ///   - registry: where the metrics go that `GET /metrics` shows; the server bootstraps swift-metrics with the same.
    package init(
        settings: APISettings, database: any Database, tokens: TokenVerifier, box: SecretBox,
        registry: PrometheusRegistry, time: TimeSource = .system
    ) {
        self.settings = settings
        self.database = database
        self.time = time
        self.tokens = tokens
        self.registry = registry
        ids = IDGenerator(time: time)
        keys = APIKeyStore(
            database: AuditingDatabase(database, ids: ids, time: time), time: time, ids: ids)
        audit = AuditStore(database: database, time: time)
        tenants = TenantRegistry(database: database, time: time)
        idempotency = IdempotencyStore(database: database, box: box, time: time)
        readiness = ReadinessProbe(database: database, time: time)
        rates = CallerRates(settings, time: time)
        bodies = BodyReader(limit: settings.bodyBytesLimit, watch: SlowBodyWatch(timeout: settings.bodyTimeout))
    }
}
