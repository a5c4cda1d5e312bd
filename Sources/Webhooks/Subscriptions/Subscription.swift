import Events
import Kernel

package typealias SubscriptionID = ID<Subscription>

/// Where a tenant's events of some types go.
package struct Subscription: Sendable {
    package enum Status: String, Sendable, CaseIterable {
        case active
        case disabled
    }

    /// What its secrets are.
    package enum Signature: String, Sendable, CaseIterable {
        /// Shared: both sides can sign.
        case hmac
        /// Key pairs: only we can sign.
        case ed25519
    }

    package let id: SubscriptionID
    package let scope: Scope
    package internal(set) var url: String
    package internal(set) var patterns: [EventPattern]
    /// The name of an entry of `ProfileCatalog`.
    package internal(set) var profile: String
    package internal(set) var payloadMode: PayloadMode
    /// Of the newest secret; older ones that are still live may differ.
    package internal(set) var signature: Signature
    /// Headers that the subscriber wants with each delivery, such as an authorization of its own.
    package internal(set) var headers: [Header]
    package internal(set) var description: String?
    /// In place of the profile's retries.
    package internal(set) var retry: RetryOverride?
    /// Deliveries a second at most.
    package internal(set) var rateLimit: Int?
    /// Calls at once at most.
    package internal(set) var maxInFlight: Int?
    /// Whether deliveries about one entity keep the order of their events.
    package internal(set) var isOrdered: Bool
    /// Which events of the wanted types are taken; nil for all.
    package internal(set) var filter: EventFilter?
    package internal(set) var status: Status
    /// Why it is disabled, in a sentence; nil while it is active.
    package internal(set) var statusReason: String?
    package let createdAt: Timestamp
    package internal(set) var updatedAt: Timestamp

    /// A header by name and value. The value is never shown again: it may be a credential.
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: Secret

        package init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    /// Whether the event is of its organisation and of a type that it asks for; the tenant is the caller's to match.
    package func wants(_ event: DomainEvent) -> Bool {
        event.scope.organisation == scope.organisation && patterns.contains { $0.matches(event.type) }
    }
}
