import Events
import Kernel
import Storage

/// Writes deliveries of past events before they are sent.
struct ReplayFanOut: Sendable {
    let ids: IDGenerator
    let dispatcher: Dispatcher

    /// Adds one delivery for each event, in the order of the list. Those that find room are born leased to this
    /// process, the others wait until their endpoint has some.
    ///
    /// - Parameter isOrdered: as the subscription is set: each then waits for earlier ones of its entity.
    func record(
        _ events: [DomainEvent], of replay: ReplayID, to subscription: SubscriptionID, tenant: TenantID,
        isOrdered: Bool, now: Timestamp, in transaction: any Transaction
    ) throws -> NewDeliveries {
        var new = NewDeliveries()
        var rows = DeliveryStore.newRows()
        var room = try dispatcher.laterRoom(for: subscription, tenant, in: transaction)
        for event in events {
            let delivery = ReadyDelivery(
                new: ids.next(), of: event, to: subscription, isOrdered: isOrdered, claim: dispatcher.claim,
                replay: replay, now: now)
            new.add(delivery, room: &room, now: now, to: &rows)
        }
        try DeliveryStore.insert(rows, in: transaction)
        return new
    }

    /// The same by ids, for the events that are still there and are the tenant's.
    func record(
        _ events: [EventID], of replay: ReplayID, to subscription: SubscriptionID, tenant: TenantID, isOrdered: Bool,
        now: Timestamp, in transaction: any Transaction
    ) throws -> NewDeliveries {
        let found = try EventStore.fetch(Set(events), in: transaction)
        return try record(
            events.compactMap { found[$0] }.filter { $0.scope.tenant == tenant }, of: replay, to: subscription,
            tenant: tenant, isOrdered: isOrdered, now: now, in: transaction)
    }
}
