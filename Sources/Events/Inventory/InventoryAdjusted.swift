import Kernel

/// One line of the ledger: what a sale, a return or a count did to one level.
package struct InventoryAdjusted: EventType {
    package static let name = "inventory.adjusted"
    package static let summary = "A stock level changed by an order, a return, an adjustment or a transfer."
    package static let fields = [
        Field.variant, Field.sku, Field.location, Field.entry, Field.kind, Field.delta, Field.reservedDelta,
        Field.onHand, Field.reserved, Field.available, Field.threshold, Field.lowStock, Field.oversold, Field.order,
        Field.adjustedAt, Field.notes,
    ]
    package static let example: InventoryAdjusted = {
        var adjusted = InventoryAdjusted(
            entry: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0006),
            variant: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0002),
            location: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0007), kind: "sale", delta: -2,
            available: 40, adjustedAt: Timestamp(milliseconds: 1_733_326_327_412))
        adjusted.reservedDelta = -2
        adjusted.onHand = 43
        adjusted.reserved = 3
        adjusted.threshold = 5
        adjusted.sku = "SHIRT-M-BLK"
        adjusted.order = OrderPayload.example.id
        adjusted.notes = "Two were found wet."
        return adjusted
    }()

    /// The ledger entry.
    package var entry: ID<DomainEvent.Entity>
    package var variant: ID<DomainEvent.Entity>
    package var location: ID<DomainEvent.Entity>
    /// What kind of entry: `sale`, `return`, `adjustment` and what else the ledger knows.
    package var kind: String
    package var delta: Int64
    /// What can be sold there now: what lies there less what is reserved.
    package var available: Int64
    package var adjustedAt: Timestamp
    /// Pieces that orders have a claim to, more or fewer.
    package var reservedDelta: Int64 = 0
    package var onHand: Int64 = 0
    package var reserved: Int64 = 0
    /// At or below it the level is low.
    package var threshold: Int64 = 0
    package var sku: String?
    /// The order that took or brought back the pieces.
    package var order: ID<DomainEvent.Entity>?
    package var notes: String?

    package init(
        entry: ID<DomainEvent.Entity>, variant: ID<DomainEvent.Entity>, location: ID<DomainEvent.Entity>, kind: String,
        delta: Int64, available: Int64, adjustedAt: Timestamp
    ) {
        self.entry = entry
        self.variant = variant
        self.location = location
        self.kind = kind
        self.delta = delta
        self.available = available
        self.adjustedAt = adjustedAt
    }

    package var entityID: ID<DomainEvent.Entity> { variant }

    package func write(_ writer: inout PayloadWriter) {
        writer.field(Field.variant, variant)
        writer.field(Field.sku, sku)
        writer.field(Field.location, location)
        writer.field(Field.entry, entry)
        writer.field(Field.kind, kind)
        writer.field(Field.delta, delta)
        writer.field(Field.reservedDelta, reservedDelta)
        writer.field(Field.onHand, onHand)
        writer.field(Field.reserved, reserved)
        writer.field(Field.available, available)
        writer.field(Field.threshold, threshold)
        writer.field(Field.lowStock, available <= threshold)
        writer.field(Field.oversold, available < 0)
        writer.field(Field.order, order)
        writer.field(Field.adjustedAt, adjustedAt)
        if let notes { writer.field(Field.notes, notes) }
    }

    enum Field {
        static let variant = EventField("variant_id", .public, .uuid, "Whose stock it is.")
        static let sku = EventField("sku", .public, .text, "The variant's SKU.", .nullable)
        static let location = EventField("location_id", .public, .uuid, "Where it lies.")
        static let entry = EventField("ledger_entry_id", .public, .uuid, "The line of the ledger.")
        static let kind = EventField(
            "transaction_type", .public, .text, "What changed it: sale, return, adjustment and the like.")
        static let delta = EventField("quantity_delta", .public, .integer, "Pieces more, or fewer when negative.")
        static let reservedDelta = EventField(
            "reserved_delta", .public, .integer, "Pieces more that orders have a claim to, or fewer when negative.")
        static let onHand = EventField("on_hand", .public, .integer, "Pieces that lie there now.")
        static let reserved = EventField("reserved", .public, .integer, "Pieces of them that orders have a claim to.")
        static let available = EventField("available", .public, .integer, "Pieces that can be sold there now.")
        static let threshold = EventField(
            "low_stock_threshold", .public, .integer, "At or below it the level is low.")
        static let lowStock = EventField("low_stock", .public, .boolean, "Whether it is at or below its threshold.")
        static let oversold = EventField(
            "oversold", .public, .boolean, "Whether orders have a claim to more than lies there.")
        static let order = EventField("order_id", .public, .uuid, "The order that caused it, if one did.", .nullable)
        static let adjustedAt = EventField("adjusted_at", .public, .time, "When the level changed.")
        static let notes = EventField("notes", .confidential, .text, "The reason that a person wrote.", .optional)
    }
}
