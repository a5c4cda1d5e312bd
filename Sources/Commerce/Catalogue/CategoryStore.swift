import Events
import Kernel
import Storage

/// The rows of the tree. Each read and write names the owner.
enum CategoryStore {
    private static let columns = "id, tenant_id, org_id, parent_id, name, position, version, created_at, updated_at"

    private static func category(_ row: any Row) -> Category {
        Category(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), parent: row.idOrNil(3),
            name: row.text(4), position: row.int(5), version: row.int(6), createdAt: row.time(7),
            updatedAt: row.time(8))
    }

    /// The whole tree in the order of ids. It is bounded, so that rules can look at all of it.
    static func all(scope: Scope, in transaction: any Transaction) throws -> [Category] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM category WHERE tenant_id = $1 AND org_id = $2
                    ORDER BY id LIMIT \(Limits.categories)
                    """), [.id(scope.tenant), .id(scope.organisation)], category)
    }

    /// The whole tree, locked to the end of the transaction: two moves at once could close a circle that neither of
    /// them sees. Where there is none yet, nothing has to be held.
    static func lockAll(scope: Scope, in transaction: any Transaction) throws -> [Category] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM category WHERE tenant_id = $1 AND org_id = $2
                    ORDER BY id LIMIT \(Limits.categories) {for update}
                    """), [.id(scope.tenant), .id(scope.organisation)], category)
    }

    /// Those of some categories that are in the organisation's tree.
    static func existing(
        _ ids: Set<CategoryID>, scope: Scope, in transaction: any Transaction
    ) throws -> [CategoryID] {
        let rows = RowBatch(wanted: ids)
        return try transaction.all(
            """
            SELECT c.id FROM {rows} r JOIN category c ON c.id = r.wanted WHERE c.tenant_id = $1 AND c.org_id = $2
            """, [.id(scope.tenant), .id(scope.organisation)], rows: rows
        ) { $0.id(0) }
    }

    /// A category and all below it.
    static func subtree(
        _ id: CategoryID, scope: Scope, in transaction: any Transaction
    ) throws -> [CategoryID] {
        try transaction.all(
            """
            WITH RECURSIVE below (id) AS (
                SELECT id FROM category WHERE id = $1 AND tenant_id = $2 AND org_id = $3
                UNION SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id)
            SELECT id FROM below ORDER BY id
            """, [.id(id), .id(scope.tenant), .id(scope.organisation)]
        ) { $0.id(0) }
    }

    static func insert(_ category: Category, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO category (id, tenant_id, org_id, parent_id, name, position, version, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)
            """,
            [
                .id(category.id), .id(category.scope.tenant), .id(category.scope.organisation), .id(category.parent),
                .text(category.name), .int(category.position), .time(category.createdAt),
            ])
    }

    static func update(_ category: Category, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE category SET parent_id = $2, name = $3, position = $4, version = $5, updated_at = $6 WHERE id = $1
            """,
            [
                .id(category.id), .id(category.parent), .text(category.name), .int(category.position),
                .int(category.version), .time(category.updatedAt),
            ])
    }

    /// Whether products stand in a category itself.
    static func hasProducts(_ id: CategoryID, in transaction: any Transaction) throws -> Bool {
        try transaction.first(
            "SELECT 1 FROM product WHERE category_id = $1 AND deleted_at IS NULL LIMIT 1", [.id(id)]
        ) { _ in true } ?? false
    }

    /// Deletes a category that is empty; deleted products let go of it.
    static func delete(_ id: CategoryID, in transaction: any Transaction) throws {
        try transaction.execute("UPDATE product SET category_id = NULL WHERE category_id = $1", [.id(id)])
        try transaction.execute("DELETE FROM category WHERE id = $1", [.id(id)])
    }
}
