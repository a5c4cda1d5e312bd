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
