import Events
import Kernel
import Storage

/// Tells the followers of the catalogue when a variant is sold out, or to be had again: a move that changes neither
/// counts no change, so a busy variant does not have its product written anew with each order.
///
/// A variant is to be had while the sum over its locations is above zero. One that nobody ever counted is always.
enum AvailabilityChanges {
    /// What a transaction does to one variant.
    private struct Effect {
        var delta: Int64 = 0
        /// Somebody counts it, perhaps for the first time.
        var isCounting = false
        /// A level of its own went from some to none, or back. Two transactions that empty two locations at once see
        /// the other's pieces still there; each of them tells all the same.
        var crossesZero = false
    }

    /// Counts the changes that some written moves come to. Call it behind all that a transaction locks.
    ///
    /// - Parameter stock: of the variants that moved, as it is after the moves.
    static func count(
        _ moves: [StockMove], _ lines: [LedgerLine], _ stock: [VariantStock], now: Timestamp,
        in transaction: any Transaction
    ) throws {
        var effects: [VariantID: Effect] = [:]
        for (move, line) in zip(moves, lines) {
            let before = line.after.available - line.delta.available
            effects[move.key.variant, default: Effect()].delta += line.delta.available
            if move.counts { effects[move.key.variant]?.isCounting = true }
            if (before > 0) != (line.after.available > 0) { effects[move.key.variant]?.crossesZero = true }
        }
        var changed: [Scope: Set<ProductID>] = [:]
        for stock in stock {
            guard let effect = effects[stock.variant] else { continue }
            let turns = (stock.available > 0) != (stock.available - effect.delta > 0)
            if turns || effect.crossesZero || (effect.isCounting && stock.available <= 0) {
                changed[stock.scope, default: []].insert(stock.product)
            }
        }
        try record(changed, now: now, in: transaction)
    }

    /// Counts a change of every variant that a tenant has run out of: what is said of those depends on its allocation.
    static func countSoldOut(of tenant: TenantID, now: Timestamp, in transaction: any Transaction) throws {
        var changed: [Scope: Set<ProductID>] = [:]
        try transaction.run(
            """
            SELECT v.org_id, v.product_id FROM inventory_level l JOIN variant v ON v.id = l.variant_id
            WHERE l.tenant_id = $1 GROUP BY v.id, v.org_id, v.product_id
            HAVING MAX(l.is_counted) = 1 AND SUM(l.on_hand - l.reserved) <= 0
            """, [.id(tenant)], rows: nil
        ) { changed[Scope(tenant: tenant, organisation: $0.id(0)), default: []].insert($0.id(1)) }
        try record(changed, now: now, in: transaction)
    }

    private static func record(
        _ changed: [Scope: Set<ProductID>], now: Timestamp, in transaction: any Transaction
    ) throws {
        if changed.isEmpty { return }
        try CatalogueChanges.count(changed.mapValues { $0.sorted() }, now: now, in: transaction)
    }
}
