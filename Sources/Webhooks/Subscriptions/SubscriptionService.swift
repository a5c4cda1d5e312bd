import Events
import Kernel
import Signing
import Storage

/// What callers can do with their subscriptions.
package struct SubscriptionService: Sendable {
    private let database: any Database
    private let secrets: SecretBox
    private let factory: SecretFactory
    private let directory: EndpointDirectory
    private let ids: IDGenerator
    private let time: TimeSource
    package let policy: EgressPolicy

    package init(
        database: any Database, secrets: SecretBox, factory: SecretFactory, directory: EndpointDirectory,
        policy: EgressPolicy, ids: IDGenerator, time: TimeSource
    ) {
        self.database = database
        self.secrets = secrets
        self.factory = factory
        self.directory = directory
        self.policy = policy
        self.ids = ids
        self.time = time
    }

    /// Makes an active subscription. The secret is in this answer and in no later one.
    package func create(_ request: SubscriptionRequest, scope: Scope) async throws -> (Subscription, Secret) {
        let secret = request.secret ?? factory.outboundSecret()
        let now = time.now()
        let secretID: ID<SubscriptionStore.SecretRow> = ids.next()
        let sealed = try secrets.seal(secret, context: EndpointDirectory.context(of: secretID))
        let id: SubscriptionID = ids.next()
        let headers = try EndpointDirectory.sealHeaders(request.headers, of: id, with: secrets)
        let stored = SubscriptionStore.Stored(
            id: id, scope: scope, url: request.url, patterns: request.patterns, profile: request.profile,
            sealedHeaders: headers, description: request.description, status: .active, statusReason: nil,
            createdAt: now, updatedAt: now, payloadMode: .full, retry: nil, rateLimit: nil, maxInFlight: nil,
            isOrdered: false)
        try await database.write { transaction in
            try checkLimit(scope.tenant, in: transaction)
            try SubscriptionStore.insert(stored, in: transaction)
            try SubscriptionStore.insertSecret(
                secretID, sealed: sealed, of: id, tenant: scope.tenant, now: now, in: transaction)
        }
        return (try directory.open(stored), secret)
    }

    private func checkLimit(_ tenant: TenantID, in transaction: any Transaction) throws {
        let count = try SubscriptionStore.activeCount(tenant: tenant, in: transaction)
        if count >= Limits.subscriptions {
            throw Refusal.conflict(
                "The tenant has \(count) active subscriptions; the limit is \(Limits.subscriptions).",
                fields: [Refusal.Field("max_subscriptions", .number(String(Limits.subscriptions)))])
        }
    }

    /// One page of the organisation's subscriptions, active or not, oldest first.
    package func list(scope: Scope, after: SubscriptionID?, limit: Int) async throws -> [Subscription] {
        try await database.read { transaction in
            try SubscriptionStore.list(scope: scope, after: after, limit: limit, in: transaction)
        }.map { try directory.open($0) }
    }

    /// One subscription; refuses as not found what belongs to another tenant or organisation.
    package func require(_ id: SubscriptionID, scope: Scope) async throws -> Subscription {
        let stored = try await database.read { transaction in
            try SubscriptionStore.fetch(id, scope: scope, in: transaction)
        }
        guard let stored else { throw Refusal.notFound("subscription") }
        return try directory.open(stored)
    }

    /// Removes a subscription with its secrets and ends what still waits to be delivered to it.
    package func delete(_ id: SubscriptionID, scope: Scope) async throws {
        let now = time.now()
        try await database.write { transaction in
            guard try SubscriptionStore.fetch(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("subscription")
            }
            try SubscriptionStore.delete(id, scope: scope, now: now, in: transaction)
        }
        directory.forget(id)
    }

    /// Starts or stops deliveries. Stopping ends those that still wait; starting does not bring them back.
    package func setStatus(
        _ status: Subscription.Status, of id: SubscriptionID, scope: Scope
    ) async throws -> Subscription {
        let now = time.now()
        let reason = status == .disabled ? "disabled by a caller" : nil
        try await database.write { transaction in
            guard let stored = try SubscriptionStore.fetch(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("subscription")
            }
            if stored.status == status { return }
            if status == .active { try checkLimit(scope.tenant, in: transaction) }
            try SubscriptionStore.setStatus(
                status, reason: reason, of: id, tenant: scope.tenant, now: now, in: transaction)
        }
        directory.forget(id)
        return try await require(id, scope: scope)
    }

    /// Deliveries of one subscription, newest first, each with its attempts.
    package func deliveries(
        of id: SubscriptionID, scope: Scope, before: DeliveryID?, limit: Int
    ) async throws -> [DeliverySummary] {
        try await database.read { transaction in
            guard try SubscriptionStore.fetch(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("subscription")
            }
            return try DeliverySummary.list(
                of: id, tenant: scope.tenant, before: before, limit: limit, in: transaction)
        }
    }
}
