import Events
import Kernel
import Storage

/// The rows of variants. A deleted one keeps its row, for the orders that name it, and gives its SKU back.
enum VariantStore {
    /// A SKU is unique in its tenant, whichever organisation has it.
    struct SKU: Hashable, Sendable {
        let tenant: TenantID
        let text: String
    }

    /// Who has a SKU.
    struct Holder: Sendable, Equatable {
        let variant: VariantID
        let product: ProductID
        let organisation: OrganisationID
    }

    private static let columns = """
        v.id, v.product_id, v.sku, v.barcode, v.title, v.option_values, v.price_minor, v.currency, v.compare_at_minor,
        v.cost_minor, v.cost_currency, v.gtin, v.mpn, v.weight_grams, v.image_url, v.version, v.created_at, v.updated_at
        """

    private static func variant(_ row: any Row) -> Variant {
        var variant = Variant(id: row.id(0), product: row.id(1), now: row.time(16))
        variant.sku = row.textOrNil(2)
        variant.barcode = row.textOrNil(3)
        variant.title = row.textOrNil(4)
        variant.keptOptions = row.bytesOrNil(5)
        if let currency = row.textOrNil(7).flatMap({ Currency(code: $0) }) {
            variant.price = row.intOrNil(6).map { Money(minorUnits: $0, currency: currency) }
            variant.compareAt = row.intOrNil(8).map { Money(minorUnits: $0, currency: currency) }
        }
        if let currency = row.textOrNil(10).flatMap({ Currency(code: $0) }) {
            variant.cost = row.intOrNil(9).map { Money(minorUnits: $0, currency: currency) }
        }
        variant.gtin = row.textOrNil(11)
        variant.mpn = row.textOrNil(12)
        variant.weightGrams = row.intOrNil(13)
        variant.imageURL = row.textOrNil(14)
        variant.version = row.int(15)
        variant.updatedAt = row.time(17)
        return variant
    }

    // MARK: Reading

    /// The variants of some products whose owners are known, in the order in which they were made.
    static func variants(
        of products: [ProductID], in transaction: any Transaction
    ) throws -> [ProductID: [Variant]] {
        let rows = RowBatch(wanted: products)
        return Dictionary(
            grouping: try transaction.all(
                Statement(
                    composed: """
                        SELECT \(columns) FROM variant v
                        WHERE v.product_id IN (SELECT wanted FROM {rows} r) AND v.deleted_at IS NULL ORDER BY v.id
                        """), rows: rows, variant), by: \.product)
    }

    /// Who has which of some SKUs.
    static func holders(of skus: Set<SKU>, in transaction: any Transaction) throws -> Asked<(SKU, Holder)> {
        var rows = RowBatch(["tenant": .uuid, "wanted": .text])
        for sku in skus { rows.append(.id(sku.tenant), .text(sku.text)) }
        // The tenant stands in each row: as one value for all, PostgreSQL without statistics takes a tenant for small
        // and walks all of its variants in place of looking each up.
        return try transaction.ask(
            """
            SELECT v.tenant_id, v.sku, v.id, v.product_id, v.org_id
            FROM {rows} r JOIN variant v ON v.tenant_id = r.tenant AND v.sku = r.wanted
            """, rows: rows
        ) { row in
            let holder = Holder(variant: row.id(2), product: row.id(3), organisation: row.id(4))
            return (SKU(tenant: row.id(0), text: row.text(1)), holder)
        }
    }

    // MARK: Writing

    static var rows: RowBatch {
        RowBatch([
            "row_id": .uuid, "tenant": .uuid, "organisation": .uuid, "product": .uuid, "new_sku": .text,
            "new_barcode": .text, "new_title": .text, "new_options": .bytes, "price": .int, "new_currency": .text,
            "compare_at": .int, "cost": .int, "new_cost_currency": .text, "new_gtin": .text, "new_mpn": .text,
            "weight": .int, "image": .text, "new_version": .int, "made": .int, "changed": .int,
        ])
    }

    static func append(_ variant: Variant, _ scope: Scope, to rows: inout RowBatch) {
        rows.append(
            .id(variant.id), .id(scope.tenant), .id(scope.organisation), .id(variant.product), .text(variant.sku),
            .text(variant.barcode), .text(variant.title), .bytes(variant.keptOptions), .int(variant.price?.minorUnits),
            .text(variant.price?.currency.code), .int(variant.compareAt?.minorUnits), .int(variant.cost?.minorUnits),
            .text(variant.cost?.currency.code), .text(variant.gtin), .text(variant.mpn), .int(variant.weightGrams),
            .text(variant.imageURL), .int(variant.version), .time(variant.createdAt), .time(variant.updatedAt))
    }

    static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO variant (id, tenant_id, org_id, product_id, sku, barcode, title, option_values, price_minor,
                currency, compare_at_minor, cost_minor, cost_currency, gtin, mpn, weight_grams, image_url, version,
                created_at, updated_at)
            SELECT row_id, tenant, organisation, product, new_sku, new_barcode, new_title, new_options, price,
                new_currency, compare_at, cost, new_cost_currency, new_gtin, new_mpn, weight, image, new_version, made,
                changed
            FROM {rows} r
            """, rows: rows)
    }

    static func update(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE variant SET sku = r.new_sku, barcode = r.new_barcode, title = r.new_title,
                option_values = r.new_options, price_minor = r.price, currency = r.new_currency,
                compare_at_minor = r.compare_at, cost_minor = r.cost, cost_currency = r.new_cost_currency,
                gtin = r.new_gtin, mpn = r.new_mpn, weight_grams = r.weight, image_url = r.image,
                version = r.new_version, updated_at = r.changed
            FROM {rows} r WHERE id = r.row_id
            """, rows: rows)
    }

    /// Deletes variants whose products are locked; their SKUs are free from then on.
    static func remove(_ rows: RowBatch, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE variant SET former_sku = sku, sku = NULL, deleted_at = $1, updated_at = $1
            WHERE id IN (SELECT removed FROM {rows} r)
            """, [.time(now)], rows: rows)
    }
}
