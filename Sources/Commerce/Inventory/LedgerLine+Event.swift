import Events
import Kernel

extension LedgerLine {
    /// What subscribers hear of the move.
    ///
    /// - Parameter threshold: the one that counts for the level.
    func event(threshold: Int64) -> InventoryAdjusted {
        var event = InventoryAdjusted(
            entry: id.cast(), variant: variant.cast(), location: location.cast(), kind: reason.rawValue,
            delta: delta.onHand, available: after.available, adjustedAt: createdAt)
        event.reservedDelta = delta.reserved
        event.onHand = after.onHand
        event.reserved = after.reserved
        event.threshold = threshold
        event.sku = sku
        event.order = order?.cast()
        event.notes = note
        return event
    }
}
