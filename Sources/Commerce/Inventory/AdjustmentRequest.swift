import Events
import Kernel

/// What a caller changes of one level.
package struct AdjustmentRequest: Sendable {
    /// The most pieces that one adjustment, threshold or transfer may name. A level of them all stays far within 64
    /// bits.
    package static let most: Int64 = 1_000_000_000
    /// Lines of one bulk call: all of them share one transaction, which others wait behind.
    package static let linesMost = 500

    /// What callers may say of their own; the other reasons are said by transfers and orders.
    private enum Reason: String, CaseIterable {
        case adjustment
        case sale
        case returned = "return"
        case sync

        var ledger: LedgerReason {
            switch self {
            case .adjustment: .adjustment
            case .sale: .sale
            case .returned: .returned
            case .sync: .sync
            }
        }
    }

    package let variant: VariantID
    /// Nil is the default location.
    package let location: LocationID?
    package let delta: Int64
    package let reason: LedgerReason
    package let note: String?

    package init(_ fields: FieldReader) {
        let variant = fields.id("variant_id", of: Variant.self)
        if fields.value("variant_id") == nil { fields.fault("variant_id", "is required") }
        self.variant = variant ?? .zero
        location = fields.id("location_id")
        let delta = fields.integer("quantity_delta", in: -Self.most...Self.most)
        if fields.value("quantity_delta") == nil { fields.fault("quantity_delta", "is required") }
        self.delta = delta ?? 0
        reason = fields.choice("reason", of: Reason.self)?.ledger ?? .adjustment
        note = fields.string("note", upTo: 500)
    }

    /// Several adjustments, which happen all or not at all.
    package static func list(_ fields: FieldReader) -> [AdjustmentRequest] {
        let lines = fields.objects("adjustments", upTo: linesMost) { AdjustmentRequest($0) } ?? []
        if let given = fields.value("adjustments")?.array, given.isEmpty {
            fields.fault("adjustments", "must have at least one adjustment")
        }
        if fields.value("adjustments") == nil { fields.fault("adjustments", "is required") }
        return lines
    }
}

/// What a caller moves from one location to another.
package struct TransferRequest: Sendable {
    package let variant: VariantID
    package let from: LocationID
    package let to: LocationID
    package let quantity: Int64
    package let note: String?

    package init(_ fields: FieldReader) {
        func required<Kind>(_ name: String, _: Kind.Type) -> ID<Kind> {
            let id = fields.id(name, of: Kind.self)
            if fields.value(name) == nil { fields.fault(name, "is required") }
            return id ?? .zero
        }
        variant = required("variant_id", Variant.self)
        from = required("from_location_id", Location.self)
        to = required("to_location_id", Location.self)
        if from == to, from != .zero { fields.fault("to_location_id", "must be another location") }
        let quantity = fields.integer("quantity", in: 1...AdjustmentRequest.most)
        if fields.value("quantity") == nil { fields.fault("quantity", "is required") }
        self.quantity = quantity ?? 1
        note = fields.string("note", upTo: 500)
    }
}
