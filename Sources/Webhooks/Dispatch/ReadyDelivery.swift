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
///
/// A class, because ten thousand calls under way each hold it in several frames of their task, and an event in each of
/// those would be kilobytes.
final class ReadyDelivery: Sendable {
    let id: DeliveryID
    let tenant: TenantID
    let subscription: SubscriptionID
    let event: DomainEvent
    /// Attempts made before.
    let attempts: Int
    /// The number of the claim, which every later write has to show; `OwnLeases.claim` for a lease in memory.
    let claim: Int64
    let leaseEnds: Timestamp
    let createdAt: Timestamp
    /// The replay that it is of.
    let replay: ReplayID?
    /// The entity within which its endpoint keeps the order.
    let orderedBy: ID<DomainEvent.Entity>?
    /// Whoever sends it before it has a row, and is told when it has one: its row comes with the first attempt.
    let sending: ReplaySending?

    init(
        id: DeliveryID, tenant: TenantID, subscription: SubscriptionID, event: DomainEvent, attempts: Int,
        claim: Int64, leaseEnds: Timestamp, createdAt: Timestamp, replay: ReplayID? = nil,
        orderedBy: ID<DomainEvent.Entity>? = nil, sending: ReplaySending? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.subscription = subscription
        self.event = event
        self.attempts = attempts
        self.claim = claim
        self.leaseEnds = leaseEnds
        self.createdAt = createdAt
        self.replay = replay
        self.orderedBy = orderedBy
        self.sending = sending
    }

    /// One that was never tried, for an event that is written now or sent once more.
    ///
    /// - Parameters:
    ///   - isOrdered: as the subscription is set: it then waits for earlier ones of its entity.
    ///   - claim: the number of the process that may hold it from its birth on.
    convenience init(
        new id: DeliveryID, of event: DomainEvent, to subscription: SubscriptionID, isOrdered: Bool, claim: Int64,
        replay: ReplayID? = nil, now: Timestamp
    ) {
        self.init(
            id: id, tenant: event.scope.tenant, subscription: subscription, event: event, attempts: 0, claim: claim,
            leaseEnds: now + Dispatcher.lease, createdAt: now, replay: replay,
            orderedBy: isOrdered ? event.entity.id : nil)
    }

    /// Whether it has no row yet. A replay's turn has its events for itself, so that none is needed to lease it.
    var isUnwritten: Bool { sending != nil }

    /// Whether no row of its own tells of its lease.
    var isLeasedInMemory: Bool { claim == OwnLeases.claim || isUnwritten }

    /// Retries and replays: they leave some slots to what has never been tried.
    var isLater: Bool { replay != nil || attempts > 0 }

    /// Whether its lease outlasts a call that begins now. Under one that doesn't nothing is sent: by the time of the
    /// answer the delivery could belong to someone else, who will claim it when the lease ends.
    func outlastsCall(from now: Timestamp) -> Bool { leaseEnds > now + Dispatcher.callTime }

    /// Places that it takes up in memory: one, and one more for each 8 KiB of payload.
    var places: Int { Self.places(payloadBytes: event.payload.count) }

    static func places(payloadBytes: Int) -> Int { 1 + payloadBytes >> 13 }
}
