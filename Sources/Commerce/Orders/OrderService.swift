import Events
import Kernel
import Storage
import Webhooks

/// What callers can do with orders.
package struct OrderService: Sendable {
    /// Which orders a list is asked for.
    package struct Query: Sendable {
        package var after: OrderID?
        package var limit: Int
        package var status: OrderStatus?
        package var channel: String?
        /// Only orders that changed at or after this instant.
        package var since: Timestamp?

        package init(after: OrderID?, limit: Int, status: OrderStatus?, channel: String?, since: Timestamp?) {
            self.after = after
            self.limit = limit
            self.status = status
            self.channel = channel
            self.since = since
        }
    }

    private let publisher: EventPublisher
    private let ids: IDGenerator

    package init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        self.ids = ids
    }

    /// A page of orders by their ids, which is the order in which they came here.
    package func list(_ query: Query, scope: Scope) async throws -> [Order] {
        var arguments: [SQLValue] = [.id(scope.tenant), .id(scope.organisation), .id(query.after ?? .zero)]
        var condition = "o.tenant_id = $1 AND o.org_id = $2 AND o.id > $3"
        func narrow(_ column: String, _ comparison: String, _ value: SQLValue?) {
            guard let value else { return }
            arguments.append(value)
            condition += " AND o.\(column) \(comparison) $\(arguments.count)"
        }
        narrow("status", "=", query.status.map { .text($0.rawValue) })
        narrow("channel", "=", query.channel.map { .text($0) })
        narrow("updated_at", ">=", query.since.map { .time($0) })
        arguments.append(.int(query.limit))
        condition += " ORDER BY o.id LIMIT $\(arguments.count)"
        let (wanted, values) = (condition, arguments)
        return try await publisher.database.read { try OrderStore.orders(where: wanted, values, in: $0) }
    }

    /// An order with what led to its present state.
    package struct Story: Sendable {
        package let order: Order
        /// The order's events, oldest first, at most 200.
        package let timeline: [DomainEvent]
        /// The delivery that the stored state came with, byte for byte; nil if not asked for, or no longer kept.
        package let sourcePayload: [UInt8]?
    }

    /// One order with its story; `withSource` adds the source's own bytes, which hold personal data.
    package func require(_ id: OrderID, scope: Scope, withSource: Bool) async throws -> Story {
        let found = try await publisher.database.read { transaction -> Story? in
            guard let order = try OrderStore.fetch(id, scope: scope, in: transaction) else { return nil }
            let payload = withSource ? try OrderStore.sourcePayload(of: order, in: transaction) : nil
            return Story(
                order: order, timeline: try EventStore.timeline(of: id, scope: scope, limit: 200, in: transaction),
                sourcePayload: payload)
        }
        guard let found else { throw Refusal.notFound("order") }
        return found
    }

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
            let snapshot = new.snapshot(now: events.now)
            let questions = snapshot.lines.map { line in
                LineQuestion(tenant: scope.tenant, connection: nil, itemID: line.itemID, sku: line.sku)
            }
            let matcher = try LineMatcher(Set(questions), in: transaction)
            let arrival = OrderMerge.Arrival(
                id: id, scope: scope, idempotencyKey: key.text, connection: nil, channel: new.channel,
                sourcePlatform: "api", inbox: nil, snapshot: snapshot, matches: questions.map(matcher.match))
            guard case .create(let order) = OrderMerge.decide(arrival, stored: nil, now: events.now) else {
                throw StorageError(.misuse, "a snapshot without a stored order makes one")
            }
            try OrderStore.insert([order], in: transaction)
            events.append(OrderCreated(order: order.payload), scope: scope, actor: actor, source: "api")
            return (order, true)
        }
    }

    /// Moves an order to another state, if there is such a move.
    package func move(_ id: OrderID, to next: OrderStatus, scope: Scope, actor: Actor) async throws -> Order {
        try await publisher.write { transaction, events in
            guard var order = try OrderStore.lock(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("order")
            }
            let allowed = order.status.nextStates
            guard allowed.contains(next) else {
                let names = allowed.map(\.rawValue)
                throw Refusal.conflict(
                    "An order can't go from \(order.status.rawValue) to \(next.rawValue)"
                        + (names.isEmpty
                            ? "; its state is final." : "; it can go to \(names.joined(separator: ", "))."),
                    fields: [Refusal.Field("allowed", .array(names.map { .string($0) }))])
            }
            order.status = next
            order.version += 1
            order.updatedAt = events.now
            if next == .fulfilled {
                for index in order.lines.indices {
                    order.lines[index].quantityFulfilled = order.lines[index].quantityCurrent
                }
            }
            try OrderStore.update([order], in: transaction)
            events.append(
                OrderUpdated(order: order.payload, changed: ["status"]), scope: scope, actor: actor, source: "api")
            return order
        }
    }
}
