import Events
import Kernel
import Storage

/// The rows of collections and of the lists made by hand. Each read and write names the owner.
enum CollectionStore {
    private static let columns = """
        id, tenant_id, org_id, title, handle, description, rule, version, created_at, updated_at
        """

    private static func collection(_ row: any Row) throws -> Collection {
        Collection(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), title: row.text(3),
            handle: row.textOrNil(4), description: row.textOrNil(5),
            rule: try row.bytesOrNil(6).map { try CollectionRule(kept: $0) }, version: row.int(7),
            createdAt: row.time(8), updatedAt: row.time(9))
    }

    /// One collection; `isLocked` holds its row to the end of the transaction, so that changes come one after the
    /// other.
    static func fetch(
        _ id: CollectionID, scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Collection? {
        let lock = isLocked ? "{for update}" : ""
        return try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM collection WHERE id = $1 AND tenant_id = $2 AND org_id = $3 \(lock)
                    """), [.id(id), .id(scope.tenant), .id(scope.organisation)], collection)
    }

    static func list(
        scope: Scope, after: CollectionID?, limit: Int, in transaction: any Transaction
    ) throws -> [Collection] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM collection WHERE tenant_id = $1 AND org_id = $2 AND id > $3
                    ORDER BY id LIMIT $4
                    """), [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero), .int(limit)], collection)
    }

    static func holder(
        ofHandle handle: String, scope: Scope, in transaction: any Transaction
    ) throws -> CollectionID? {
        try transaction.first(
            "SELECT id FROM collection WHERE tenant_id = $1 AND org_id = $2 AND handle = $3",
            [.id(scope.tenant), .id(scope.organisation), .text(handle)]
        ) { $0.id(0) }
    }

    static func insert(_ collection: Collection, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO collection (id, tenant_id, org_id, kind, title, handle, description, rule, version, created_at,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
            """,
            [
                .id(collection.id), .id(collection.scope.tenant), .id(collection.scope.organisation),
                .text(collection.kind.rawValue), .text(collection.title), .text(collection.handle),
                .text(collection.description), .bytes(collection.rule?.kept), .time(collection.createdAt),
            ])
    }

    static func update(_ collection: Collection, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE collection SET title = $2, handle = $3, description = $4, rule = $5, version = $6, updated_at = $7
            WHERE id = $1
            """,
            [
                .id(collection.id), .text(collection.title), .text(collection.handle), .text(collection.description),
                .bytes(collection.rule?.kept), .int(collection.version), .time(collection.updatedAt),
            ])
    }

    static func delete(_ id: CollectionID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM collection_product WHERE collection_id = $1", [.id(id)])
        try transaction.execute("DELETE FROM collection WHERE id = $1", [.id(id)])
    }

    // MARK: Lists made by hand

    /// Products of a list behind a position, in their order; those that were deleted are left out.
    static func products(
        of id: CollectionID, after position: Int64, limit: Int, in transaction: any Transaction
    ) throws -> [(position: Int64, product: ProductID)] {
        try transaction.all(
            """
            SELECT c.position, c.product_id FROM collection_product c
            JOIN product p ON p.id = c.product_id AND p.deleted_at IS NULL
            WHERE c.collection_id = $1 AND c.position > $2 ORDER BY c.position LIMIT $3
            """, [.id(id), .int(position), .int(limit)]
        ) { ($0.int(0), $0.id(1)) }
    }

    /// Those of some products that are not in the organisation's catalogue.
    static func unknown(
        _ products: [ProductID], scope: Scope, in transaction: any Transaction
    ) throws -> Set<ProductID> {
        let rows = RowBatch(wanted: products)
        let known = try transaction.all(
            """
            SELECT p.id FROM {rows} r JOIN product p ON p.id = r.wanted
            WHERE p.tenant_id = $1 AND p.org_id = $2 AND p.deleted_at IS NULL
            """, [.id(scope.tenant), .id(scope.organisation)], rows: rows
        ) { $0.id(0, of: Product.self) }
        return Set(products).subtracting(known)
    }

    /// Sets a list to these products in this order.
    static func replace(
        _ products: [ProductID], of id: CollectionID, in transaction: any Transaction
    ) throws {
        try transaction.execute("DELETE FROM collection_product WHERE collection_id = $1", [.id(id)])
        var rows = RowBatch(["position": .int, "product_id": .uuid])
        for (index, product) in products.enumerated() { rows.append(.int(index + 1), .id(product)) }
        try transaction.execute(
            """
            INSERT INTO collection_product (collection_id, position, product_id)
            SELECT $1, position, product_id FROM {rows} r
            """, [.id(id)], rows: rows)
    }
}
