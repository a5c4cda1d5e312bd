import Commerce
import Events
import Kernel
import Storage
import Webhooks

/// Forgets what past events and inbound deliveries tell of somebody, when that is asked for.
package struct ErasureService: Sendable {
    private let database: any Database
    private let time: TimeSource

    package init(database: any Database, time: TimeSource) {
        self.database = database
        self.time = time
    }

    /// Erases all events about one entity and the inbound deliveries that caused them; returns how many of each.
    package func erase(
        _ entity: DomainEvent.Entity, scope: Scope
    ) async throws -> (events: Int, inboxEntries: Int) {
        let now = time.now()
        return try await database.write { transaction in
            let erased = try EventErasure.erase([entity], scope: scope, at: now, in: transaction)
            let entries = try InboxErasure.erase(
                erased.causes.map { $0.cast() }, scope: scope, at: now, in: transaction)
            return (erased.events.count, entries)
        }
    }

    /// Erases a customer, its orders' buyers and notes, the events about both, and then the inbound deliveries that
    /// told of them. Asked again, after a stop between the two or a newer delivery, it erases what is left.
    package func erase(customer id: CustomerID, scope: Scope) async throws -> CustomerService.Saved {
        let now = time.now()
        let erased = try await database.write { transaction in
            let erased = try CustomerErasure.erase(id, scope: scope, at: now, in: transaction)
            let entities =
                [DomainEvent.Entity(type: CustomerCreated.entityType, id: id)]
                + erased.orders.map { DomainEvent.Entity(type: OrderCreated.entityType, id: $0) }
            try EventErasure.erase(entities, scope: scope, at: now, in: transaction)
            return erased
        }
        for connection in erased.connections {
            let entries = try await entries(about: erased.orders, of: connection.cast(), scope: scope)
            try await database.write { transaction in
                try InboxErasure.erase(entries, scope: scope, at: now, in: transaction)
            }
        }
        return CustomerService.Saved(customer: erased.customer, duplicates: [])
    }

    /// Walks the connection's whole inbox beside the writer: a delivery that told nothing new caused no event, and only
    /// what became of it names the order.
    private func entries(
        about orders: [OrderID], of connection: ConnectionID, scope: Scope
    ) async throws -> [InboxID] {
        try await database.read { transaction in
            var rows = RowBatch(["wanted": .uuid])
            for order in orders { rows.append(.id(order)) }
            return try transaction.all(
                """
                SELECT i.id FROM inbox i JOIN workflow w ON w.id = i.id
                WHERE i.connection_id = $1 AND i.tenant_id = $2 AND w.result_id IN (SELECT wanted FROM {rows} r)
                """, [.id(connection), .id(scope.tenant)], rows: rows
            ) { $0.id(0) }
        }
    }
}

/// Takes the bodies out of inbound deliveries. Their rows stay: that something came is not what has to be forgotten.
package enum InboxErasure {
    /// Erases the bodies of those of the entries that are the organisation's; returns how many that were. An entry that
    /// is processed again afterwards is parked.
    @discardableResult
    package static func erase(
        _ entries: [InboxID], scope: Scope, at now: Timestamp, in transaction: any Transaction
    ) throws -> Int {
        var rows = RowBatch(["wanted": .uuid])
        for entry in Set(entries) { rows.append(.id(entry)) }
        return try transaction.executeCounting(
            """
            UPDATE inbox SET body = $3 WHERE id IN (SELECT wanted FROM {rows} r) AND tenant_id = $1 AND org_id = $2
            """,
            [.id(scope.tenant), .id(scope.organisation), .bytes(EventErasure.tombstone(at: now))], rows: rows)
    }
}
