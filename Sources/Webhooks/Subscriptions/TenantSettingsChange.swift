import Events
import Kernel
import Storage

/// What a tenant wants to be different about its settings; members that are not named stay.
package struct TenantSettingsChange: Sendable {
    private let retentionDays: Int?
    private let maxSubscriptions: Int?
    private let maxRetryAttempts: Int?
    private let backoffSchedule: [Int]?
    private let failureThreshold: Int?
    private let failureWindow: Int?
    private let minDeliveriesForDisable: Int?

    /// A table of more attempts than this would outlive what it is to deliver.
    private static let attemptsMost = 20
    private static let dayInMinutes: Int64 = 1440

    package init(_ fields: FieldReader) {
        func number(_ name: String, _ range: ClosedRange<Int64>) -> Int? {
            fields.integer(name, in: range).map { Int($0) }
        }
        retentionDays = number("retention_days", 1...365)
        maxSubscriptions = number("max_subscriptions", 1...100)
        maxRetryAttempts = number("max_retry_attempts", 1...Int64(Self.attemptsMost))
        backoffSchedule = Self.backoff(fields)
        failureThreshold = number("failure_threshold", 1...100)
        failureWindow = number("failure_window", 1...168)
        minDeliveriesForDisable = number("min_deliveries_for_disable", 1...10_000)
    }

    private static func backoff(_ fields: FieldReader) -> [Int]? {
        guard let value = fields.value("backoff_schedule") else { return nil }
        guard let items = value.array, (1...attemptsMost).contains(items.count) else {
            fields.fault("backoff_schedule", "must be a list of 1 to \(attemptsMost) waits in minutes")
            return nil
        }
        if items.first?.integer != 0 {
            fields.fault(at: ["backoff_schedule", "0"], "must be 0: the first attempt is made at once")
        }
        return items.enumerated().compactMap { index, item in
            if let minutes = item.integer, (0...dayInMinutes).contains(minutes) { return Int(minutes) }
            fields.fault(
                at: ["backoff_schedule", String(index)], "must be a whole number from 0 to \(dayInMinutes)")
            return nil
        }
    }

    /// The settings with what is wanted.
    func applied(to old: TenantSettings) -> TenantSettings {
        var new = old
        new.retentionDays = retentionDays ?? old.retentionDays
        new.maxSubscriptions = maxSubscriptions ?? old.maxSubscriptions
        new.maxRetryAttempts = maxRetryAttempts ?? old.maxRetryAttempts
        new.backoffSchedule = backoffSchedule ?? old.backoffSchedule
        new.failureThreshold = failureThreshold ?? old.failureThreshold
        new.failureWindow = failureWindow ?? old.failureWindow
        new.minDeliveriesForDisable = minDeliveriesForDisable ?? old.minDeliveriesForDisable
        return new
    }
}

extension SubscriptionService {
    /// The tenant's settings, defaults where it has set none.
    package func settings(of tenant: TenantID) async throws -> TenantSettings {
        try await database.read { try TenantSettings.load(of: tenant, in: $0) }
    }

    /// Changes what is named, for all organisations of the tenant.
    package func changeSettings(_ change: TenantSettingsChange, of tenant: TenantID) async throws -> TenantSettings {
        let now = time.now()
        let changed = try await database.write { transaction in
            // The tenant's row is locked first, so that of two changes at once neither undoes the other's.
            try TenantLock.take(tenant, in: transaction)
            let changed = change.applied(to: try TenantSettings.load(of: tenant, in: transaction))
            try changed.store(for: tenant, now: now, in: transaction)
            return changed
        }
        directory.forgetAll()
        return changed
    }
}
