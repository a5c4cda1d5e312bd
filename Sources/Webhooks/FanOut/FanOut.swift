import Events
import Kernel
import Storage

/// Writes the deliveries of new events: one for each active subscription whose patterns match.
struct FanOut: Sendable {
    let ids: IDGenerator
    /// Takes some of the new deliveries at once; without one all of them wait to be fetched.
    let dispatcher: Dispatcher?
    private let filters = FilterCache()

    init(ids: IDGenerator, dispatcher: Dispatcher?) {
        self.ids = ids
        self.dispatcher = dispatcher
    }

    /// Records events, their place in the feed and their deliveries, in at most five statements whatever their number.
    ///
    /// Returns the deliveries that are born leased to this process, and the endpoints that have to fetch theirs when
    /// they have room, to be offered to the dispatcher after the commit.
    func record(_ events: [DomainEvent], now: Timestamp, in transaction: any Transaction) throws -> NewDeliveries {
        var new = NewDeliveries()
        if events.isEmpty { return new }
        try EventStore.insert(events, in: transaction)
        let subscriptions = try SubscriptionStore.active(forTenants: Set(events.map(\.scope.tenant)), in: transaction)
        if subscriptions.isEmpty { return new }
        var rows = DeliveryStore.newRows()
        var gate = FilterGate(filters)
        var room = dispatcher?.room(for: subscriptions.values.joined()) ?? Room(left: 0)
        for event in events {
            for target in subscriptions[event.scope.tenant] ?? [] where target.wants(event) {
                let isTaken = try gate.takes(event, for: target)
                let delivery = ReadyDelivery(
                    new: ids.next(), of: event, to: target.id, isOrdered: isTaken && target.isOrdered,
                    claim: dispatcher?.claim ?? 0, now: now)
                if isTaken {
                    new.add(delivery, room: &room, now: now, to: &rows)
                } else {
                    // Kept, so that its absence at the endpoint can be explained.
                    DeliveryStore.append(delivery, .skipped(reason: FilterGate.reason), now: now, to: &rows)
                }
            }
        }
        try DeliveryStore.insert(rows, in: transaction)
        return new
    }
}
