import Events
import Kernel
import Storage

/// The rows of locations. Each read and write names the owner.
enum LocationStore {
    private static let columns = "id, tenant_id, org_id, name, is_default, version, created_at, updated_at"

    private static func decode(_ row: any Row) -> Location {
        Location(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), name: row.text(3),
            isDefault: row.flag(4), version: row.int(5), createdAt: row.time(6), updatedAt: row.time(7))
    }

    static func fetch(
        _ id: LocationID, scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Location? {
        let lock = isLocked ? "{for update}" : ""
        return try transaction.first(
            Statement(
                composed: "SELECT \(columns) FROM location WHERE id = $1 AND tenant_id = $2 AND org_id = $3 \(lock)"),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    static func list(
        scope: Scope, after: LocationID?, limit: Int, in transaction: any Transaction
    ) throws -> [Location] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM location
                    WHERE tenant_id = $1 AND org_id = $2 AND id > $3 ORDER BY id LIMIT $4
                    """),
            [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero), .int(limit)], decode)
    }

    static func insert(_ location: Location, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO location (id, tenant_id, org_id, name, is_default, version, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, 1, $6, $6)
            """,
            [
                .id(location.id), .id(location.scope.tenant), .id(location.scope.organisation), .text(location.name),
                .flag(location.isDefault), .time(location.createdAt),
            ])
    }

    static func update(_ location: Location, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE location SET name = $2, is_default = $3, version = $4, updated_at = $5 WHERE id = $1",
            [
                .id(location.id), .text(location.name), .flag(location.isDefault), .int(location.version),
                .time(location.updatedAt),
            ])
    }

    /// Takes the mark from the present default, before another location gets it.
    static func clearDefault(of scope: Scope, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE location SET is_default = 0, version = version + 1, updated_at = $3
            WHERE tenant_id = $1 AND org_id = $2 AND is_default = 1
            """, [.id(scope.tenant), .id(scope.organisation), .time(now)])
    }

    /// Makes the default location of each organisation that has none. Two copies may try at once: the index lets one
    /// through, and the other then finds it.
    static func ensureDefaults(
        of scopes: Set<Scope>, ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws {
        var rows = RowBatch(["id": .uuid, "tenant_id": .uuid, "org_id": .uuid])
        for scope in scopes.sorted(by: { ($0.tenant, $0.organisation) < ($1.tenant, $1.organisation) }) {
            rows.append(.id(ids.next(Location.self)), .id(scope.tenant), .id(scope.organisation))
        }
        try transaction.execute(
            """
            INSERT INTO location (id, tenant_id, org_id, name, is_default, version, created_at, updated_at)
            SELECT id, tenant_id, org_id, $1, 1, 1, $2, $2 FROM {rows} r WHERE true ON CONFLICT DO NOTHING
            """, [.text(Location.defaultName), .time(now)], rows: rows)
    }
}
