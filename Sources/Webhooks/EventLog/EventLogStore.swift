import Events
import Kernel
import Storage

/// The statements of the event log. Each looks at a bounded number of events.
enum EventLogStore {
    /// Events in the reverse of the feed's order, out of a window of so many.
    static func list(
        _ query: EventLog.Query, window: Int, _ leases: LeasesInMemory, scope: Scope, in transaction: any Transaction
    ) throws -> EventLog.Page {
        var top = Int64.max
        if let before = query.before {
            guard case .position(let position) = try FeedCursor.find(before, scope: scope, in: transaction) else {
                throw Refusal(.invalid, "The cursor names no event that is in the log yet.")
            }
            top = position
        }
        if let until = query.until { top = min(top, try FeedStore.position(behind: until, in: transaction)) }
        let floor = try query.since.map { try FeedStore.position(before: $0, in: transaction) } ?? 0
        let end = try FeedStore.entry(window, before: top, scope, in: transaction)
        let bottom = max(floor, end.map { $0.position - 1 } ?? 0)
        var conditions = EventConditions(after: [
            .id(scope.tenant), .id(scope.organisation), .int(bottom), .int(top), .int(query.limit + 1),
        ])
        add(query, leases, to: &conditions)
        let events = try transaction.all(
            Statement(
                composed: """
                    SELECT \(EventStore.columns) FROM feed f JOIN event e ON e.id = f.event_id
                    WHERE f.tenant_id = $1 AND f.org_id = $2 AND f.position > $3 AND f.position < $4\(conditions.text)
                    ORDER BY f.position DESC LIMIT $5
                    """), conditions.arguments
        ) { EventStore.decode($0) }
        let shown = Array(events.prefix(query.limit))
        if events.count > query.limit { return EventLog.Page(events: shown, next: shown.last?.id) }
        let isLast = end.map { $0.position - 1 <= floor } ?? true
        return EventLog.Page(events: shown, next: isLast ? nil : end?.event)
    }

    /// The events of one entity, whose own index needs no window.
    static func list(
        _ query: EventLog.Query, of entity: ID<DomainEvent.Entity>, _ leases: LeasesInMemory, scope: Scope,
        in transaction: any Transaction
    ) throws -> EventLog.Page {
        var conditions = EventConditions(after: [
            .id(entity), .id(scope.tenant), .id(scope.organisation),
            .id(query.before ?? EventID(high: .max, low: .max)), .int(query.limit + 1),
        ])
        add(query, leases, to: &conditions)
        let events = try transaction.all(
            Statement(
                composed: """
                    SELECT \(EventStore.columns) FROM event e
                    WHERE e.entity_id = $1 AND e.tenant_id = $2 AND e.org_id = $3 AND e.id < $4\(conditions.text)
                    ORDER BY e.id DESC LIMIT $5
                    """), conditions.arguments
        ) { EventStore.decode($0) }
        let shown = Array(events.prefix(query.limit))
        return EventLog.Page(events: shown, next: events.count > query.limit ? shown.last?.id : nil)
    }

    /// Tells deliveries that wait from those that are leased, where a query asks for the one or the other and rows
    /// alone don't say it.
    static func filter(
        _ events: [DomainEvent], by query: EventLog.Query, _ leases: LeasesInMemory, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        guard leases.isUsed, let wanted = query.delivery, [.pending, .delivering].contains(wanted) else {
            return events
        }
        let rows = RowBatch(wanted: events.lazy.map(\.id))
        let pending = try transaction.all(
            """
            SELECT d.event_id, d.subscription_id, d.id, d.claim
            FROM {rows} r JOIN delivery d ON d.event_id = r.wanted WHERE d.state = 'pending'
            """, rows: rows
        ) {
            (
                event: $0.id(0, of: Event.self), subscription: $0.id(1, of: Subscription.self),
                id: $0.id(2, of: Delivery.self), claim: $0.int(3)
            )
        }
        let matching = pending.filter { delivery in
            if let subscription = query.subscription, subscription != delivery.subscription { return false }
            let isLeased = delivery.claim != 0 || leases.contains(delivery.id, of: delivery.subscription)
            return isLeased == (wanted == .delivering)
        }
        let kept = Set(matching.map(\.event))
        return events.filter { kept.contains($0.id) }
    }

    private static func add(_ query: EventLog.Query, _ leases: LeasesInMemory, to conditions: inout EventConditions) {
        if let pattern = query.pattern { conditions.add([pattern]) }
        if let type = query.entityType { conditions.add("e.entity_type = $?", .text(type)) }
        if let source = query.source { conditions.add("e.source = $?", .text(source)) }
        if let since = query.since { conditions.add("e.occurred_at >= $?", .time(since)) }
        if let until = query.until { conditions.add("e.occurred_at < $?", .time(until)) }
        let state =
            switch query.delivery {
            // Rows alone don't tell which of these are leased; see `filter`.
            case .pending where leases.isUsed, .delivering where leases.isUsed: " AND d.state = 'pending'"
            case .pending: " AND d.state = 'pending' AND d.claim = 0"
            case .delivering: " AND d.state = 'pending' AND d.claim <> 0"
            case .delivered: " AND d.state = 'delivered'"
            case .failed: " AND d.state = 'failed'"
            case .skipped: " AND d.state = 'skipped'"
            case nil: ""
            }
        if let subscription = query.subscription {
            conditions.add(
                "EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = e.id AND d.subscription_id = $?\(state))",
                .id(subscription))
        } else if !state.isEmpty {
            conditions.add("EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = e.id\(state))")
        }
    }
}

extension EventStore {
    /// One event of an organisation.
    static func fetch(_ id: EventID, scope: Scope, in transaction: any Transaction) throws -> DomainEvent? {
        try transaction.first(
            Statement(
                composed: "SELECT \(columns) FROM event e WHERE e.id = $1 AND e.tenant_id = $2 AND e.org_id = $3"),
            [.id(id), .id(scope.tenant), .id(scope.organisation)]
        ) { decode($0) }
    }
}
