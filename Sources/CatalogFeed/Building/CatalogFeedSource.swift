import Commerce
import Events
import Kernel
import Storage

/// All that the feed reads of the store: the one place here with SQL over the catalogue.
struct CatalogFeedSource: Sendable {
    /// Up to where the catalogue has got.
    struct State: Sendable, Equatable {
        var settings: FeedSettings
        /// Counted up with each change of the settings; zero while none are set.
        var settingsVersion: Int64
        /// The number of the newest change.
        var sequence: Int64
        /// When that change was made.
        var sequenceAt: Timestamp
        var settingsAt: Timestamp

        var changedAt: Timestamp { max(sequenceAt, settingsAt) }
    }

    let database: any Database

    /// Products of one page: few enough that a read holds nobody up, enough that the way there doesn't count.
    static let pageRows = 256

    func state(_ scope: Scope) async throws -> State {
        try await database.read(.background) { transaction in
            let kept = try FeedSettingStore.fetch(scope, in: transaction)
            let newest = try transaction.first(
                """
                SELECT sequence, changed_at FROM catalogue_change WHERE tenant_id = $1 AND org_id = $2
                ORDER BY sequence DESC LIMIT 1
                """, [.id(scope.tenant), .id(scope.organisation)]
            ) { (sequence: $0.int(0), changedAt: $0.time(1)) }
            return State(
                settings: kept?.settings ?? FeedSettings(), settingsVersion: kept?.version ?? 0,
                sequence: newest?.sequence ?? 0, sequenceAt: newest?.changedAt ?? Timestamp(milliseconds: 0),
                settingsAt: kept?.updatedAt ?? Timestamp(milliseconds: 0))
        }
    }

    /// Those of the organisations whose catalogue or settings have moved on since their feeds were built.
    func stale(_ built: [Scope: FeedManifest]) async throws -> [Scope] {
        var rows = RowBatch(["tenant": .uuid, "organisation": .uuid])
        for scope in built.keys { rows.append(.id(scope.tenant), .id(scope.organisation)) }
        let wanted = rows
        let heads = try await database.read(.background) { transaction in
            try transaction.all(
                """
                SELECT r.tenant, r.organisation, h.sequence, s.version FROM {rows} r
                LEFT JOIN catalogue_head h ON h.tenant_id = r.tenant AND h.org_id = r.organisation
                LEFT JOIN catalogue_feed_setting s ON s.tenant_id = r.tenant AND s.org_id = r.organisation
                """, rows: wanted
            ) { row in
                (
                    scope: Scope(tenant: row.id(0), organisation: row.id(1)), sequence: row.intOrNil(2) ?? 0,
                    version: row.intOrNil(3) ?? 0
                )
            }
        }
        return heads.filter { head in
            guard let manifest = built[head.scope] else { return true }
            return head.sequence > manifest.sequence || head.version != manifest.settingsVersion
        }.map(\.scope)
    }

    /// Products that changed behind a number, each once, and the number of the last one.
    func changes(after sequence: Int64, _ scope: Scope) async throws -> [CatalogueChanges.Entry] {
        try await database.read(.background) { transaction in
            try CatalogueChanges.entries(
                after: sequence, scope: scope, limit: CatalogFeedSource.pageRows, in: transaction)
        }
    }

    /// Active products behind an id, in the order of their ids.
    func page(after id: ProductID?, _ scope: Scope) async throws -> [CatalogueEntry] {
        try await database.read(.background) { transaction in
            try EntryRows.fetch(
                "AND id > $3 ORDER BY id LIMIT \(CatalogFeedSource.pageRows)", [.id(id ?? .zero)], scope,
                in: transaction)
        }
    }

    /// Those of the products that are active now.
    func entries(_ ids: [ProductID], _ scope: Scope, _ lane: Lane = .background) async throws -> [CatalogueEntry] {
        if ids.isEmpty { return [] }
        let wanted = RowBatch(wanted: ids)
        return try await database.read(lane) { transaction in
            try EntryRows.fetch(
                "AND id IN (SELECT wanted FROM {rows} r)", [], scope, rows: wanted, in: transaction)
        }
    }

    /// The place in the tree of categories that a path names; nil where there is none.
    func place(_ path: String, _ scope: Scope) async throws -> CategoryID? {
        try await database.read { try CategoryPaths.place(path, scope, in: $0) }
    }

    /// What a text names: a product, or a variant by its id or SKU.
    struct Named: Sendable, Equatable {
        let text: String
        let product: ProductID
        let variant: VariantID?
    }

    /// What each of the texts names, in their order; those that name nothing are missing, as are deleted variants.
    func named(_ texts: [String], _ scope: Scope) async throws -> [Named] {
        var ids = RowBatch(["wanted": .uuid])
        var skus = RowBatch(["wanted": .text])
        for text in texts {
            if let id = VariantID(text) { ids.append(.id(id)) } else { skus.append(.text(text)) }
        }
        let (wantedIDs, wantedSKUs) = (ids, skus)
        let owner: [SQLValue] = [.id(scope.tenant), .id(scope.organisation)]
        let (byID, bySKU) = try await database.read { transaction in
            (
                try transaction.all(
                    """
                    SELECT id, product_id FROM variant
                    WHERE tenant_id = $1 AND org_id = $2 AND deleted_at IS NULL
                        AND id IN (SELECT wanted FROM {rows} r)
                    """, owner, rows: wantedIDs
                ) { ($0.id(0, of: Variant.self), $0.id(1, of: Product.self)) },
                try transaction.all(
                    """
                    SELECT sku, id, product_id FROM variant
                    WHERE tenant_id = $1 AND org_id = $2 AND deleted_at IS NULL
                        AND sku IN (SELECT wanted FROM {rows} r)
                    """, owner, rows: wantedSKUs
                ) { ($0.text(0), ($0.id(1, of: Variant.self), $0.id(2, of: Product.self))) }
            )
        }
        let variants = Dictionary(byID, uniquingKeysWith: { first, _ in first })
        let held = Dictionary(bySKU, uniquingKeysWith: { first, _ in first })
        return texts.compactMap { text in
            guard let id = VariantID(text) else {
                return held[text].map { Named(text: text, product: $0.1, variant: $0.0) }
            }
            // An id that is no variant's may be a product's; whether it is shows when that is read.
            guard let product = variants[id] else { return Named(text: text, product: id.cast(), variant: nil) }
            return Named(text: text, product: product, variant: id)
        }
    }
}
