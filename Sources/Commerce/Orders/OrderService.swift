import Events
import Kernel
import Storage
import Webhooks

/// What callers can read of orders and place themselves; what happens to an order later is in `OrderService+Life`.
package struct OrderService: Sendable {
    let publisher: EventPublisher
    let ids: IDGenerator

    package init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        self.ids = ids
    }

    // MARK: Reading

    /// A page of orders by their ids, which is the order in which they came here.
    package func list(_ query: OrderQuery, scope: Scope) async throws -> [Order] {
        let (condition, arguments) = query.condition(scope)
        return try await publisher.database.read {
            try OrderStore.orders(where: condition, arguments, in: $0)
        }
    }

    /// An order with what led to its present state.
    package struct Story: Sendable {
        package let order: Order
        /// The newest of the order's events, oldest first.
        package let timeline: [DomainEvent]
        /// The newest notes on it, oldest first.
        package let notes: [OrderNote]
        /// What was sent and what came back, oldest first.
        package let parcels: [Parcel]
        /// The delivery that the stored state came with, byte for byte; nil if not asked for, or no longer kept.
        package let sourcePayload: [UInt8]?
    }

    /// Events and notes of one answer: whoever opens an order wants to know what happened last, and hardly an order has
    /// that many.
    private static let storyMost = 200

    /// One order with its story; `withSource` adds the source's own bytes, which hold personal data.
    package func require(_ id: OrderID, scope: Scope, withSource: Bool) async throws -> Story {
        let found = try await publisher.database.read { transaction -> Story? in
            guard let order = try OrderStore.fetch(id, scope: scope, in: transaction) else { return nil }
            let payload = withSource ? try OrderStore.sourcePayload(of: order, in: transaction) : nil
            return Story(
                order: order,
                timeline: try EventStore.timeline(of: id, scope: scope, limit: Self.storyMost, in: transaction),
                notes: try OrderNoteStore.list(
                    of: id, tenant: scope.tenant, limit: Self.storyMost, in: transaction),
                parcels: try ParcelStore.list(of: id, tenant: scope.tenant, in: transaction),
                sourcePayload: payload)
        }
        guard let found else { throw Refusal.notFound("order") }
        return found
    }

    /// The money of an order, which the amounts of a change to it are read in.
    package func currency(of id: OrderID, scope: Scope) async throws -> Currency {
        let order = try await publisher.database.read { try OrderStore.fetch(id, scope: scope, in: $0) }
        guard let order else { throw Refusal.notFound("order") }
        return order.currency
    }

    // MARK: Placing

    /// Places an order. The same key again gives the order that the first call made, and changes nothing.
    package func place(_ new: NewOrder, scope: Scope, actor: Actor) async throws -> (order: Order, isNew: Bool) {
        let id: OrderID = ids.next()
        // A prefix of its own keeps callers' keys apart from those of imports.
        let key = OrderStore.Key(tenant: scope.tenant, text: "api:\(new.idempotencyKey)")
        return try await publisher.writeAgainAfterDuplicate { transaction, events in
            if let stored = try OrderStore.lock([key], in: transaction)[key] {
                guard stored.scope == scope else {
                    throw Refusal.conflict("The idempotency key is used by another organisation of the tenant.")
                }
                return (stored, false)
            }
            let order = try build(new, id: id, key: key, scope: scope, now: events.now, in: transaction)
            events.append(OrderCreated(order: order.payload), scope: scope, actor: actor, source: "api")
            var changes = [
                OrderStock.Change(
                    old: nil, new: order, origin: MoveOrigin(actor: actor, source: "api"), isRefusable: true)
            ]
            try OrderStock(ids: ids).settle(&changes, events: events, in: transaction)
            try OrderStore.insert(changes.map(\.new), in: transaction)
            if !order.tags.isEmpty {
                try OrderNoteStore.setTags(order.tags, of: id, tenant: scope.tenant, in: transaction)
            }
            if let note = new.note {
                try write(note, on: id, scope: scope, actor: actor, now: events.now, in: transaction)
            }
            return (changes[0].new, true)
        }
    }

    private func build(
        _ new: NewOrder, id: OrderID, key: OrderStore.Key, scope: Scope, now: Timestamp,
        in transaction: any Transaction
    ) throws -> Order {
        let snapshot = new.snapshot(now: now)
        if let customer = new.customerID {
            let known = try transaction.first(
                "SELECT 1 FROM customer WHERE id = $1 AND tenant_id = $2 AND org_id = $3 AND deleted_at IS NULL",
                [.id(customer), .id(scope.tenant), .id(scope.organisation)]
            ) { _ in true }
            if known == nil { throw Refusal.notFound("customer", at: ["/customer_id"]) }
        }
        let arrival = OrderMerge.Arrival(
            id: id, scope: scope, idempotencyKey: key.text, connection: nil, channel: new.channel,
            sourcePlatform: "api", inbox: nil, snapshot: snapshot,
            matches: try matches(of: new.items, in: "items", scope: scope, in: transaction),
            customer: new.customerID)
        guard case .create(var order) = OrderMerge.decide(arrival, stored: nil, now: now) else {
            throw StorageError(.misuse, "a snapshot without a stored order makes one")
        }
        // Only where it is known whose the stock is: an unmatched line takes the default once it is matched.
        for (index, item) in new.items.enumerated() where order.lines[index].variant != nil {
            order.lines[index].location = item.location
        }
        order.tags = new.tags
        return order
    }

    /// What items that a caller wrote are; those written by hand are nothing of the catalogue.
    ///
    /// A store tells what it has sold, whether or not we know it. A caller names a variant of ours: where there is none
    /// of that id the call is refused, and no SKU is taken in its place.
    ///
    /// - Parameter field: the name of the list in the body.
    func matches(
        of items: [OrderItem], in field: String, scope: Scope, in transaction: any Transaction
    ) throws -> [MatchedVariant] {
        let questions = items.map { item in
            LineQuestion(tenant: scope.tenant, connection: nil, itemID: item.variant?.description, sku: item.sku)
        }
        let matcher = try LineMatcher(Set(questions), in: transaction)
        let matches = questions.map(matcher.match)
        let unknown = items.indices.filter { items[$0].variant != nil && matches[$0].how != .item }
        if !unknown.isEmpty {
            throw Refusal.notFound("variant", at: unknown.map { "/\(field)/\($0)/variant_id" })
        }
        return matches
    }

    func write(
        _ note: String, on id: OrderID, scope: Scope, actor: Actor, now: Timestamp, in transaction: any Transaction
    ) throws {
        try OrderNoteStore.insert(
            OrderNote(id: ids.next(), text: note, author: actor, createdAt: now), of: id, tenant: scope.tenant,
            in: transaction)
    }
}
