import Kernel
import Storage

/// What a transaction leaves for the dispatcher, to be offered to it after the commit.
struct NewDeliveries: Sendable {
    /// Born leased to this process.
    var ready: [ReadyDelivery] = []
    /// Endpoints for which deliveries were held back.
    var backlogs: [SubscriptionID: TenantID] = [:]

    var isEmpty: Bool { ready.isEmpty && backlogs.isEmpty }
}

extension NewDeliveries {
    /// Adds a delivery to the rows: leased to this process where the endpoint has room, else held back for whoever
    /// fetches for it. An ordered endpoint always fetches: only the store knows whether an earlier delivery of the same
    /// entity is still under way somewhere.
    mutating func add(
        _ delivery: ReadyDelivery, room: inout Room, now: Timestamp, to rows: inout RowBatch
    ) {
        if delivery.orderedBy == nil, room.take(delivery.subscription, delivery.tenant, places: delivery.places) {
            DeliveryStore.append(delivery, .leased, now: now, to: &rows)
            ready.append(delivery)
        } else {
            DeliveryStore.append(delivery, .heldBack, now: now, to: &rows)
            backlogs[delivery.subscription] = delivery.tenant
        }
    }
}
