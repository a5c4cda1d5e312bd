import Kernel
import Storage

/// How long things are held: as each tenant has set it, and no longer than the operator allows.
package struct RetentionPolicy: Sendable {
    /// Seed 003's default.
    package static let daysDefault = 30
    /// What an operator allows who says nothing: three months of everybody's events must fit on the disk.
    package static let daysMostDefault = 90
    /// How long deduplication keys are held at least. No provider sends an event again after that long; the longest
    /// known is some days.
    static let keyDays = 60

    package let daysMost: Int

    package init(daysMost: Int = daysMostDefault) { self.daysMost = daysMost }

    /// The oldest instant that a tenant's events are held from.
    package func bound(of tenant: TenantID, now: Timestamp, in transaction: any Transaction) throws -> Timestamp {
        let days = try transaction.first(
            "SELECT retention_days FROM webhook_setting WHERE tenant_id = $1", [.id(tenant)]
        ) { Int($0.int(0)) }
        return now - .seconds(86_400 * min(days ?? Self.daysDefault, daysMost))
    }

    /// What is to be cleared out now.
    struct Bounds: Sendable {
        /// Older than this nobody holds anything.
        let all: Timestamp
        /// Tenants that hold less than that.
        let shorter: [TenantID: Timestamp]
    }

    func bounds(now: Timestamp, in transaction: any Transaction) throws -> Bounds {
        let set: [TenantID: Int] = Dictionary(
            try transaction.all("SELECT tenant_id, retention_days FROM webhook_setting") {
                ($0.id(0), Int($0.int(1)))
            }
        ) { first, _ in first }
        let longest = min(daysMost, max(Self.daysDefault, set.values.max() ?? 0))
        func bound(_ days: Int) -> Timestamp { now - .seconds(86_400 * min(days, daysMost)) }
        var shorter = set.filter { $0.value < longest }.mapValues(bound)
        if longest > Self.daysDefault {
            // Somebody holds more than usual, so that all the others are to be gone through one by one.
            for tenant in try transaction.all("SELECT id FROM tenant", [], { $0.id(0, of: Tenant.self) })
            where set[tenant] == nil {
                shorter[tenant] = bound(Self.daysDefault)
            }
        }
        return Bounds(all: bound(longest), shorter: shorter)
    }
}
