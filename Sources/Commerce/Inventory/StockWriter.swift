import Events
import Kernel
import Storage
import Webhooks

/// Writes moves: levels, their ledger lines, the events that tell of them and what they change of the catalogue, in a
/// few statements whatever their number.
///
/// It is the only one that changes a level, so none changes without a ledger line.
struct StockWriter {
    let ids: IDGenerator

    /// Writes the moves in their order and answers one ledger line for each. A move of nothing is not a move.
    ///
    /// - Parameter settings: of the tenants, for the thresholds that events name.
    func write(
        _ moves: [StockMove], settings: [TenantID: InventorySettings], events: EventBuffer,
        in transaction: any Transaction
    ) throws -> [LedgerLine] {
        if moves.isEmpty { return [] }
        var sums: [LevelKey: InventoryStore.Addition] = [:]
        for move in moves {
            sums[move.key, default: InventoryStore.Addition(organisation: move.organisation)].add(move)
        }
        let added = try InventoryStore.add(sums, ids: ids, now: events.now, in: transaction)
        let stock = try VariantStock.counted(of: Set(moves.map(\.key.variant)).sorted(), in: transaction)
        let written = try added.byKey()
        let lines = try lines(of: moves, written, now: events.now)
        try InventoryStore.append(lines, in: transaction)
        for (move, line) in zip(moves, lines) {
            let standard = settings[move.key.tenant] ?? .standard
            let threshold = written[move.key]?.ownThreshold ?? standard.lowStockThreshold
            events.append(
                line.event(threshold: threshold), scope: line.scope, actor: move.origin.actor,
                source: move.origin.source, causation: move.origin.causation)
        }
        try AvailabilityChanges.count(moves, lines, stock.answer(), now: events.now, in: transaction)
        return lines
    }

    /// A level is known as it stands after all moves; what it was after each is found from the end backwards.
    private func lines(
        of moves: [StockMove], _ written: [LevelKey: InventoryStore.Written], now: Timestamp
    ) throws -> [LedgerLine] {
        var after = written.mapValues(\.balance)
        var balances: [Balance] = []
        for move in moves.reversed() {
            guard let balance = after[move.key] else {
                throw StorageError(.corrupt, "the level of variant \(move.key.variant) was written and not answered")
            }
            balances.append(balance)
            after[move.key] = balance - move.delta
        }
        return zip(moves, balances.reversed()).map { move, balance in
            LedgerLine(
                id: ids.next(), scope: move.scope, variant: move.key.variant, sku: move.sku,
                location: move.key.location, reason: move.reason, delta: move.delta, after: balance,
                order: move.order, transfer: move.transfer, note: move.note, user: move.origin.actor.user,
                source: move.origin.source, createdAt: now)
        }
    }
}
