import Events
import Kernel
import Storage

extension SubscriptionService {
    /// Where the events of test deliveries say that they come from.
    package static let testSource = "test"

    /// Sends the example of an event type to one subscription, as a delivery like any other: signed, retried, kept.
    ///
    /// Nothing happened, so the event is neither in the feed nor sent to anybody else, and its patterns and filter are
    /// not asked.
    package func sendTest(
        _ request: TestRequest, to id: SubscriptionID, scope: Scope, actor: Actor
    ) async throws -> DeliveryID {
        let now = time.now()
        let (ids, dispatcher) = (ids, dispatcher)
        let event = request.event(id: ids.next(), at: now, scope: scope, actor: actor, subscription: id)
        let (delivery, new) = try await database.write { transaction in
            guard let stored = try SubscriptionStore.fetch(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("subscription")
            }
            guard stored.status == .active else {
                throw Refusal.conflict("The subscription is disabled: activate it before testing it.")
            }
            try EventStore.insertUnfed([event], in: transaction)
            var room = dispatcher.room(for: [(id, scope.tenant)])
            let delivery = ReadyDelivery(
                id: ids.next(), tenant: scope.tenant, subscription: id, event: event, attempts: 0,
                claim: dispatcher.claim, leaseEnds: now + Dispatcher.lease, createdAt: now,
                orderedBy: stored.isOrdered ? event.entity.id : nil)
            var rows = DeliveryStore.newRows()
            var new = NewDeliveries()
            new.add(delivery, isOrdered: stored.isOrdered, room: &room, now: now, to: &rows)
            try DeliveryStore.insert(rows, in: transaction)
            return (delivery.id, new)
        }
        dispatcher.offer(new)
        return delivery
    }
}

/// Which event a test delivery is to show.
package struct TestRequest: Sendable {
    private let type: any EventType.Type

    package init(_ fields: FieldReader) {
        let name = fields.string("event_type", upTo: 80) ?? WebhookTest.name
        type = EventCatalog.type(named: name) ?? WebhookTest.self
        if type.name != name {
            fields.fault(
                "event_type",
                "\"\(name)\" has no example to send; the nearest that has is \(EventNames.catalogue.nearest(to: name))")
        }
    }

    func event(
        id: EventID, at now: Timestamp, scope: Scope, actor: Actor, subscription: SubscriptionID
    ) -> DomainEvent {
        let example: any EventType =
            type is WebhookTest.Type ? WebhookTest(subscription: subscription.cast(), requestedAt: now) : type.example
        return example.occurred(
            id: id, at: now, scope: scope, actor: actor, source: SubscriptionService.testSource, causation: nil)
    }
}
