import Events
import Kernel
import Storage

/// Writes the deliveries of new events: one for each active subscription whose patterns match.
struct FanOut: Sendable {
    let ids: IDGenerator
    let dispatcher: Dispatcher
    private let filters = FilterCache()

    init(ids: IDGenerator, dispatcher: Dispatcher) {
        self.ids = ids
        self.dispatcher = dispatcher
    }

    /// Records events, their place in the feed and their deliveries, in at most six statements whatever their number.
    ///
    /// Returns the deliveries that are born leased to this process, to be offered to the dispatcher after the commit.
    /// The others are due at once for whoever claims them.
    func record(_ events: [DomainEvent], now: Timestamp, in transaction: any Transaction) throws -> [ReadyDelivery] {
        if events.isEmpty { return [] }
        try EventStore.insert(events, in: transaction)
        let subscriptions = try SubscriptionStore.active(forTenants: Set(events.map(\.scope.tenant)), in: transaction)
        if subscriptions.isEmpty { return [] }
        var rows = DeliveryStore.newRows()
        var ready: [ReadyDelivery] = []
        var room = dispatcher.room()
        var gate = FilterGate(filters)
        for event in events {
            for target in subscriptions[event.scope.tenant] ?? [] where target.wants(event) {
                guard try gate.takes(event, for: target) else {
                    gate.refuse(event, for: target, id: ids.next(), now: now)
                    continue
                }
                let delivery = ReadyDelivery(
                    id: ids.next(), tenant: event.scope.tenant, subscription: target.id, event: event, attempts: 0,
                    claim: dispatcher.claim, leaseEnds: now + Dispatcher.lease, createdAt: now)
                if room.take(target.id) {
                    DeliveryStore.append(delivery, leased: true, now: now, to: &rows)
                    ready.append(delivery)
                } else {
                    DeliveryStore.append(delivery, leased: false, now: now, to: &rows)
                }
            }
        }
        try DeliveryStore.insert(rows, in: transaction)
        try gate.store(in: transaction)
        return ready
    }
}
