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
    var isReplay = false
    /// The entity within which its endpoint keeps the order.
    var orderedBy: ID<DomainEvent.Entity>?

    /// Retries and replays: they leave some slots to what has never been tried.
    var isLater: Bool { isReplay || attempts > 0 }

    /// Whether its lease outlasts a call that begins now. Under one that doesn't nothing is sent: by the time of the
    /// answer the delivery could belong to someone else, who will claim it when the lease ends.
    func outlastsCall(from now: Timestamp) -> Bool { leaseEnds > now + Dispatcher.callTime }

    /// Places that it takes up in memory: one, and one more for each 8 KiB of payload.
    var places: Int { Self.places(payloadBytes: event.payload.count) }

    static func places(payloadBytes: Int) -> Int { 1 + payloadBytes >> 13 }
}
