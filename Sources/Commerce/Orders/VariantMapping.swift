import Durable
import Events
import Kernel
import Storage

/// Which of our variants an item of a connected store is.
package struct VariantMapping: Sendable, Equatable {
    package let connection: ID<OrderSource>
    /// The store's id of the item; opaque text.
    package let externalID: String
    package let variant: VariantID
    package let createdAt: Timestamp
}

/// What callers can do with mappings. Whoever calls has made sure that the connection is the scope's own.
package struct VariantMappingService: Sendable {
    private let database: any Database
    private let rematch: WorkflowRunner
    private let ids: IDGenerator
    private let time: TimeSource

    /// - Parameter rematch: the runner of `OrderRematch`.
    package init(database: any Database, rematch: WorkflowRunner, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.rematch = rematch
        self.ids = ids
        self.time = time
    }

    /// What a caller gives for a mapping.
    package struct Request: Sendable {
        package let externalID: String
        package let variant: VariantID

        package init(_ fields: FieldReader) {
            externalID = fields.requiredString("external_id", upTo: 200)
            let variant = fields.id("variant_id", of: Variant.self)
            if fields.value("variant_id") == nil { fields.fault("variant_id", "is required") }
            self.variant = variant ?? .zero
        }
    }

    /// Maps an item, in place of what it was mapped to before, and looks again at lines that wait for their variant.
    /// Lines that have one keep it.
    package func put(_ request: Request, of connection: ID<OrderSource>, scope: Scope) async throws -> VariantMapping {
        let mapping = VariantMapping(
            connection: connection, externalID: request.externalID, variant: request.variant, createdAt: time.now())
        let isBegun = try await database.write { transaction in
            guard try Self.isOwn(mapping.variant, scope, in: transaction) else {
                throw Refusal.notFound("variant", at: ["/variant_id"])
            }
            try transaction.execute(
                """
                INSERT INTO variant_mapping (tenant_id, connection_id, external_id, variant_id, created_at)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (tenant_id, connection_id, external_id) DO UPDATE SET
                    variant_id = excluded.variant_id, created_at = excluded.created_at
                """,
                [
                    .id(scope.tenant), .id(connection), .text(mapping.externalID), .id(mapping.variant),
                    .time(mapping.createdAt),
                ])
            return try OrderRematch.begin(
                terms: [mapping.externalID], scope: scope, ids: ids, now: mapping.createdAt, in: transaction)
        }
        if isBegun { rematch.wake() }
        return mapping
    }

    /// A page of a connection's mappings by their external ids.
    package func list(
        of connection: ID<OrderSource>, scope: Scope, after: String?, limit: Int
    ) async throws -> [VariantMapping] {
        try await database.read { transaction in
            try transaction.all(
                """
                SELECT external_id, variant_id, created_at FROM variant_mapping
                WHERE tenant_id = $1 AND connection_id = $2 AND external_id > $3 ORDER BY external_id LIMIT $4
                """, [.id(scope.tenant), .id(connection), .text(after ?? ""), .int(limit)]
            ) { row in
                VariantMapping(
                    connection: connection, externalID: row.text(0), variant: row.id(1), createdAt: row.time(2))
            }
        }
    }

    /// Forgets a mapping. Lines that were matched by it keep their variant.
    package func delete(_ externalID: String, of connection: ID<OrderSource>, scope: Scope) async throws {
        let count = try await database.write { transaction in
            try transaction.executeCounting(
                "DELETE FROM variant_mapping WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3",
                [.id(scope.tenant), .id(connection), .text(externalID)])
        }
        if count == 0 { throw Refusal.notFound("mapping") }
    }

    private static func isOwn(
        _ variant: VariantID, _ scope: Scope, in transaction: any Transaction
    ) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 FROM variant v JOIN product p ON p.id = v.product_id
            WHERE v.id = $1 AND v.tenant_id = $2 AND v.org_id = $3 AND p.deleted_at IS NULL AND v.deleted_at IS NULL
            """, [.id(variant), .id(scope.tenant), .id(scope.organisation)]
        ) { _ in true } ?? false
    }
}
