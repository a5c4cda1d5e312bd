import Commerce
import Connectors
import Events
import Kernel
import Signing
import Storage

/// What callers can do with connections.
package struct ConnectionService: Sendable {
    /// Shortest inbound secret that a caller may bring (contracts: 16 characters).
    package static let secretCharacters = 16

    private let database: any Database
    private let secrets: SecretBox
    private let factory: SecretFactory
    private let directory: ConnectionDirectory
    private let ids: IDGenerator
    private let time: TimeSource

    package init(
        database: any Database, secrets: SecretBox, factory: SecretFactory, directory: ConnectionDirectory,
        ids: IDGenerator, time: TimeSource
    ) {
        self.database = database
        self.secrets = secrets
        self.factory = factory
        self.directory = directory
        self.ids = ids
        self.time = time
    }

    /// What a finished connect flow hands over (seed 000's callback).
    package struct Request: Sendable {
        package let externalID: String
        package let provider: String
        package let category: ConnectionCategory

        /// Platforms that a connection can lead to. Those without a connector of their own come through a gateway,
        /// whose deliveries the `unified` connector reads.
        package static let providers = ["unified", "shopify", "woocommerce", "amazon"]

        package init(_ fields: FieldReader) {
            externalID = fields.requiredString("connection_id", upTo: 200)
            provider = fields.requiredString("provider", upTo: 60).lowercased()
            category = fields.choice("category", of: ConnectionCategory.self) ?? .commerce
            if !provider.isEmpty, !Self.providers.contains(provider) {
                fields.fault("provider", "must be one of \(Self.providers.joined(separator: ", "))")
            }
        }
    }

    /// Saves a connection and makes its inbound secret, which is in this answer and in no later one.
    ///
    /// A tenant that saves its own connection again gets it back active, with a further secret; the one before stays
    /// valid for a day.
    package func save(_ request: Request, scope: Scope) async throws -> (Connection, Secret) {
        let secret = factory.inboundSecret()
        let sealed = try seal(secret)
        let (id, now): (ConnectionID, Timestamp) = (ids.next(), time.now())
        let new = Connection(
            id: id, scope: scope, externalID: request.externalID, provider: request.provider,
            category: request.category, status: .active, createdAt: now, updatedAt: now)
        let saved = try await againAfterDuplicate {
            try await database.write { try Self.save(new, sealed, now: now, in: $0) }
        }
        directory.forgetAll()
        return (saved, secret)
    }

    private static func save(
        _ new: Connection, _ sealed: ConnectionStore.SealedSecret, now: Timestamp, in transaction: any Transaction
    ) throws -> Connection {
        let scope = new.scope
        let stored = try ConnectionStore.fetch(externalID: new.externalID, isLocked: true, in: transaction)
        guard var connection = stored else {
            try ConnectionStore.insert(new, in: transaction)
            try ConnectionStore.insertSecret(sealed, connection: new.id, scope: scope, now: now, in: transaction)
            return new
        }
        guard connection.scope == scope, connection.provider == new.provider else {
            throw Refusal.conflict("The connection_id belongs to another connection already.")
        }
        try ConnectionStore.setStatus(.active, of: connection.id, scope: scope, now: now, in: transaction)
        try ConnectionStore.expireSecrets(
            of: connection.id, scope: scope, newestUntil: now + .seconds(86_400), now: now, in: transaction)
        try ConnectionStore.insertSecret(
            sealed, connection: connection.id, scope: scope, now: now, in: transaction)
        connection.status = .active
        connection.updatedAt = now
        return connection
    }

    /// The connections of an organisation, oldest first.
    package func list(scope: Scope, onlyActive: Bool) async throws -> [Connection] {
        try await database.read { try ConnectionStore.list(scope: scope, onlyActive: onlyActive, in: $0) }
    }

    /// One connection; those of other owners are not found, as if they did not exist.
    package func require(_ id: ConnectionID, scope: Scope) async throws -> Connection {
        let found = try await database.read { try ConnectionStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("connection") }
        return found
    }

    /// Pauses, resumes or disconnects. A disconnected connection comes back only by being saved again.
    package func setStatus(
        _ status: Connection.Status, of id: ConnectionID, scope: Scope
    ) async throws -> Connection {
        let now = time.now()
        let changed = try await database.write { transaction in
            guard var connection = try ConnectionStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
                throw Refusal.notFound("connection")
            }
            if connection.status == .disconnected, status != .disconnected {
                throw Refusal.conflict("The connection is disconnected; connect it again instead.")
            }
            try ConnectionStore.setStatus(status, of: id, scope: scope, now: now, in: transaction)
            connection.status = status
            connection.updatedAt = now
            return connection
        }
        directory.forgetAll()
        return changed
    }

    // MARK: Secrets

    /// What a caller asks for when it rotates a secret.
    package struct Rotation: Sendable {
        package let overlap: Duration
        package let secret: Secret?

        package init(_ fields: FieldReader) {
            overlap = .seconds((fields.integer("overlap_hours", in: 0...168) ?? 24) * 3600)
            let text = fields.string("secret", upTo: 512)
            if let text, text.unicodeScalars.count < ConnectionService.secretCharacters {
                fields.fault("secret", "must have at least \(ConnectionService.secretCharacters) characters")
            }
            secret = text.map { Secret($0) }
        }
    }

    /// Makes a new inbound secret; the one before stays valid for the overlap.
    ///
    /// - Parameter id: nil for the workspace's own secret, which verifies deliveries of all its gateway connections.
    package func rotateSecret(of id: ConnectionID?, _ rotation: Rotation, scope: Scope) async throws -> Secret {
        let secret = rotation.secret ?? factory.inboundSecret()
        let sealed = try seal(secret)
        let now = time.now()
        try await database.write { transaction in
            if let id, try ConnectionStore.fetch(id, scope: scope, isLocked: true, in: transaction) == nil {
                throw Refusal.notFound("connection")
            }
            try ConnectionStore.expireSecrets(
                of: id, scope: scope, newestUntil: now + rotation.overlap, now: now, in: transaction)
            try ConnectionStore.insertSecret(sealed, connection: id, scope: scope, now: now, in: transaction)
        }
        directory.forgetAll()
        return secret
    }

    private func seal(_ secret: Secret) throws -> ConnectionStore.SealedSecret {
        let id: ID<ConnectionStore.SecretRow> = ids.next()
        let empty = ConnectionStore.SealedSecret(id: id, sealed: [])
        return ConnectionStore.SealedSecret(id: id, sealed: try secrets.seal(secret, context: empty.context))
    }
}
