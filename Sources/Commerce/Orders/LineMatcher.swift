import Events
import Kernel
import Storage

/// What a line of a snapshot was found to be.
struct MatchedVariant: Sendable, Equatable {
    let variant: VariantID?
    let how: LineMatch

    static let unmatched = MatchedVariant(variant: nil, how: .unmatched)
}

/// What is asked about one line: its item id and SKU as the source wrote them, for a tenant and a connection.
struct LineQuestion: Hashable, Sendable {
    let tenant: TenantID
    let connection: ID<OrderSource>?
    let itemID: String?
    /// The SKU without white space around it: sources trim on saving, but not on every way out. Nil when nothing is
    /// left.
    let sku: VariantStore.SKU?

    init(tenant: TenantID, connection: ID<OrderSource>?, itemID: String?, sku: String?) {
        self.tenant = tenant
        self.connection = connection
        self.itemID = itemID
        let trimmed = sku?.trimmed ?? ""
        self.sku = trimmed.isEmpty ? nil : VariantStore.SKU(tenant: tenant, text: trimmed)
    }
}

/// Finds variants for many lines at once: the item id as a variant id of ours, then the connection's mapping, then the
/// exact SKU. Where two variants could be meant, none is taken.
struct LineMatcher {
    private var byID: [TenantKey<VariantID>: VariantID] = [:]
    private var byMapping: [TenantKey<MappingKey>: VariantID] = [:]
    private var holders: [VariantStore.SKU: VariantStore.Holder] = [:]
    private var foldedHits: [VariantStore.SKU: Int] = [:]

    fileprivate struct TenantKey<Value: Hashable>: Hashable {
        let tenant: TenantID
        let value: Value
    }

    fileprivate struct MappingKey: Hashable {
        let connection: ID<OrderSource>
        let external: String
    }

    /// What was asked for some lines, in at most three statements, and is waited for when they are matched.
    struct Lookup {
        fileprivate let questions: Set<LineQuestion>
        fileprivate let ids: Asked<(TenantKey<VariantID>, VariantID)>
        fileprivate let mappings: Asked<(TenantKey<MappingKey>, VariantID)>
        fileprivate let holders: Asked<(VariantStore.SKU, VariantStore.Holder)>

        init(_ questions: Set<LineQuestion>, in transaction: any Transaction) throws {
            self.questions = questions
            ids = try LineMatcher.ids(questions, in: transaction)
            mappings = try LineMatcher.mappings(questions, in: transaction)
            holders = try VariantStore.holders(of: Set(questions.lazy.compactMap(\.sku)), in: transaction)
        }
    }

    init(_ questions: Set<LineQuestion>, in transaction: any Transaction) throws {
        try self.init(Lookup(questions, in: transaction), in: transaction)
    }

    /// Waits for what was asked, and asks once more for what it leaves unmatched.
    init(_ lookup: Lookup, in transaction: any Transaction) throws {
        byID = try lookup.ids.byKey()
        byMapping = try lookup.mappings.byKey()
        holders = try lookup.holders.byKey()
        try loadFolded(lookup.questions.filter { match($0).variant == nil }, in: transaction)
    }

    func match(_ question: LineQuestion) -> MatchedVariant {
        let tenant = question.tenant
        if let itemID = question.itemID {
            if let id = VariantID(itemID), let variant = byID[TenantKey(tenant: tenant, value: id)] {
                return MatchedVariant(variant: variant, how: .item)
            }
            if let connection = question.connection {
                let key = MappingKey(connection: connection, external: itemID)
                if let variant = byMapping[TenantKey(tenant: tenant, value: key)] {
                    return MatchedVariant(variant: variant, how: .mapping)
                }
            }
        }
        guard let sku = question.sku else { return .unmatched }
        if let holder = holders[sku] { return MatchedVariant(variant: holder.variant, how: .sku) }
        let hits = foldedHits[sku] ?? 0
        return hits > 1 ? MatchedVariant(variant: nil, how: .ambiguous) : .unmatched
    }

    private static func ids(
        _ questions: Set<LineQuestion>, in transaction: any Transaction
    ) throws -> Asked<(TenantKey<VariantID>, VariantID)> {
        var rows = RowBatch(["wanted": .uuid, "tenant": .uuid])
        for question in questions {
            if let id = question.itemID.flatMap({ VariantID($0) }) { rows.append(.id(id), .id(question.tenant)) }
        }
        return try transaction.ask(
            """
            SELECT v.tenant_id, v.id FROM {rows} r
            JOIN variant v ON v.id = r.wanted AND v.tenant_id = r.tenant AND v.deleted_at IS NULL
            """, rows: rows
        ) { (TenantKey(tenant: $0.id(0), value: $0.id(1)), $0.id(1)) }
    }

    private static func mappings(
        _ questions: Set<LineQuestion>, in transaction: any Transaction
    ) throws -> Asked<(TenantKey<MappingKey>, VariantID)> {
        var rows = RowBatch(["tenant": .uuid, "connection": .uuid, "item": .text])
        for question in questions {
            guard let connection = question.connection, let item = question.itemID else { continue }
            rows.append(.id(question.tenant), .id(connection), .text(item))
        }
        return try transaction.ask(
            """
            SELECT m.tenant_id, m.connection_id, m.external_id, m.variant_id
            FROM {rows} r JOIN variant_mapping m
                ON m.tenant_id = r.tenant AND m.connection_id = r.connection AND m.external_id = r.item
            JOIN variant v ON v.id = m.variant_id AND v.deleted_at IS NULL
            """, rows: rows
        ) { row in
            let key = MappingKey(connection: row.id(1), external: row.text(2))
            return (TenantKey(tenant: row.id(0), value: key), row.id(3))
        }
    }

    /// For what is still unmatched: how many variants have the SKU in another spelling of case.
    private mutating func loadFolded(_ questions: Set<LineQuestion>, in transaction: any Transaction) throws {
        var rows = RowBatch(["tenant": .uuid, "wanted": .text])
        for sku in Set(questions.lazy.compactMap(\.sku)) { rows.append(.id(sku.tenant), .text(sku.text)) }
        let found = try transaction.all(
            """
            SELECT r.tenant, r.wanted, count(*)
            FROM {rows} r JOIN variant v ON v.tenant_id = r.tenant AND lower(v.sku) = lower(r.wanted)
            GROUP BY r.tenant, r.wanted
            """, rows: rows
        ) { (VariantStore.SKU(tenant: $0.id(0), text: $0.text(1)), Int($0.int(2))) }
        for (sku, hits) in found { foldedHits[sku] = hits }
    }
}
