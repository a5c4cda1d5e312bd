import Events
import Kernel

package typealias SubscriptionID = ID<Subscription>

/// Where a tenant's events of some types go.
package struct Subscription: Sendable {
    package enum Status: String, Sendable, CaseIterable {
        case active
        case disabled
    }

    package let id: SubscriptionID
    package let scope: Scope
    package let url: String
    package let patterns: [EventPattern]
    /// The name of an entry of `ProfileCatalog`.
    package let profile: String
    package let payloadMode: PayloadMode
    /// Headers that the subscriber wants with each delivery, such as an authorization of its own.
    package let headers: [Header]
    package let description: String?
    /// In place of the profile's retries.
    package let retry: RetryOverride?
    /// Deliveries a second at most.
    package let rateLimit: Int?
    /// Calls at once at most.
    package let maxInFlight: Int?
    /// Whether deliveries about one entity keep the order of their events.
    package let isOrdered: Bool
    package let status: Status
    /// Why it is disabled, in a sentence; nil while it is active.
    package let statusReason: String?
    package let createdAt: Timestamp
    package let updatedAt: Timestamp

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
