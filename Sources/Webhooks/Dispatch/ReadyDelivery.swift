import Events
import Kernel

/// The kind of `DeliveryID`: one event for one subscription.
package enum Delivery {
    /// A request to send past events again.
    package enum Replay {}
}
package typealias DeliveryID = ID<Delivery>
package typealias ReplayID = ID<Delivery.Replay>

/// A delivery that this process has leased: it may be sent until the lease ends.
struct ReadyDelivery: Sendable {
    let id: DeliveryID
    let tenant: TenantID
    let subscription: SubscriptionID
    let event: DomainEvent
    /// Attempts made before.
    let attempts: Int
    /// The number of the claim, which every later write has to show.
    let claim: Int64
    let leaseEnds: Timestamp
    let createdAt: Timestamp
}
