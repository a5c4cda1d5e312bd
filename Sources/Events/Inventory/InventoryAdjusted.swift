import Kernel

/// One line of the ledger: what a sale, a return or a count did to one level.
package struct InventoryAdjusted: EventType {
    package static let name = "inventory.adjusted"
    package static let summary = "A stock level changed by a sale, a return or an adjustment."
    package static let fields = [
        Field.variant, Field.sku, Field.location, Field.entry, Field.kind, Field.delta, Field.available, Field.order,
        Field.adjustedAt, Field.notes,
    ]
    package static let example: InventoryAdjusted = {
        var adjusted = InventoryAdjusted(
            entry: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0006),
            variant: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0002),
            location: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0007), kind: "sale", delta: -2,
            available: 40, adjustedAt: Timestamp(milliseconds: 1_733_326_327_412))
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
    /// What can be sold there now.
    package var available: Int64
    package var adjustedAt: Timestamp
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
        writer.field(Field.available, available)
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
        static let available = EventField("available", .public, .integer, "Pieces that can be sold there now.")
        static let order = EventField("order_id", .public, .uuid, "The order that caused it, if one did.", .nullable)
        static let adjustedAt = EventField("adjusted_at", .public, .time, "When the level changed.")
        static let notes = EventField("notes", .confidential, .text, "The reason that a person wrote.", .optional)
    }
}
