import Events
import Kernel
import Storage

extension SubscriptionService {
    /// Where the events of test deliveries say that they come from.
    package static let testSource = "test"

    /// The tenant's own types, whose examples can be sent too.
    package func ownTypes(of tenant: TenantID) async throws -> [OwnType] {
        try await database.read { try OwnTypeStore.list(tenant: tenant, in: $0) }
    }

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
                new: ids.next(), of: event, to: id, isOrdered: stored.isOrdered, claim: dispatcher.claim, now: now)
            var rows = DeliveryStore.newRows()
            var new = NewDeliveries()
            new.add(delivery, room: &room, now: now, to: &rows)
            try DeliveryStore.insert(rows, in: transaction)
            return (delivery.id, new)
        }
        dispatcher.offer(new)
        return delivery
    }
}

/// Which event a test delivery is to show.
package struct TestRequest: Sendable {
    private enum Example: Sendable {
        case ours(any EventType.Type)
        case own(OwnType, JSONObject)
    }

    private let example: Example

    /// - Parameter own: the types of the caller's tenant; one without an example can't be shown.
    package init(_ fields: FieldReader, own: [OwnType] = []) {
        let name = fields.string("event_type", upTo: 200) ?? WebhookTest.name
        if let type = EventCatalog.type(named: name) {
            example = .ours(type)
        } else if let type = own.first(where: { $0.name == name }), let payload = type.example?.object {
            example = .own(type, payload)
        } else {
            example = .ours(WebhookTest.self)
            let names = EventNames(own: own.filter { $0.example?.object != nil }.map(\.name))
            fields.fault(
                "event_type",
                "\"\(name.prefix(80))\" has no example to send; the nearest that has is \(names.nearest(to: name))")
        }
    }

    func event(
        id: EventID, at now: Timestamp, scope: Scope, actor: Actor, subscription: SubscriptionID
    ) -> DomainEvent {
        let source = SubscriptionService.testSource
        switch example {
        case .ours(let type):
            let shown: any EventType =
                type is WebhookTest.Type
                ? WebhookTest(subscription: subscription.cast(), requestedAt: now) : type.example
            return shown.occurred(id: id, at: now, scope: scope, actor: actor, source: source, causation: nil)
        case .own(let type, let payload):
            let sides = type.sides(of: payload)
            return DomainEvent(
                id: id, type: type.name, occurredAt: now, scope: scope, actor: actor,
                entity: DomainEvent.Entity(type: type.entityType, id: id), source: source, causation: nil,
                payload: sides.payload, withheld: sides.withheld)
        }
    }
}
