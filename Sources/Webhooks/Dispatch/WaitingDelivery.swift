import Events
import Kernel
import Storage

/// A delivery as a claim finds it: what decides whether there is room for it, and not yet its event.
struct WaitingDelivery: Sendable {
    let id: DeliveryID
    let tenant: TenantID
    let subscription: SubscriptionID
    let event: EventID
    let attempts: Int
    let createdAt: Timestamp
    let replay: ReplayID?
    let orderedBy: ID<DomainEvent.Entity>?

    /// The columns that `decode` reads, for a statement that calls the table `delivery`.
    static let columns = """
        delivery.id, delivery.tenant_id, delivery.subscription_id, delivery.event_id, delivery.attempts,
        delivery.created_at, delivery.replay_id, delivery.ordered_by
        """

    static func decode(_ row: any Row) -> WaitingDelivery {
        WaitingDelivery(
            id: row.id(0), tenant: row.id(1), subscription: row.id(2), event: row.id(3), attempts: Int(row.int(4)),
            createdAt: row.time(5), replay: row.idOrNil(6), orderedBy: row.idOrNil(7))
    }

    func ready(_ event: DomainEvent, _ lease: Claim) -> ReadyDelivery {
        ReadyDelivery(
            id: id, tenant: tenant, subscription: subscription, event: event, attempts: attempts, claim: lease.number,
            leaseEnds: lease.ends, createdAt: createdAt, replay: replay, orderedBy: orderedBy)
    }
}

/// One claim's number and lease.
///
/// The store keeps the lease by the store's clock, the holder by its own, so that clocks which differ don't make every
/// lease look over.
struct Claim: Sendable {
    let number: Int64
    let duration: Duration
    /// By the process's own clock, counted from before the claim.
    let ends: Timestamp

    init(number: Int64, duration: Duration, now: Timestamp) {
        self.init(number: number, duration: duration, ends: now + duration)
    }

    init(number: Int64, duration: Duration, ends: Timestamp) {
        self.number = number
        self.duration = duration
        self.ends = ends
    }

    /// A lease that is kept in memory where no other process has the store: it lasts as long as its holder says.
    static let inMemory = Claim(number: OwnLeases.claim, duration: .zero, ends: .never)
}
