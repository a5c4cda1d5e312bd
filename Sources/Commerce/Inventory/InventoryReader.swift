import Events
import Kernel
import Storage

/// Lists levels and their ledger. Each statement names the owner.
enum InventoryReader {
    private static let levelColumns = """
        l.id, l.tenant_id, l.org_id, l.variant_id, v.sku, l.location_id, l.on_hand, l.reserved, l.low_stock_threshold,
        COALESCE(l.low_stock_threshold, s.low_stock_threshold, 0), l.updated_at
        """
    private static let levelTables = """
        inventory_level l JOIN variant v ON v.id = l.variant_id
        LEFT JOIN inventory_setting s ON s.tenant_id = l.tenant_id
        """

    private static func level(_ row: any Row) -> Level {
        Level(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), variant: row.id(3),
            sku: row.textOrNil(4), location: row.id(5), balance: Balance(onHand: row.int(6), reserved: row.int(7)),
            ownThreshold: row.intOrNil(8), threshold: row.int(9), updatedAt: row.time(10))
    }

    private static let ledgerColumns = """
        g.id, g.tenant_id, g.org_id, g.variant_id, v.sku, g.location_id, g.reason, g.on_hand_delta, g.reserved_delta,
        g.on_hand, g.reserved, g.order_id, g.transfer_id, g.note, g.user_id, g.source, g.created_at
        """

    private static func ledgerLine(_ row: any Row) throws -> LedgerLine {
        guard let reason = LedgerReason(rawValue: row.text(6)) else {
            throw StorageError(.corrupt, "ledger line \(row.id(0, of: LedgerLine.self)) has the reason \(row.text(6))")
        }
        return LedgerLine(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), variant: row.id(3),
            sku: row.textOrNil(4), location: row.id(5), reason: reason,
            delta: Balance(onHand: row.int(7), reserved: row.int(8)),
            after: Balance(onHand: row.int(9), reserved: row.int(10)), order: row.idOrNil(11),
            transfer: row.idOrNil(12), note: row.textOrNil(13), user: row.id(14), source: row.text(15),
            createdAt: row.time(16))
    }

    static func levels(
        _ query: InventoryService.LevelQuery, scope: Scope, in transaction: any Transaction
    ) throws -> [Level] {
        var filter = Filter(
            "l.tenant_id = $1 AND l.org_id = $2 AND l.id > $3",
            [.id(scope.tenant), .id(scope.organisation), .id(query.after ?? .zero)])
        filter.narrow("l.variant_id = $n", query.variant.map { .id($0) })
        filter.narrow("v.sku = $n", query.sku.map { .text($0) })
        filter.narrow("l.location_id = $n", query.location.map { .id($0) })
        if query.onlyLow {
            filter.narrow("l.on_hand - l.reserved <= COALESCE(l.low_stock_threshold, s.low_stock_threshold, 0)")
        }
        return try transaction.all(
            Statement(
                composed: """
                    SELECT \(levelColumns) FROM \(levelTables)
                    WHERE \(filter.condition) ORDER BY l.id LIMIT \(query.limit)
                    """), filter.arguments, level)
    }

    static func level(_ id: ID<Level>, scope: Scope, in transaction: any Transaction) throws -> Level? {
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(levelColumns) FROM \(levelTables)
                    WHERE l.id = $1 AND l.tenant_id = $2 AND l.org_id = $3
                    """),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], level)
    }

    static func setThreshold(
        _ threshold: Int64?, of id: ID<Level>, scope: Scope, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE inventory_level SET low_stock_threshold = $4, updated_at = $5
            WHERE id = $1 AND tenant_id = $2 AND org_id = $3
            """, [.id(id), .id(scope.tenant), .id(scope.organisation), .int(threshold), .time(now)])
    }

    static func ledger(
        _ query: InventoryService.LedgerQuery, scope: Scope, in transaction: any Transaction
    ) throws -> [LedgerLine] {
        var filter = Filter(
            "g.tenant_id = $1 AND g.org_id = $2 AND g.id > $3",
            [.id(scope.tenant), .id(scope.organisation), .id(query.after ?? .zero)])
        filter.narrow("g.variant_id = $n", query.variant.map { .id($0) })
        filter.narrow("g.location_id = $n", query.location.map { .id($0) })
        filter.narrow("g.order_id = $n", query.order.map { .id($0) })
        filter.narrow("g.reason = $n", query.reason.map { .text($0.rawValue) })
        filter.narrow("g.created_at >= $n", query.since.map { .time($0) })
        return try transaction.all(
            Statement(
                composed: """
                    SELECT \(ledgerColumns) FROM inventory_ledger g JOIN variant v ON v.id = g.variant_id
                    WHERE \(filter.condition) ORDER BY g.id LIMIT \(query.limit)
                    """), filter.arguments, ledgerLine)
    }
}
