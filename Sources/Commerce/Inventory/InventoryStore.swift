import Events
import Kernel
import Storage

/// The rows of levels and of their ledger.
package enum InventoryStore {
    /// A variant whose stock is to move, and where; no location means the default one.
    struct Question: Hashable {
        let tenant: TenantID
        let variant: VariantID
        let location: LocationID?
    }

    /// What is known of a variant's stock before any level is looked at.
    struct Place {
        /// Owner of the variant, whose locations its stock lies at.
        let organisation: OrganisationID
        let sku: String?
        /// Whether the variant's product was deleted: callers don't see it any more, orders still release its stock.
        let isDeleted: Bool
        /// Nil when the location that was named is none of the owner's.
        let location: LocationID?
        let settings: InventorySettings
    }

    // MARK: Places

    /// The places of some variants; those that are none of the tenant's are missing. Default locations that don't exist
    /// yet are made.
    static func places(
        of questions: Set<Question>, ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws -> [Question: Place] {
        var found = try places(of: questions, in: transaction)
        let homeless = found.filter { $0.key.location == nil && $0.value.location == nil }
        if homeless.isEmpty { return found }
        let scopes = homeless.map { Scope(tenant: $0.key.tenant, organisation: $0.value.organisation) }
        try LocationStore.ensureDefaults(of: Set(scopes), ids: ids, now: now, in: transaction)
        found.merge(try places(of: Set(homeless.keys), in: transaction)) { $1 }
        return found
    }

    private static func places(
        of questions: Set<Question>, in transaction: any Transaction
    ) throws -> [Question: Place] {
        var rows = RowBatch(["variant": .uuid, "tenant": .uuid, "place": .uuid])
        for question in questions {
            rows.append(.id(question.variant), .id(question.tenant), .id(question.location))
        }
        let found = try transaction.all(
            """
            SELECT r.tenant, r.variant, r.place, v.org_id, v.sku, given.id, main.id, s.allocation,
                s.low_stock_threshold, COALESCE(p.deleted_at, v.deleted_at)
            FROM {rows} r JOIN variant v ON v.id = r.variant AND v.tenant_id = r.tenant
                JOIN product p ON p.id = v.product_id
                LEFT JOIN location given
                    ON given.id = r.place AND given.tenant_id = v.tenant_id AND given.org_id = v.org_id
                LEFT JOIN location main
                    ON main.tenant_id = v.tenant_id AND main.org_id = v.org_id AND main.is_default = 1
                LEFT JOIN inventory_setting s ON s.tenant_id = v.tenant_id
            """, rows: rows
        ) { row in
            let question = Question(tenant: row.id(0), variant: row.id(1), location: row.idOrNil(2))
            let place = Place(
                organisation: row.id(3), sku: row.textOrNil(4), isDeleted: !row.isNull(9),
                location: row.idOrNil(question.location == nil ? 6 : 5),
                settings: settings(row, allocation: 7, threshold: 8))
            return (question, place)
        }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    // MARK: Levels

    /// The levels of some keys, locked to the end of the transaction, so that what is decided by them still holds when
    /// it is written. A level that does not exist yet is missing.
    static func lock(_ keys: Set<LevelKey>, in transaction: any Transaction) throws -> [LevelKey: Balance] {
        var rows = RowBatch(["variant": .uuid, "tenant": .uuid, "place": .uuid])
        // In one order everywhere, so that two copies lock the same levels in the same order.
        for key in keys.sorted() { rows.append(.id(key.variant), .id(key.tenant), .id(key.location)) }
        let found = try transaction.all(
            """
            SELECT tenant_id, variant_id, location_id, on_hand, reserved FROM inventory_level
            WHERE (tenant_id, variant_id, location_id) IN (SELECT tenant, variant, place FROM {rows} r)
            ORDER BY tenant_id, variant_id, location_id {for update}
            """, rows: rows
        ) { row in
            let key = LevelKey(tenant: row.id(0), variant: row.id(1), location: row.id(2))
            return (key, Balance(onHand: row.int(3), reserved: row.int(4)))
        }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }

    /// What is to be added to a level.
    struct Addition {
        let organisation: OrganisationID
        var delta = Balance()
        var isCounted = false

        mutating func add(_ move: StockMove) {
            delta += move.delta
            isCounted = isCounted || move.counts
        }
    }

    /// What a level came to, and the threshold of its own.
    struct Written {
        let balance: Balance
        let ownThreshold: Int64?
    }

    /// Adds to levels, and makes those that don't exist. Sums are added, never set: no writer can undo another's.
    static func add(
        _ additions: [LevelKey: Addition], ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws -> Asked<(LevelKey, Written)> {
        var rows = RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "variant_id": .uuid, "location_id": .uuid,
            "on_hand": .int, "reserved": .int, "is_counted": .int,
        ])
        for (key, change) in additions.sorted(by: { $0.key < $1.key }) {
            rows.append(
                .id(ids.next(Level.self)), .id(key.tenant), .id(change.organisation), .id(key.variant),
                .id(key.location), .int(change.delta.onHand), .int(change.delta.reserved),
                .int(change.isCounted ? 1 : 0))
        }
        return try transaction.ask(
            """
            INSERT INTO inventory_level (id, tenant_id, org_id, variant_id, location_id, on_hand, reserved, is_counted,
                updated_at)
            SELECT id, tenant_id, org_id, variant_id, location_id, on_hand, reserved, is_counted, $1
            FROM {rows} r WHERE true
            ON CONFLICT (tenant_id, variant_id, location_id) DO UPDATE SET
                on_hand = inventory_level.on_hand + excluded.on_hand,
                reserved = inventory_level.reserved + excluded.reserved,
                is_counted = CASE WHEN excluded.is_counted = 1 THEN 1 ELSE inventory_level.is_counted END,
                updated_at = excluded.updated_at
            RETURNING tenant_id, variant_id, location_id, on_hand, reserved, low_stock_threshold
            """, [.time(now)], rows: rows
        ) { row in
            (
                LevelKey(tenant: row.id(0), variant: row.id(1), location: row.id(2)),
                Written(
                    balance: Balance(onHand: row.int(3), reserved: row.int(4)), ownThreshold: row.intOrNil(5))
            )
        }
    }

    // MARK: Ledger

    static func append(_ lines: [LedgerLine], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "variant_id": .uuid, "location_id": .uuid,
            "reason": .text, "on_hand_delta": .int, "reserved_delta": .int, "on_hand": .int, "reserved": .int,
            "order_id": .uuid, "transfer_id": .uuid, "note": .text, "user_id": .uuid, "source": .text, "stamp": .int,
        ])
        rows.reserve(lines.count)
        for line in lines {
            rows.append(
                .id(line.id), .id(line.scope.tenant), .id(line.scope.organisation), .id(line.variant),
                .id(line.location), .text(line.reason.rawValue), .int(line.delta.onHand), .int(line.delta.reserved),
                .int(line.after.onHand), .int(line.after.reserved), .id(line.order), .id(line.transfer),
                .text(line.note), .id(line.user), .text(line.source), .time(line.createdAt))
        }
        try transaction.execute(
            """
            INSERT INTO inventory_ledger (id, tenant_id, org_id, variant_id, location_id, reason, on_hand_delta,
                reserved_delta, on_hand, reserved, order_id, transfer_id, note, user_id, source, created_at)
            SELECT id, tenant_id, org_id, variant_id, location_id, reason, on_hand_delta, reserved_delta, on_hand,
                reserved, order_id, transfer_id, note, user_id, source, stamp
            FROM {rows} r
            """, rows: rows)
    }

    // MARK: Settings

    static func settings(_ row: any Row, allocation: Int, threshold: Int) -> InventorySettings {
        guard let text = row.textOrNil(allocation) else { return .standard }
        return InventorySettings(
            allocation: InventorySettings.Allocation(rawValue: text) ?? .soft, lowStockThreshold: row.int(threshold))
    }

    /// What holds for all stock of a tenant; the standard where nothing was set.
    package static func settings(of tenant: TenantID, in transaction: any Transaction) throws -> InventorySettings {
        try transaction.first(
            "SELECT allocation, low_stock_threshold FROM inventory_setting WHERE tenant_id = $1", [.id(tenant)]
        ) { settings($0, allocation: 0, threshold: 1) } ?? .standard
    }

    static func save(
        _ settings: InventorySettings, of tenant: TenantID, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO inventory_setting (tenant_id, allocation, low_stock_threshold, updated_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant_id) DO UPDATE SET allocation = excluded.allocation,
                low_stock_threshold = excluded.low_stock_threshold, updated_at = excluded.updated_at
            """,
            [.id(tenant), .text(settings.allocation.rawValue), .int(settings.lowStockThreshold), .time(now)])
    }
}
