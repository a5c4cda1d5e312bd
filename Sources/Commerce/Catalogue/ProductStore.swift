import Events
import Kernel
import Storage

/// The rows of products. Each read names the owner; what is written was locked before.
enum ProductStore {
    /// A handle is unique in its organisation.
    struct Handle: Hashable, Sendable {
        let scope: Scope
        let text: String
    }

    /// The columns that `product` reads, for a statement that calls the table `p`.
    static let columns = """
        p.id, p.tenant_id, p.org_id, p.handle, p.title, p.description, p.brand, p.category, p.category_id, p.url,
        p.status, p.details, p.version, p.created_at, p.updated_at
        """

    private static func product(_ row: any Row) -> Product {
        var product = Product(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), title: row.text(4),
            status: Product.Status(rawValue: row.text(10)) ?? .draft, now: row.time(13))
        product.handle = row.textOrNil(3)
        product.description = row.textOrNil(5)
        product.brand = row.textOrNil(6)
        product.category = row.textOrNil(7)
        product.categoryID = row.idOrNil(8)
        product.url = row.textOrNil(9)
        product.keptDetails = row.bytesOrNil(11)
        product.version = row.int(12)
        product.updatedAt = row.time(14)
        return product
    }

    // MARK: Reading

    /// A product that is not deleted, with its variants. `isLocked` holds its row to the end of the transaction, so
    /// that two changes of one product come one after the other.
    static func fetch(
        _ id: ProductID, scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Product? {
        let lock = isLocked ? "{for update}" : ""
        let found = try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM product p
                    WHERE p.id = $1 AND p.tenant_id = $2 AND p.org_id = $3 AND p.deleted_at IS NULL \(lock)
                    """), [.id(id), .id(scope.tenant), .id(scope.organisation)], product)
        return try withVariants(found, in: transaction).first
    }

    /// Several products, in the order of their ids; those that are deleted or another owner's are left out. Locked for
    /// the reason above, and in that order, so that two transactions never wait for each other.
    static func fetch(
        _ ids: [ProductID], scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> [Product] {
        let rows = RowBatch(wanted: Set(ids).sorted())
        let lock = isLocked ? "{for update}" : ""
        let found = try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM product p
                    WHERE p.id IN (SELECT wanted FROM {rows} r) AND p.tenant_id = $1 AND p.org_id = $2
                        AND p.deleted_at IS NULL
                    ORDER BY p.id \(lock)
                    """), [.id(scope.tenant), .id(scope.organisation)], rows: rows, product)
        return try withVariants(found, in: transaction)
    }

    /// How many products there are that are not deleted.
    static func count(scope: Scope, in transaction: any Transaction) throws -> Int {
        try transaction.first(
            "SELECT count(*) FROM product WHERE tenant_id = $1 AND org_id = $2 AND deleted_at IS NULL",
            [.id(scope.tenant), .id(scope.organisation)]
        ) { Int($0.int(0)) } ?? 0
    }

    /// The products that a statement finds, which selects `columns`, each with its variants.
    static func products(
        _ statement: Statement, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [Product] {
        try withVariants(try transaction.all(statement, arguments, product), in: transaction)
    }

    private static func withVariants(_ found: [Product], in transaction: any Transaction) throws -> [Product] {
        if found.isEmpty { return [] }
        let variants = try VariantStore.variants(of: found.map(\.id), in: transaction)
        var products = found
        for index in products.indices { products[index].variants = variants[products[index].id] ?? [] }
        return products
    }

    /// Which of some handles are taken, and by whom.
    static func holders(
        of handles: Set<Handle>, in transaction: any Transaction
    ) throws -> Asked<(Handle, ProductID)> {
        var rows = RowBatch(["tenant": .uuid, "organisation": .uuid, "wanted": .text])
        for handle in handles {
            rows.append(.id(handle.scope.tenant), .id(handle.scope.organisation), .text(handle.text))
        }
        // The owner stands in each row for the reason that `VariantStore.holders` names.
        return try transaction.ask(
            """
            SELECT p.tenant_id, p.org_id, p.handle, p.id
            FROM {rows} r
            JOIN product p ON p.tenant_id = r.tenant AND p.org_id = r.organisation AND p.handle = r.wanted
            """, rows: rows
        ) { row in
            let scope = Scope(tenant: row.id(0), organisation: row.id(1))
            return (Handle(scope: scope, text: row.text(2)), row.id(3, of: Product.self))
        }
    }

    // MARK: Writing

    static var rows: RowBatch {
        RowBatch([
            "row_id": .uuid, "tenant": .uuid, "organisation": .uuid, "new_handle": .text, "new_title": .text,
            "new_description": .text, "new_brand": .text, "new_category": .text, "new_category_id": .uuid,
            "new_url": .text, "new_status": .text, "new_details": .bytes, "new_version": .int, "made": .int,
            "changed": .int, "gone": .int,
        ])
    }

    static func append(_ product: Product, to rows: inout RowBatch) {
        rows.append(
            .id(product.id), .id(product.scope.tenant), .id(product.scope.organisation), .text(product.handle),
            .text(product.title), .text(product.description), .text(product.brand), .text(product.category),
            .id(product.categoryID), .text(product.url), .text(product.status.rawValue), .bytes(product.keptDetails),
            .int(product.version), .time(product.createdAt), .time(product.updatedAt), .time(product.deletedAt))
    }

    static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO product (id, tenant_id, org_id, handle, title, description, brand, category, category_id, url,
                status, details, version, created_at, updated_at)
            SELECT row_id, tenant, organisation, new_handle, new_title, new_description, new_brand, new_category,
                new_category_id, new_url, new_status, new_details, new_version, made, changed
            FROM {rows} r
            """, rows: rows)
    }

    static func update(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE product SET handle = r.new_handle, title = r.new_title, description = r.new_description,
                brand = r.new_brand, category = r.new_category, category_id = r.new_category_id, url = r.new_url,
                status = r.new_status, details = r.new_details, version = r.new_version, updated_at = r.changed,
                deleted_at = r.gone
            FROM {rows} r WHERE id = r.row_id
            """, rows: rows)
    }
}
