import Commerce
import Durable
import Events
import Kernel
import Storage
import Webhooks

/// Forgets what past events and inbound deliveries tell of somebody, when that is asked for.
package struct ErasureService: Sendable {
    private let database: any Database
    private let runner: WorkflowRunner
    private let time: TimeSource
    /// Events that one transaction takes on.
    private let atOnce: Int

    /// - Parameter runner: the one of `CustomerErasureWorkflow`.
    package init(database: any Database, runner: WorkflowRunner, time: TimeSource, atOnce: Int = EventErasure.atOnce) {
        self.database = database
        self.runner = runner
        self.time = time
        self.atOnce = atOnce
    }

    /// Erases all events about one entity and the inbound deliveries that caused them; returns how many of each.
    ///
    /// Done in transactions of a bounded number: a call that fails half way is to be made again, and counts what was
    /// erased before once more.
    package func erase(
        _ entity: DomainEvent.Entity, scope: Scope
    ) async throws -> (events: Int, inboxEntries: Int) {
        var (events, inboxEntries, last) = (0, 0, EventID.zero)
        while true {
            let after = last
            let (erased, entries) = try await database.write { [atOnce, now = time.now()] transaction in
                let erased = try EventErasure.eraseNext(
                    of: entity, after: after, limit: atOnce, scope: scope, at: now, in: transaction)
                let entries = try InboxErasure.erase(
                    erased.causes.map { $0.cast() }, scope: scope, at: now, in: transaction)
                return (erased, entries)
            }
            events += erased.events.count
            inboxEntries += entries
            guard let end = erased.events.last, erased.events.count == atOnce else { return (events, inboxEntries) }
            last = end
        }
    }

    /// Empties a customer's row and begins with the rest: its orders' buyers and notes, the events about both, and the
    /// inbound deliveries that told of them. That is done by a workflow of the customer's id, also over restarts.
    ///
    /// Asked again it begins anew, and so erases what a store has told since.
    package func erase(customer id: CustomerID, scope: Scope) async throws -> CustomerService.Saved {
        let now = time.now()
        let customer = try await database.write { transaction in
            let customer = try CustomerErasure.begin(id, scope: scope, at: now, in: transaction)
            try WorkflowStore.beginAgain(
                CustomerErasureWorkflow.claim(id, scope: scope, now: now), in: transaction)
            return customer
        }
        runner.wake()
        return CustomerService.Saved(customer: customer, duplicates: [])
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
        let rows = RowBatch(wanted: Set(entries))
        return try transaction.executeCounting(
            """
            UPDATE inbox SET body = $3 WHERE id IN (SELECT wanted FROM {rows} r) AND tenant_id = $1 AND org_id = $2
            """,
            [.id(scope.tenant), .id(scope.organisation), .bytes(EventErasure.tombstone(at: now))], rows: rows)
    }
}
