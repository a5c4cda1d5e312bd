import Events
import Kernel
import Signing
import Storage

extension SubscriptionService {
    /// Makes a new secret the first to sign and lets the older ones go on for the overlap.
    package func rotateSecret(
        of id: SubscriptionID, _ rotation: SecretRotation, scope: Scope
    ) async throws -> RotatedSecret {
        let now = time.now()
        let rotated = try await database.write { transaction in
            guard let stored = try SubscriptionStore.lock(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("subscription")
            }
            let request = rotation.secret ?? SecretRequest(new: stored.signature)
            let secret = request.secret(factory)
            let sealed = try seal(secret)
            try SubscriptionStore.endSecrets(
                of: id, tenant: scope.tenant, at: now + rotation.overlap, now: now, in: transaction)
            let older = try SubscriptionStore.secrets(of: id, tenant: scope.tenant, now: now, in: transaction)
            try Self.checkLimit(older.count)
            try SubscriptionStore.insertSecret(
                sealed.id, sealed: sealed.bytes, of: id, tenant: scope.tenant, now: now, in: transaction)
            var subscription = try directory.open(stored)
            subscription.signature = request.signature
            subscription.updatedAt = now
            try SubscriptionStore.update(subscription, headers: stored.sealedHeaders, in: transaction)
            return RotatedSecret(
                subscription: subscription, secret: secret, previousUntil: older.compactMap(\.expiresAt).max())
        }
        directory.forget(id)
        return rotated
    }

    private static func checkLimit(_ older: Int) throws {
        let most = SecretRotation.secretsMost
        if older >= most {
            throw Refusal.conflict(
                "The subscription has \(older) live secrets, as many as it may: rotate with overlap_hours 0, or wait.",
                fields: [Refusal.Field("max_secrets", .number(String(most)))])
        }
    }

    /// The public keys that deliveries may be verified with, newest first; none where secrets are shared.
    package func publicKeys(of id: SubscriptionID, scope: Scope) async throws -> [PublishedKey] {
        let now = time.now()
        let sealed = try await database.read { transaction in
            guard try SubscriptionStore.fetch(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("subscription")
            }
            return try SubscriptionStore.secrets(of: id, tenant: scope.tenant, now: now, in: transaction)
        }
        return try sealed.compactMap { row in
            let secret = try secrets.open(row.sealed, context: EndpointDirectory.context(of: row.id))
            return Ed25519Pair(secret).map {
                PublishedKey(publicKey: $0.publicText, createdAt: row.createdAt, expiresAt: row.expiresAt)
            }
        }
    }
}
