import Events
import Kernel
import Storage

/// The rows of products and variants. Each read and write names the owner.
enum ProductStore {
    private static let productColumns = """
        id, tenant_id, org_id, title, description, category, status, version, created_at, updated_at
        """
    private static let variantColumns = """
        id, product_id, sku, barcode, title, price_minor, currency, version, created_at, updated_at
        """

    private static func product(_ row: any Row) -> Product {
        Product(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), title: row.text(3),
            description: row.textOrNil(4), category: row.textOrNil(5),
            status: Product.Status(rawValue: row.text(6)) ?? .draft, variants: [], version: row.int(7),
            createdAt: row.time(8), updatedAt: row.time(9))
    }

    private static func variant(_ row: any Row) -> Variant {
        let currency = row.textOrNil(6).flatMap { Currency(code: $0) }
        return Variant(
            id: row.id(0), product: row.id(1), sku: row.textOrNil(2), barcode: row.textOrNil(3),
            title: row.textOrNil(4), price: currency.map { Money(minorUnits: row.int(5), currency: $0) },
            version: row.int(7), createdAt: row.time(8), updatedAt: row.time(9))
    }

    // MARK: Reading

    /// A product that is not deleted, with its variants.
    static func fetch(
        _ id: ProductID, scope: Scope, isLocked: Bool = false, in transaction: any Transaction
    ) throws -> Product? {
        let lock = isLocked ? "{for update}" : ""
        return try products(
            where: "id = $1 AND tenant_id = $2 AND org_id = $3 AND deleted_at IS NULL \(lock)",
            [.id(id), .id(scope.tenant), .id(scope.organisation)], in: transaction
        ).first
    }

    static func list(
        scope: Scope, after: ProductID?, limit: Int, in transaction: any Transaction
    ) throws -> [Product] {
        try products(
            where: "tenant_id = $1 AND org_id = $2 AND id > $3 AND deleted_at IS NULL ORDER BY id LIMIT $4",
            [.id(scope.tenant), .id(scope.organisation), .id(after ?? .zero), .int(limit)], in: transaction)
    }

    private static func products(
        where condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [Product] {
        var products = try transaction.all(
            Statement(composed: "SELECT \(productColumns) FROM product WHERE \(condition)"), arguments, product)
        if products.isEmpty { return products }
        var rows = RowBatch(["wanted": .uuid])
        for product in products { rows.append(.id(product.id)) }
        let variants = Dictionary(
            grouping: try transaction.all(
                Statement(
                    composed: """
                        SELECT \(variantColumns) FROM variant
                        WHERE product_id IN (SELECT wanted FROM {rows} r) ORDER BY id
                        """), rows: rows, variant), by: \.product)
        for index in products.indices { products[index].variants = variants[products[index].id] ?? [] }
        return products
    }

    /// Whoever has one of the SKUs in the tenant already.
    static func holder(
        ofAny skus: [String], tenant: TenantID, in transaction: any Transaction
    ) throws -> (sku: String, variant: VariantID, product: ProductID)? {
        var rows = RowBatch(["wanted": .text])
        for sku in skus { rows.append(.text(sku)) }
        return try transaction.all(
            "SELECT sku, id, product_id FROM variant WHERE tenant_id = $1 AND sku IN (SELECT wanted FROM {rows} r)",
            [.id(tenant)], rows: rows
        ) { ($0.text(0), $0.id(1, of: Variant.self), $0.id(2, of: Product.self)) }.first
            .map { (sku: $0.0, variant: $0.1, product: $0.2) }
    }

    // MARK: Writing

    static func insert(_ product: Product, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO product (id, tenant_id, org_id, title, description, category, status, version, created_at,
                updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)
            """,
            [
                .id(product.id), .id(product.scope.tenant), .id(product.scope.organisation), .text(product.title),
                .text(product.description), .text(product.category), .text(product.status.rawValue),
                .time(product.createdAt),
            ])
        try insert(product.variants, scope: product.scope, in: transaction)
    }

    static func insert(_ variants: [Variant], scope: Scope, in transaction: any Transaction) throws {
        var rows = RowBatch([
            "id": .uuid, "product_id": .uuid, "sku": .text, "barcode": .text, "title": .text, "price": .int,
            "currency": .text, "stamp": .int,
        ])
        for variant in variants {
            rows.append(
                .id(variant.id), .id(variant.product), .text(variant.sku), .text(variant.barcode),
                .text(variant.title), .int(variant.price?.minorUnits), .text(variant.price?.currency.code),
                .time(variant.createdAt))
        }
        try transaction.execute(
            """
            INSERT INTO variant (id, tenant_id, org_id, product_id, sku, barcode, title, price_minor, currency, version,
                created_at, updated_at)
            SELECT id, $1, $2, product_id, sku, barcode, title, price, currency, 1, stamp, stamp FROM {rows} r
            """, [.id(scope.tenant), .id(scope.organisation)], rows: rows)
    }

    static func update(_ product: Product, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE product SET title = $2, description = $3, category = $4, status = $5, version = $6, updated_at = $7
            WHERE id = $1
            """,
            [
                .id(product.id), .text(product.title), .text(product.description), .text(product.category),
                .text(product.status.rawValue), .int(product.version), .time(product.updatedAt),
            ])
    }

    static func update(_ variant: Variant, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE variant SET sku = $2, barcode = $3, title = $4, price_minor = $5, currency = $6, version = $7,
                updated_at = $8
            WHERE id = $1
            """,
            [
                .id(variant.id), .text(variant.sku), .text(variant.barcode), .text(variant.title),
                .int(variant.price?.minorUnits), .text(variant.price?.currency.code), .int(variant.version),
                .time(variant.updatedAt),
            ])
    }
}
