import Events
import Kernel
import Signing
import Storage
import Synchronization

/// Endpoints by subscription, kept for a moment so that a busy one costs no query and no unsealing for each delivery.
///
/// A change made by another copy of the server is seen when the moment is over; one made here at once.
package final class EndpointDirectory: Sendable {
    private let database: any Database
    private let secrets: SecretBox
    private let time: TimeSource
    private let known = Mutex(KnownEndpoints())

    package init(database: any Database, secrets: SecretBox, time: TimeSource) {
        self.database = database
        self.secrets = secrets
        self.time = time
    }

    /// To be called after a change of the subscription, so that the next delivery from here sees it.
    package func forget(_ id: SubscriptionID) { known.withLock { $0.forget(id) } }

    /// To be called after a change that concerns all subscriptions of a tenant.
    package func forgetAll() { known.withLock { $0.forgetAll() } }

    /// Nil when there is no such subscription any more.
    func endpoint(_ id: SubscriptionID, tenant: TenantID) async throws -> Endpoint? {
        let now = time.now()
        switch known.withLock({ $0.answer(for: .init(id: id, tenant: tenant), now: now) }) {
        case .known(let endpoint): return endpoint
        case .awaited(let question): return try await question.result.value()[id]?.get()
        case .wanted(let question): return try await ask(question)[id]?.get()
        }
    }

    /// Asks the store. When it cannot be asked, what is known serves until it is too old.
    private func ask(_ question: KnownEndpoints.Question) async throws -> KnownEndpoints.Found {
        do {
            let found = try await load(question)
            known.withLock { $0.learn(found, from: question) }
            question.result.settle(.success(found))
            return found
        } catch {
            let now = time.now()
            let held = known.withLock { $0.giveUp(question, now: now) }
            question.result.settle(.failure(error))
            guard let held else { throw error }
            return held
        }
    }

    private func load(_ question: KnownEndpoints.Question) async throws -> KnownEndpoints.Found {
        let keys = question.keys
        let (stored, sealed, settings) = try await database.read(.background) { transaction in
            let subscriptions = try SubscriptionStore.ask(keys, in: transaction)
            let secrets = try SubscriptionStore.askSecrets(of: keys, now: question.asked, in: transaction)
            let settings = try TenantSettings.ask(of: Set(keys.map(\.tenant)), in: transaction)
            return (try subscriptions.answer(), try secrets.answer(), try settings.byKey())
        }
        let sealedByID = Dictionary(grouping: sealed, by: \.subscription)
        var found: KnownEndpoints.Found = [:]
        for stored in stored {
            guard let profile = ProfileCatalog.profile(named: stored.profile) else { continue }
            found[stored.id] = Result {
                try endpoint(
                    stored, profile, sealedByID[stored.id] ?? [],
                    under: settings[stored.scope.tenant] ?? TenantSettings())
            }
        }
        return found
    }

    private func endpoint(
        _ stored: SubscriptionStore.Stored, _ profile: Profile,
        _ sealed: [(subscription: SubscriptionID, secret: SubscriptionStore.SealedSecret)],
        under settings: TenantSettings
    ) throws -> Endpoint {
        let keys = try sealed.compactMap { row in
            SigningKey(try secrets.open(row.secret.sealed, context: Self.context(of: row.secret.id)))
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
