import Events
import Kernel

/// What a caller's wishes are judged by: where calls may go, and which event types there are for its tenant.
package struct SubscriptionRules: Sendable {
    package let policy: EgressPolicy
    package let names: EventNames

    package init(policy: EgressPolicy, names: EventNames = .catalogue) {
        self.policy = policy
        self.names = names
    }
}

/// The event types that tenants have registered themselves. Until something asks the store, there are none.
package struct OwnEventTypes: Sendable {
    /// Names of one tenant's own types.
    package let names: @Sendable (TenantID) async throws -> [String]

    package init(names: @escaping @Sendable (TenantID) async throws -> [String] = { _ in [] }) {
        self.names = names
    }
}
