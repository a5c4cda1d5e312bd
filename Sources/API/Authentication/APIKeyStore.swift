import Crypto
import Events
import Kernel
import Signing
import Storage
import Synchronization

package enum APIKeyRow {}
package typealias APIKeyID = ID<APIKeyRow>

/// A key as lists show it: never its text, of which only a digest is kept.
package struct APIKey: Sendable {
    package let id: APIKeyID
    package let principal: Principal
    package let label: String
    package let createdAt: Timestamp
    package let revokedAt: Timestamp?
}

/// API keys: `tw_` and 43 base64url characters, which are 32 random bytes. So one SHA-256 is all the hashing they
/// need: there is nothing to guess that a slower one would protect.
package final class APIKeyStore: Sendable {
    package static let prefix = "tw_"
    private static let textLength = 46
    /// How long another copy of the server may go on taking a key that was revoked here.
    private static let memory: Duration = .seconds(1)

    private struct Known: Sendable {
        let principal: Principal
        let until: Timestamp
    }

    private let database: any Database
    private let time: TimeSource
    private let ids: IDGenerator
    private let secrets: SecretFactory
    private let known = Mutex(BoundedMap<CredentialKey, Known>(limit: 10_000))

    package init(
        database: any Database, time: TimeSource = .system, ids: IDGenerator = IDGenerator(),
        secrets: SecretFactory = SecretFactory()
    ) {
        self.database = database
        self.time = time
        self.ids = ids
        self.secrets = secrets
    }

    /// Makes a key for a principal; its text is in the answer and nowhere else.
    package func create(_ principal: Principal, label: String) async throws -> (key: APIKey, text: Secret) {
        let text = APIKeyStore.prefix + Base64.encode(secrets.bytes(32), .url)
        let key = APIKey(id: ids.next(), principal: principal, label: label, createdAt: time.now(), revokedAt: nil)
        let digest = CredentialKey(hashing: text).bytes
        _ = try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO api_key (id, tenant_id, org_id, user_id, role, label, digest, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                """,
                [
                    .id(key.id), .id(principal.tenant), .id(principal.organisation), .id(principal.user),
                    .text(principal.role.rawValue), .text(label), .bytes(digest), .time(key.createdAt),
                ])
        }
        return (key, Secret(text))
    }

    /// A tenant's organisation's keys after a given one, oldest first, revoked ones included.
    package func list(_ scope: Scope, after: APIKeyID?, limit: Int) async throws -> [APIKey] {
        try await database.read { transaction in
            try transaction.all(
                """
                SELECT id, tenant_id, org_id, user_id, role, label, created_at, revoked_at FROM api_key
                WHERE tenant_id = $1 AND org_id = $2 AND id > $3 ORDER BY id LIMIT $4
                """,
                [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero), .int(limit)], APIKeyStore.decode)
        }
    }

    /// Ends a key at once; false when the scope has no such key. Ending one twice changes nothing.
    package func revoke(_ id: APIKeyID, in scope: Scope) async throws -> Bool {
        let now = time.now()
        let digest = try await database.write { transaction in
            try transaction.first(
                """
                UPDATE api_key SET revoked_at = coalesce(revoked_at, $4)
                WHERE id = $1 AND tenant_id = $2 AND org_id = $3 RETURNING digest
                """,
                [.id(id), .id(scope.tenant), .id(scope.organisation), .time(now)]
            ) { $0.bytes(0) }
        }
        guard let digest else { return false }
        known.withLock { known in
            if let key = CredentialKey(stored: digest) { known.remove(key) }
        }
        return true
    }

    /// Whether a bearer has the form of a key at all, judged without looking it up.
    static func isKey(_ text: some StringProtocol) -> Bool {
        text.utf8.count == textLength && text.hasPrefix(prefix)
            && text.utf8.allSatisfy {
                (97...122).contains($0 | 0x20) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }

    /// The principal of a key that was looked up within the last second. No database, no suspension.
    func recall(_ key: CredentialKey) -> Principal? {
        let now = time.now()
        guard let known = known.withLock({ $0.value(key) }), now < known.until else { return nil }
        return known.principal
    }

    /// The principal of a key that is stored and not revoked.
    func find(_ key: CredentialKey) async throws -> Principal? {
        let asked = time.now()
        let found = try await database.read { transaction in
            try transaction.first(
                """
                SELECT id, tenant_id, org_id, user_id, role, label, created_at, revoked_at FROM api_key
                WHERE digest = $1 AND revoked_at IS NULL
                """,
                [.bytes(key.bytes)], APIKeyStore.decode)
        }
        guard let principal = found?.principal else { return nil }
        // Counted from before the look-up: a key that is revoked meanwhile must not get a second more.
        let entry = Known(principal: principal, until: asked + APIKeyStore.memory)
        known.withLock { $0.insert(entry, for: key) }
        return principal
    }

    @Sendable private static func decode(_ row: any Row) throws -> APIKey {
        guard let role = Role(rawValue: row.text(4)) else {
            throw StorageError(.corrupt, "api_key.role is \(row.text(4))")
        }
        return APIKey(
            id: row.id(0),
            principal: Principal(
                scope: Scope(tenant: row.id(1), organisation: row.id(2)), user: row.id(3), role: role),
            label: row.text(5), createdAt: row.time(6), revokedAt: row.timeOrNil(7))
    }
}
