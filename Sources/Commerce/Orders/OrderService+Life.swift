import Events
import Kernel
import Storage
import Webhooks

extension OrderService {
    /// Moves an order to another state, if there is such a move.
    package func move(
        _ id: OrderID, to next: OrderStatus, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Order {
        try await change(id, ifMatch, scope: scope, actor: actor) { order, _, _ in
            try order.move(to: next)
            return ["status"]
        }
    }

    /// Changes lines, tags and notes. Nothing is written where nothing differs.
    package func edit(
        _ id: OrderID, _ edit: OrderEdit, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Order {
        try await change(id, ifMatch, scope: scope, actor: actor) { order, events, transaction in
            let matches = try matches(of: edit.newItems, in: "add_lines", scope: scope, in: transaction)
            let names = try order.edit(edit, matches: matches)
            if names.contains("tags") {
                try OrderNoteStore.setTags(order.tags, of: id, tenant: scope.tenant, in: transaction)
            }
            if let note = edit.note {
                try write(note, on: id, scope: scope, actor: actor, now: events.now, in: transaction)
            }
            return names
        }
    }

    /// Adds a note to the order's timeline.
    package func add(
        note: String, to id: OrderID, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Order {
        try await change(id, ifMatch, scope: scope, actor: actor) { _, events, transaction in
            try write(note, on: id, scope: scope, actor: actor, now: events.now, in: transaction)
            return ["notes"]
        }
    }

    // MARK: Parcels and refunds

    /// Records a fulfilment or a return. A parcel that is known under its external id is answered and changes nothing,
    /// whatever version is meant: whoever repeats the call that told of it names the version before it.
    package func record(
        _ request: ParcelRequest, on id: OrderID, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> (order: Order, parcel: Parcel, isNew: Bool) {
        let parcelID: ID<Parcel> = ids.next()
        return try await write { transaction, events in
            var order = try lock(id, scope, in: transaction)
            let known = try ParcelStore.list(of: id, tenant: scope.tenant, in: transaction)
            if let external = request.externalID,
                let parcel = known.first(where: { $0.kind == request.kind && $0.externalID == external })
            {
                return (order, parcel, false)
            }
            try ifMatch.require(order.version)
            let before = order
            let lines = try request.kind == .fulfilment ? order.send(request) : order.takeBack(request)
            let parcel = request.parcel(parcelID, lines: lines, now: events.now)
            try ParcelStore.insert(parcel, of: id, tenant: scope.tenant, in: transaction)
            let list = request.kind == .fulfilment ? "fulfilments" : "returns"
            let names = (order.status == before.status ? [] : ["status"]) + ["line_items", list]
            try finish(&order, before, names, actor: actor, events: events, in: transaction)
            return (order, parcel, true)
        }
    }

    /// Gives money back. A refund that is known under its id is answered and changes nothing, as a known parcel is.
    package func refund(
        _ id: OrderID, _ refund: RefundRequest, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> (order: Order, isNew: Bool) {
        try await write { transaction, events in
            var order = try lock(id, scope, in: transaction)
            let before = order
            if order.known(refund) == nil { try ifMatch.require(order.version) }
            guard try order.refund(refund) != nil else { return (order, false) }
            let names = (order.status == before.status ? [] : ["status"]) + ["refunded_total"]
            try finish(&order, before, names, actor: actor, events: events, in: transaction)
            return (order, true)
        }
    }

    // MARK: Parts

    private func write<T: Sendable>(
        _ body: @escaping @Sendable (any Transaction, EventBuffer) throws -> T
    ) async throws -> T {
        try await publisher.writeAgainAfterDuplicate(.interactive, body)
    }

    /// Locks an order, lets `body` change it, and writes and tells what it names; for no names nothing is written.
    private func change(
        _ id: OrderID, _ match: VersionMatch, scope: Scope, actor: Actor,
        _ body: @escaping @Sendable (inout Order, EventBuffer, any Transaction) throws -> [String]
    ) async throws -> Order {
        try await write { transaction, events in
            var order = try lock(id, scope, in: transaction)
            try match.require(order.version)
            let before = order
            let names = try body(&order, events, transaction)
            if names.isEmpty { return order }
            try finish(&order, before, names, actor: actor, events: events, in: transaction)
            return order
        }
    }

    private func lock(_ id: OrderID, _ scope: Scope, in transaction: any Transaction) throws -> Order {
        guard let order = try OrderStore.lock(id, scope: scope, in: transaction) else {
            throw Refusal.notFound("order")
        }
        return order
    }

    private func finish(
        _ order: inout Order, _ before: Order, _ names: [String], actor: Actor, events: EventBuffer,
        in transaction: any Transaction
    ) throws {
        order.version += 1
        order.updatedAt = events.now
        events.append(
            OrderUpdated(order: order.payload, changed: names), scope: order.scope, actor: actor, source: "api")
        var changes = [
            OrderStock.Change(
                old: before, new: order, origin: MoveOrigin(actor: actor, source: "api"), isRefusable: true)
        ]
        try OrderStock(ids: ids).settle(&changes, events: events, in: transaction)
        order = changes[0].new
        try OrderStore.update([order], in: transaction)
    }
}
