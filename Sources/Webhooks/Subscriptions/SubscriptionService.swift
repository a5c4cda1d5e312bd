import Events
import Kernel
import Signing
import Storage

/// What callers can do with their subscriptions.
package struct SubscriptionService: Sendable {
    let database: any Database
    let secrets: SecretBox
    let factory: SecretFactory
    let directory: EndpointDirectory
    let dispatcher: Dispatcher
    let ids: IDGenerator
    let time: TimeSource
    private let policy: EgressPolicy
    private let addresses: AddressCheck

    package init(
        database: any Database, secrets: SecretBox, factory: SecretFactory, directory: EndpointDirectory,
        dispatcher: Dispatcher, policy: EgressPolicy, addresses: AddressCheck, ids: IDGenerator, time: TimeSource
    ) {
        self.database = database
        self.secrets = secrets
        self.factory = factory
        self.directory = directory
        self.dispatcher = dispatcher
        self.policy = policy
        self.addresses = addresses
        self.ids = ids
        self.time = time
    }

    /// What requests of that tenant are read by.
    package func rules(for tenant: TenantID) async throws -> SubscriptionRules {
        let own = try await database.read { try OwnTypeStore.names(tenant: tenant, in: $0) }
        return SubscriptionRules(policy: policy, names: EventNames(own: own))
    }

    /// Makes an active subscription. The secret is in this answer and in no later one.
    package func create(_ request: SubscriptionRequest, scope: Scope) async throws -> (Subscription, Secret) {
        try await addresses.require(request.url)
        let now = time.now()
        let made = request.subscription(ids.next(), scope: scope, now: now)
        let secret = request.secret.secret(factory)
        let sealed = try seal(secret)
        let headers = try EndpointDirectory.sealHeaders(made.headers, of: made.id, with: secrets)
        try await database.write { transaction in
            try checkLimit(scope.tenant, in: transaction)
            try SubscriptionStore.insert(made, headers: headers, in: transaction)
            try SubscriptionStore.insertSecret(
                sealed.id, sealed: sealed.bytes, of: made.id, tenant: scope.tenant, now: now, in: transaction)
        }
        return (made, secret)
    }

    func seal(_ secret: Secret) throws -> (id: ID<SubscriptionStore.SecretRow>, bytes: [UInt8]) {
        let id: ID<SubscriptionStore.SecretRow> = ids.next()
        return (id, try secrets.seal(secret, context: EndpointDirectory.context(of: id)))
    }

    private func checkLimit(_ tenant: TenantID, in transaction: any Transaction) throws {
        let count = try SubscriptionStore.activeCount(tenant: tenant, in: transaction)
        let most = try TenantSettings.load(of: tenant, in: transaction).maxSubscriptions
        if count >= most {
            throw Refusal.conflict(
                "The tenant has \(count) active subscriptions; the limit is \(most).",
                fields: [Refusal.Field("max_subscriptions", .number(String(most)))])
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

    /// Changes what is named. Deliveries that wait go out under the new terms.
    package func change(_ id: SubscriptionID, _ change: SubscriptionChange, scope: Scope) async throws -> Subscription {
        if let url = change.url { try await addresses.require(url) }
        let now = time.now()
        let changed = try await database.write { transaction in
            guard let stored = try SubscriptionStore.lock(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("subscription")
            }
            let changed = try change.applied(to: try directory.open(stored), now: now)
            let headers = try EndpointDirectory.sealHeaders(changed.headers, of: id, with: secrets)
            try SubscriptionStore.update(changed, headers: headers, in: transaction)
            return changed
        }
        directory.forget(id)
        return changed
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
        dispatcher.wake(for: id, tenant: scope.tenant)
    }

    /// Starts or stops deliveries. Stopping ends those that still wait; starting does not bring them back.
    package func setStatus(
        _ status: Subscription.Status, of id: SubscriptionID, scope: Scope
    ) async throws -> Subscription {
        let now = time.now()
        let reason = status == .disabled ? "disabled by a caller" : nil
        if status == .active { try await endLeftOver(of: id, scope: scope, now: now) }
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
        if status == .disabled { dispatcher.wake(for: id, tenant: scope.tenant) }
        return try await require(id, scope: scope)
    }

    /// Ends what a disabled subscription still has waiting, so that activating it brings nothing back.
    private func endLeftOver(of id: SubscriptionID, scope: Scope, now: Timestamp) async throws {
        var isMore = true
        while isMore {
            isMore = try await database.write { transaction in
                guard let stored = try SubscriptionStore.lock(id, scope: scope, in: transaction),
                    stored.status == .disabled
                else { return false }
                return try DeliveryStore.skipPending(
                    of: id, reason: stored.statusReason ?? DeliveryStore.disabledReason, now: now, in: transaction)
            }
        }
    }

    /// Deliveries of one subscription, newest first, each with its attempts.
    package func deliveries(
        of id: SubscriptionID, scope: Scope, before: DeliveryID?, limit: Int
    ) async throws -> [DeliverySummary] {
        let found = try await database.read { transaction in
            guard try SubscriptionStore.fetch(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("subscription")
            }
            return try DeliverySummary.list(
                of: id, tenant: scope.tenant, before: before, limit: limit, in: transaction)
        }
        return found.map { $0.with(dispatcher.leasesInMemory, of: id) }
    }
}
