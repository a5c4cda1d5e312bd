import Kernel

/// How far the leases in memory of what a dispatcher fetches from a backlog are its own affair.
package enum LeaseKeeping: Sendable {
    /// Other processes have the store too: a backlog is leased there as a whole, for as long as parts of it are here.
    case amongCopies
    /// No other process has the store: a server that starts anew finds everything due that the one before it held.
    case alone
}

/// What callers are told of leases in memory: a delivery that is leased is being delivered. Of what another copy has
/// leased nothing is known here, and it is said to be pending.
package struct LeasesInMemory: Sendable {
    let held: @Sendable (SubscriptionID) -> Set<DeliveryID>
    /// Whether rows alone don't tell what is leased.
    let isUsed: Bool

    init(isUsed: Bool = true, _ held: @escaping @Sendable (SubscriptionID) -> Set<DeliveryID>) {
        self.isUsed = isUsed
        self.held = held
    }

    /// Every lease stands in its row.
    package static let none = LeasesInMemory(isUsed: false) { _ in [] }

    func count(of subscription: SubscriptionID) -> Int { held(subscription).count }

    func contains(_ delivery: DeliveryID, of subscription: SubscriptionID) -> Bool {
        held(subscription).contains(delivery)
    }
}

/// The leases of one endpoint's deliveries that are kept in memory. Their rows still wait in the backlog, where the
/// next fetch has to pass them over.
struct OwnLeases: Sendable, Equatable {
    /// The claim number of a lease in memory: what a row says that nobody has leased.
    static let claim: Int64 = 0

    private(set) var held: Set<DeliveryID> = []
    /// Leases that go on without a call, until then.
    private var resting: [DeliveryID: Timestamp] = [:]

    var isEmpty: Bool { held.isEmpty }

    mutating func begin(_ delivery: DeliveryID) { held.insert(delivery) }

    /// Its row says what became of it, or it may be fetched again.
    mutating func end(_ delivery: DeliveryID) {
        held.remove(delivery)
        if !resting.isEmpty { resting[delivery] = nil }
    }

    /// It could not be sent, or not be written down: not again before `time`.
    mutating func rest(_ delivery: DeliveryID, until time: Timestamp) {
        if held.contains(delivery) { resting[delivery] = time }
    }

    mutating func endRested(now: Timestamp) {
        if resting.isEmpty { return }
        for (delivery, time) in resting where time <= now { end(delivery) }
    }
}
