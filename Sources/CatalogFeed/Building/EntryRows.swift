import Commerce
import Events
import Kernel
import Storage

/// Reads catalogue entries: products that are active, with their variants, pictures and the names of their places.
enum EntryRows {
    /// - Parameter condition: what is asked besides owner and state, its arguments from `$3` on.
    static func fetch(
        _ condition: String, _ arguments: [SQLValue], _ scope: Scope, rows: RowBatch? = nil,
        in transaction: any Transaction
    ) throws -> [CatalogueEntry] {
        let statement = Statement(
            composed: """
                SELECT id, title, description, brand, category, handle, url, details, category_id
                FROM product
                WHERE tenant_id = $1 AND org_id = $2 AND status = 'active' AND deleted_at IS NULL \(condition)
                """)
        let owner: [SQLValue] = [.id(scope.tenant), .id(scope.organisation)]
        var entries: [CatalogueEntry] = []
        var places: [ProductID: CategoryID] = [:]
        try transaction.run(statement, owner + arguments, rows: rows) { row in
            let product = try entry(row)
            if product.category == nil { places[product.id] = row.idOrNil(8) }
            entries.append(product)
        }
        if entries.isEmpty { return [] }
        let variants = try variants(of: entries, in: transaction)
        let paths = try CategoryPaths.fetch(Set(places.values), in: transaction)
        for index in entries.indices {
            let id = entries[index].id
            entries[index].variants = variants[id] ?? []
            if let place = places[id] { entries[index].category = paths[place] }
        }
        try count(&entries, of: scope.tenant, in: transaction)
        return entries
    }

    private static func entry(_ row: any Row) throws -> CatalogueEntry {
        var entry = CatalogueEntry(id: row.id(0), title: row.text(1))
        entry.description = row.textOrNil(2)
        entry.brand = row.textOrNil(3)
        entry.category = row.textOrNil(4)
        entry.handle = row.textOrNil(5)
        entry.url = row.textOrNil(6)
        guard let bytes = row.bytesOrNil(7) else { return entry }
        let details = try JSONValue(parsing: bytes)
        entry.options = details["options"]?.array?.compactMap(\.string) ?? []
        entry.tags = details["tags"]?.array?.compactMap(\.string) ?? []
        entry.images =
            details["media"]?.array?.compactMap { one in
                one["url"]?.string.map { CatalogueEntry.Image(url: $0, text: one["alt"]?.string) }
            } ?? []
        return entry
    }

    private static func variants(
        of entries: [CatalogueEntry], in transaction: any Transaction
    ) throws -> [ProductID: [CatalogueEntry.Variant]] {
        let rows = RowBatch(wanted: entries.lazy.map(\.id))
        var found: [ProductID: [CatalogueEntry.Variant]] = [:]
        try transaction.run(
            """
            SELECT product_id, id, sku, title, gtin, barcode, mpn, price_minor, compare_at_minor, currency,
                option_values, image_url
            FROM variant WHERE product_id IN (SELECT wanted FROM {rows} r) AND deleted_at IS NULL
            ORDER BY product_id, id
            """, [], rows: rows
        ) { row in found[row.id(0), default: []].append(try variant(row)) }
        return found
    }

    /// Says of variants what there is of them. A tenant whose levels may go below zero (the default) sells on what it
    /// does not have.
    private static func count(
        _ entries: inout [CatalogueEntry], of tenant: TenantID, in transaction: any Transaction
    ) throws {
        let stock = try VariantStock.counted(of: entries.flatMap(\.variants).map(\.id), in: transaction).answer()
        if stock.isEmpty { return }
        let mayBackorder = try InventoryStore.settings(of: tenant, in: transaction).allocation == .soft
        let available = Dictionary(stock.map { ($0.variant, $0.available) }, uniquingKeysWith: { first, _ in first })
        for entry in entries.indices {
            for index in entries[entry].variants.indices {
                guard let left = available[entries[entry].variants[index].id] else { continue }
                entries[entry].variants[index].stock = .counted(available: left, mayBackorder: mayBackorder)
            }
        }
    }

    private static func variant(_ row: any Row) throws -> CatalogueEntry.Variant {
        var variant = CatalogueEntry.Variant(id: row.id(1))
        variant.sku = row.textOrNil(2)
        variant.title = row.textOrNil(3)
        // Stores that have no field for a trade item number write it into the bar code.
        variant.gtin = row.textOrNil(4) ?? row.textOrNil(5)
        variant.mpn = row.textOrNil(6)
        if let currency = row.textOrNil(9).flatMap({ Currency(code: $0) }) {
            variant.price = row.intOrNil(7).map { Money(minorUnits: $0, currency: currency) }
            variant.compareAt = row.intOrNil(8).map { Money(minorUnits: $0, currency: currency) }
        }
        if let bytes = row.bytesOrNil(10) {
            let members = try JSONValue(parsing: bytes).object?.members ?? []
            variant.choices = members.compactMap { member in
                member.value.string.map { CatalogueEntry.Choice(member.name, $0) }
            }
        }
        variant.image = row.textOrNil(11)
        return variant
    }
}
