import Connectors
import Events
import Kernel
import Storage

/// The rows of connections and of inbound secrets.
enum ConnectionStore {
    /// The newest entry is asked for in the order of the index over connection and id, by a range of one connection:
    /// with `connection_id = c.id` PostgreSQL may walk the inbox back from its end, through all that came for others.
    private static let columns = """
        c.id, c.tenant_id, c.org_id, c.external_id, c.provider, c.category, c.status, c.created_at, c.updated_at,
        (SELECT i.received_at FROM inbox i WHERE i.connection_id >= c.id AND i.connection_id <= c.id
        ORDER BY i.connection_id DESC, i.id DESC LIMIT 1)
        """

    private static func decode(_ row: any Row) -> Connection {
        Connection(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), externalID: row.text(3),
            provider: row.text(4), category: ConnectionCategory(rawValue: row.text(5)) ?? .commerce,
            status: Connection.Status(rawValue: row.text(6)) ?? .disconnected, createdAt: row.time(7),
            updatedAt: row.time(8), lastReceivedAt: row.timeOrNil(9))
    }

    // MARK: Reading

    static func fetch(
        _ id: ConnectionID, scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Connection? {
        try find(
            "c.id = $1 AND c.tenant_id = $2 AND c.org_id = $3 \(isLocked ? "{for update}" : "")",
            [.id(id), .id(scope.tenant), .id(scope.organisation)], in: transaction
        ).first
    }

    /// Without an owner, for the intake alone: there the signature says whose delivery it is.
    static func fetch(_ id: ConnectionID, in transaction: any Transaction) throws -> Connection? {
        try find("c.id = $1", [.id(id)], in: transaction).first
    }

    /// Without an owner: for the intake, and for refusing an id that another tenant has.
    static func fetch(
        externalID: String, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Connection? {
        try find("c.external_id = $1 \(isLocked ? "{for update}" : "")", [.text(externalID)], in: transaction).first
    }

    static func list(
        scope: Scope, onlyActive: Bool, in transaction: any Transaction
    ) throws -> [Connection] {
        let status = onlyActive ? " AND c.status = 'active'" : ""
        return try find(
            "c.tenant_id = $1 AND c.org_id = $2\(status) ORDER BY c.id",
            [.id(scope.tenant), .id(scope.organisation)], in: transaction)
    }

    private static func find(
        _ condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [Connection] {
        try transaction.all(
            Statement(composed: "SELECT \(columns) FROM connection c WHERE \(condition)"), arguments, decode)
    }

    // MARK: Writing

    static func insert(_ connection: Connection, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO connection (id, tenant_id, org_id, external_id, provider, category, status, created_at,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            """,
            [
                .id(connection.id), .id(connection.scope.tenant), .id(connection.scope.organisation),
                .text(connection.externalID), .text(connection.provider), .text(connection.category.rawValue),
                .text(connection.status.rawValue), .time(connection.createdAt),
            ])
    }

    static func setStatus(
        _ status: Connection.Status, of id: ConnectionID, scope: Scope, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "UPDATE connection SET status = $4, updated_at = $5 WHERE id = $1 AND tenant_id = $2 AND org_id = $3",
            [.id(id), .id(scope.tenant), .id(scope.organisation), .text(status.rawValue), .time(now)])
    }

    // MARK: Secrets

    enum SecretRow {}

    /// A sealed secret. Without a connection it is the workspace's own.
    struct SealedSecret: Sendable {
        let id: ID<SecretRow>
        let sealed: [UInt8]

        var context: String { "inbound_secret:\(id)" }
    }

    static func insertSecret(
        _ secret: SealedSecret, connection: ConnectionID?, scope: Scope, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO inbound_secret (id, tenant_id, org_id, connection_id, sealed, created_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            [
                .id(secret.id), .id(scope.tenant), .id(scope.organisation), .id(connection), .bytes(secret.sealed),
                .time(now),
            ])
    }

    /// Lets the newest secret live until `end` and ends all others now, so that two are valid at the most.
    static func expireSecrets(
        of connection: ConnectionID?, scope: Scope, newestUntil end: Timestamp, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        let live = try secrets(of: connection, scope: scope, now: now, in: transaction)
        for (place, secret) in live.enumerated() {
            try transaction.execute(
                "UPDATE inbound_secret SET expires_at = $2 WHERE id = $1",
                [.id(secret.id), .time(place == 0 ? end : now)])
        }
    }

    /// Secrets that are live at `now`, newest first.
    static func secrets(
        of connection: ConnectionID?, scope: Scope, now: Timestamp, in transaction: any Transaction
    ) throws -> [SealedSecret] {
        let owner = connection == nil ? "connection_id IS NULL" : "connection_id = $4"
        let arguments: [SQLValue] = [.id(scope.tenant), .id(scope.organisation), .time(now)]
        return try transaction.all(
            Statement(
                composed: """
                    SELECT id, sealed FROM inbound_secret
                    WHERE tenant_id = $1 AND org_id = $2 AND (expires_at IS NULL OR expires_at > $3) AND \(owner)
                    ORDER BY id DESC
                    """), arguments + (connection.map { [.id($0)] } ?? [])
        ) { SealedSecret(id: $0.id(0), sealed: $0.bytes(1)) }
    }
}
