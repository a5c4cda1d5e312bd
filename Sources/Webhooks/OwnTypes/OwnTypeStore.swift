import Events
import Kernel
import Storage

/// The rows of tenants' own event types. Each read and write names the tenant.
enum OwnTypeStore {
    private static let columns = "id, name, summary, schema, example, version, created_at, updated_at"

    private static func decode(_ row: any Row) throws -> OwnType {
        OwnType(
            id: row.id(0), name: row.text(1), summary: row.text(2), schema: try JSONValue(parsing: row.bytes(3)),
            example: try row.bytesOrNil(4).map { try JSONValue(parsing: $0) }, version: row.int(5),
            createdAt: row.time(6), updatedAt: row.time(7))
    }

    /// All types of the tenant, by name; their number is bounded.
    static func list(tenant: TenantID, in transaction: any Transaction) throws -> [OwnType] {
        try transaction.all(
            Statement(composed: "SELECT \(columns) FROM event_type WHERE tenant_id = $1 ORDER BY name"),
            [.id(tenant)], decode)
    }

    static func names(tenant: TenantID, in transaction: any Transaction) throws -> [String] {
        try transaction.all("SELECT name FROM event_type WHERE tenant_id = $1 ORDER BY name", [.id(tenant)]) {
            $0.text(0)
        }
    }

    static func fetch(
        _ name: String, tenant: TenantID, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> OwnType? {
        // Locked by whoever changes it, so that of two changes neither is lost.
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM event_type
                    WHERE tenant_id = $1 AND name = $2\(isLocked ? " {for update}" : "")
                    """), [.id(tenant), .text(name)], decode)
    }

    static func insert(_ type: OwnType, scope: Scope, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO event_type (id, tenant_id, org_id, name, summary, schema, example, version, created_at,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
            """,
            [
                .id(type.id), .id(scope.tenant), .id(scope.organisation), .text(type.name), .text(type.summary),
                .bytes(JSONWriter.bytes(of: type.schema)), .bytes(type.example.map(JSONWriter.bytes)),
                .int(type.version),
                .time(type.createdAt),
            ])
    }

    static func update(_ type: OwnType, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE event_type SET summary = $3, schema = $4, example = $5, version = $6, updated_at = $7
            WHERE tenant_id = $1 AND name = $2
            """,
            [
                .id(tenant), .text(type.name), .text(type.summary), .bytes(JSONWriter.bytes(of: type.schema)),
                .bytes(type.example.map(JSONWriter.bytes)), .int(type.version), .time(type.updatedAt),
            ])
    }

    static func delete(_ name: String, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM event_type WHERE tenant_id = $1 AND name = $2", [.id(tenant), .text(name)])
    }

    /// The tenant's subscriptions with their patterns, disabled ones included: they may be activated again.
    static func patterns(
        tenant: TenantID, in transaction: any Transaction
    ) throws -> [(subscription: SubscriptionID, patterns: [EventPattern])] {
        try transaction.all("SELECT id, event_types FROM subscription WHERE tenant_id = $1 ORDER BY id", [.id(tenant)])
        {
            ($0.id(0), $0.text(1).split(separator: " ").compactMap { EventPattern(stored: String($0)) })
        }
    }
}
