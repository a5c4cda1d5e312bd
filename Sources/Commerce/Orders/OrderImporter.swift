import Events
import Kernel
import Storage
import Webhooks

/// One snapshot that is to be imported, and where it came from.
package struct ImportedSnapshot: Sendable {
    package let scope: Scope
    package let connection: ID<OrderSource>
    package let provider: String
    package let inbox: ID<OrderSource>
    package fileprivate(set) var snapshot: OrderSnapshot

    package init(
        scope: Scope, connection: ID<OrderSource>, provider: String, inbox: ID<OrderSource>, snapshot: OrderSnapshot
    ) {
        self.scope = scope
        self.connection = connection
        self.provider = provider
        self.inbox = inbox
        self.snapshot = snapshot
    }
}

/// What one snapshot came to.
package enum ImportOutcome: Sendable, Equatable {
    case created(OrderID)
    case updated(OrderID)
    case unchanged(OrderID)
    case stale(OrderID)
    case refused(reason: String)
}

/// Turns snapshots into orders, a batch in one transaction: some ten statements, however many orders it has.
package struct OrderImporter: Sendable {
    private let ids: IDGenerator

    package init(ids: IDGenerator) {
        self.ids = ids
    }

    /// What was asked for some snapshots, all of it at once, and is waited for when they are applied.
    package struct Lookup {
        fileprivate let lines: LineMatcher.Lookup
        fileprivate let orders: Asked<Order>
        fileprivate let buyers: CustomerLinker.Known
    }

    package func ask(for snapshots: [ImportedSnapshot], in transaction: any Transaction) throws -> Lookup {
        let lines = try LineMatcher.Lookup(Set(snapshots.flatMap(questions)), in: transaction)
        let orders = try OrderStore.askLocked(Set(snapshots.map(key)), in: transaction)
        let buyers = try CustomerLinker.ask(for: snapshots.map(buyer), in: transaction)
        return Lookup(lines: lines, orders: orders, buyers: buyers)
    }

    /// Applies snapshots in their order, so that two of the same order in one batch come out as if they had come alone.
    ///
    /// - Parameter lookup: what was asked for these snapshots, and perhaps for others.
    package func apply(
        _ snapshots: [ImportedSnapshot], _ lookup: Lookup, events: EventBuffer, in transaction: any Transaction
    ) throws -> [ImportOutcome] {
        let matcher = try LineMatcher(lookup.lines, in: transaction)
        let keys = snapshots.map(key)
        var ledger = Ledger(try OrderStore.whole(lookup.orders, in: transaction))
        let snapshots = zip(snapshots, keys).map { Self.withoutErased($0, stored: ledger.loaded[$1]) }
        let customers = try CustomerLinker(ids: ids).link(
            snapshots.map(buyer), lookup.buyers, events: events, in: transaction)
        let outcomes = snapshots.indices.map { index in
            apply(
                snapshots[index], key: keys[index], matcher: matcher, customer: customers[index], to: &ledger,
                events: events)
        }
        try write(ledger, events: events, in: transaction)
        return outcomes
    }

    /// The stock moves by what the whole batch makes of each order: states between the first and the last cancel out.
    private func write(_ ledger: Ledger, events: EventBuffer, in transaction: any Transaction) throws {
        var changes = (ledger.created + ledger.updated).compactMap { key in
            ledger.stored[key].map { order in
                OrderStock.Change(
                    old: ledger.loaded[key], new: order,
                    origin: MoveOrigin(
                        actor: .system, source: "connection:\(order.connection ?? .zero)",
                        causation: order.inbox?.cast()), isRefusable: false)
            }
        }
        try OrderStock(ids: ids).settle(&changes, events: events, in: transaction)
        let orders = changes.map(\.new)
        try OrderStore.insert(Array(orders.prefix(ledger.created.count)), in: transaction)
        try OrderStore.update(Array(orders.dropFirst(ledger.created.count)), in: transaction)
    }

    /// The batch's orders in memory and which of them have to be written.
    private struct Ledger {
        let loaded: [OrderStore.Key: Order]
        var stored: [OrderStore.Key: Order]
        var created: [OrderStore.Key] = []
        var updated: [OrderStore.Key] = []

        init(_ loaded: [OrderStore.Key: Order]) {
            self.loaded = loaded
            stored = loaded
        }

        mutating func put(_ order: Order, at key: OrderStore.Key, isNew: Bool) {
            stored[key] = order
            if isNew {
                created.append(key)
            } else if loaded[key] != nil, !updated.contains(key) {
                updated.append(key)
            }
        }
    }

    private func apply(
        _ imported: ImportedSnapshot, key: OrderStore.Key, matcher: LineMatcher, customer: CustomerID?,
        to ledger: inout Ledger, events: EventBuffer
    ) -> ImportOutcome {
        let stored = ledger.stored[key]
        if let stored, stored.scope != imported.scope {
            return .refused(reason: "the order belongs to another organisation of the tenant")
        }
        let arrival = OrderMerge.Arrival(
            id: stored?.id ?? ids.next(), scope: imported.scope, idempotencyKey: key.text,
            connection: imported.connection, channel: imported.provider, sourcePlatform: imported.provider,
            inbox: imported.inbox, snapshot: imported.snapshot, matches: questions(imported).map(matcher.match),
            customer: customer)
        let source = "connection:\(imported.connection)"
        switch OrderMerge.decide(arrival, stored: stored, now: events.now) {
        case .create(let order):
            ledger.put(order, at: key, isNew: true)
            events.append(
                OrderCreated(order: order.payload), scope: order.scope, actor: .system, source: source,
                causation: imported.inbox.cast())
            return .created(order.id)
        case .update(let order, let changed):
            ledger.put(order, at: key, isNew: false)
            events.append(
                OrderUpdated(order: order.payload, changed: changed), scope: order.scope, actor: .system,
                source: source, causation: imported.inbox.cast())
            return .updated(order.id)
        case .unchanged(let order):
            if order != stored { ledger.put(order, at: key, isNew: false) }
            return .unchanged(order.id)
        case .stale: return .stale(arrival.id)
        case .refused(let reason): return .refused(reason: reason)
        }
    }

    /// A buyer who asked to be forgotten is taken out of what the source still tells, before anything is made of it.
    private static func withoutErased(_ imported: ImportedSnapshot, stored: Order?) -> ImportedSnapshot {
        guard stored?.isBuyerErased == true else { return imported }
        var bare = imported
        bare.snapshot.customer = OrderSnapshot.Customer()
        return bare
    }

    private func buyer(_ imported: ImportedSnapshot) -> CustomerLinker.Buyer {
        let customer = imported.snapshot.customer
        return CustomerLinker.Buyer(
            scope: imported.scope, connection: imported.connection, externalID: customer.externalID,
            name: customer.name, email: customer.email)
    }

    private func key(_ imported: ImportedSnapshot) -> OrderStore.Key {
        OrderStore.Key(
            tenant: imported.scope.tenant, text: "\(imported.connection):\(imported.snapshot.externalID)")
    }

    private func questions(_ imported: ImportedSnapshot) -> [LineQuestion] {
        imported.snapshot.lines.map { line in
            LineQuestion(
                tenant: imported.scope.tenant, connection: imported.connection, itemID: line.itemID, sku: line.sku)
        }
    }
}
