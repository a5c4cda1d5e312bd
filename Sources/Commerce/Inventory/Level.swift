import Events
import Kernel

/// How many pieces of a variant a location has.
package struct Level: Sendable, Equatable {
    package let id: ID<Level>
    package let scope: Scope
    package let variant: VariantID
    package let sku: String?
    package let location: LocationID
    package let balance: Balance
    /// The level's own; nil where the tenant's default holds.
    package let ownThreshold: Int64?
    /// The threshold that counts.
    package let threshold: Int64
    package let updatedAt: Timestamp

    package var isLow: Bool { balance.available <= threshold }
}

/// The two numbers of a level. What is not promised to an order is available; below zero it is oversold.
package struct Balance: Hashable, Sendable {
    package var onHand: Int64
    package var reserved: Int64

    package init(onHand: Int64 = 0, reserved: Int64 = 0) {
        self.onHand = onHand
        self.reserved = reserved
    }

    package var available: Int64 { onHand - reserved }

    static func + (a: Balance, b: Balance) -> Balance {
        Balance(onHand: a.onHand + b.onHand, reserved: a.reserved + b.reserved)
    }

    static func += (a: inout Balance, b: Balance) { a = a + b }

    static func - (a: Balance, b: Balance) -> Balance {
        Balance(onHand: a.onHand - b.onHand, reserved: a.reserved - b.reserved)
    }
}

/// Which level a move concerns.
struct LevelKey: Hashable, Comparable, Sendable {
    let tenant: TenantID
    let variant: VariantID
    let location: LocationID

    static func < (a: LevelKey, b: LevelKey) -> Bool {
        (a.tenant, a.variant, a.location) < (b.tenant, b.variant, b.location)
    }
}

/// What a tenant has set for its stock (the names and the two words are Synq's tenant settings).
package struct InventorySettings: Sendable, Equatable {
    package enum Allocation: String, Sendable, CaseIterable {
        /// What would go below zero is refused, unless it has happened already: an imported order is flagged instead.
        case hard = "HARD"
        /// Levels may go below zero.
        case soft = "SOFT"
    }

    package var allocation: Allocation
    /// Holds for levels without a threshold of their own: at or below it they are low.
    package var lowStockThreshold: Int64

    package static let standard = InventorySettings(allocation: .soft, lowStockThreshold: 0)

    package init(allocation: Allocation, lowStockThreshold: Int64) {
        self.allocation = allocation
        self.lowStockThreshold = lowStockThreshold
    }

    /// Both have to be given: settings are replaced as a whole.
    package init(_ fields: FieldReader) {
        let allocation = fields.choice("inventory_allocation_model", of: Allocation.self)
        if fields.value("inventory_allocation_model") == nil {
            fields.fault("inventory_allocation_model", "is required")
        }
        let threshold = fields.integer("default_low_stock_threshold", in: 0...AdjustmentRequest.most)
        if fields.value("default_low_stock_threshold") == nil {
            fields.fault("default_low_stock_threshold", "is required")
        }
        self.init(allocation: allocation ?? .soft, lowStockThreshold: threshold ?? 0)
    }
}
