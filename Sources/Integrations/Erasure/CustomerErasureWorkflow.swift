import Commerce
import Durable
import Events
import Kernel
import Storage
import Webhooks

/// Carries the erasure of a customer to its end, in transactions of a bounded number of rows.
///
/// What was erased and how far the walk came are written together: after a crash it goes on where it was.
package struct CustomerErasureWorkflow: WorkflowKind {
    /// An erasure's workflow has the customer's own id.
    package static let kind = "customer_erasure"
    /// How long a turn goes on over one customer before others may have theirs.
    private static let turn: Duration = .seconds(2)

    /// How much one transaction takes on.
    struct Bounds: Sendable {
        var orders = 100
        var events = EventErasure.atOnce
        var entries = 500
    }

    package let name = CustomerErasureWorkflow.kind
    package let batchLimit = 1
    package let retry = RetryPolicy.local

    private let database: any Database
    private let time: TimeSource
    private let bounds: Bounds

    package init(database: any Database, time: TimeSource) {
        self.init(database: database, time: time, bounds: Bounds())
    }

    init(database: any Database, time: TimeSource, bounds: Bounds) {
        self.database = database
        self.time = time
        self.bounds = bounds
    }

    /// The claim of an erasure that begins now.
    static func claim(_ customer: CustomerID, scope: Scope, now: Timestamp) -> WorkflowClaim {
        WorkflowClaim(
            id: customer.cast(), tenant: scope.tenant, organisation: scope.organisation, kind: kind,
            input: ErasurePosition().bytes, number: 0, attempts: 0, createdAt: now)
    }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        for claim in batch { try await perform(claim) }
    }

    private func perform(_ claim: WorkflowClaim) async throws {
        var position = ErasurePosition(claim.input) ?? ErasurePosition()
        let end = ContinuousClock.now + Self.turn
        while ContinuousClock.now < end, !Task.isCancelled {
            position = try await step(position, of: claim)
            if position.phase == .done { return }
        }
        let (due, reached) = (time.now(), position)
        try await database.write(.background) { transaction in
            // Pages of the inbox without anything of the customer were not written down one by one.
            try WorkflowStore.advance(
                claim, input: reached.bytes, progress: reached.progress, now: due, in: transaction)
            try WorkflowStore.giveBack([claim], due: due, in: transaction)
        }
    }

    /// One transaction's worth; the workflow is settled with the last.
    func step(_ position: ErasurePosition, of claim: WorkflowClaim) async throws -> ErasurePosition {
        let found = position.phase == .inbox ? try await nextEntries(position, of: claim) : nil
        // Nothing to write: the next look begins behind these.
        if let found, found.entries.isEmpty, found.position.phase == .inbox { return found.position }
        let (bounds, now) = (bounds, time.now())
        return try await database.write(.background) { transaction in
            var next = found?.position ?? position
            switch position.phase {
            case .orders, .look: try Self.emptyOrders(&next, claim, bounds, now, in: transaction)
            case .events: try Self.eraseEvents(&next, claim, bounds, now, in: transaction)
            case .inbox:
                next.entries += Int64(
                    try InboxErasure.erase(
                        found?.entries ?? [], scope: Self.scope(of: claim), at: now, in: transaction))
            case .done: break
            }
            try WorkflowStore.advance(claim, input: next.bytes, progress: next.progress, now: now, in: transaction)
            if next.phase == .done {
                try WorkflowStore.settle(
                    [(claim, .completed(outcome: "erased", reason: nil, result: claim.id.cast()))], now: now,
                    in: transaction)
            }
            CrashPoint.reach(.midErasure)
            return next
        }
    }

    private static func scope(of claim: WorkflowClaim) -> Scope {
        Scope(tenant: claim.tenant, organisation: claim.organisation)
    }

    // MARK: The parts

    private static func emptyOrders(
        _ position: inout ErasurePosition, _ claim: WorkflowClaim, _ bounds: Bounds, _ now: Timestamp,
        in transaction: any Transaction
    ) throws {
        let customer: CustomerID = claim.id.cast()
        let batch = try CustomerErasure.emptyOrders(
            of: customer, scope: scope(of: claim), after: position.order, limit: bounds.orders, at: now,
            in: transaction)
        position.orders += Int64(batch.emptied)
        if let last = batch.last {
            position.order = last
            // What an import brought after its events were gone through has events of its own.
            if position.phase == .look, batch.emptied > 0 { position.begin(.orders) }
        } else if position.phase == .orders {
            try CustomerErasure.close(customer, in: transaction)
            position.begin(.events)
        } else {
            position.begin(batch.emptied > 0 ? .events : .done)
        }
    }

    private static func eraseEvents(
        _ position: inout ErasurePosition, _ claim: WorkflowClaim, _ bounds: Bounds, _ now: Timestamp,
        in transaction: any Transaction
    ) throws {
        let customer: CustomerID = claim.id.cast()
        let orders = try CustomerErasure.orders(
            of: customer, after: position.order, limit: bounds.orders, in: transaction)
        // The position names what is being gone through: before the first order, that is the customer itself.
        var entities = orders.map { DomainEvent.Entity(type: OrderCreated.entityType, id: $0) }
        entities.insert(
            position.order == .zero
                ? DomainEvent.Entity(type: CustomerCreated.entityType, id: customer)
                : DomainEvent.Entity(type: OrderCreated.entityType, id: position.order), at: 0)
        var left = bounds.events
        for (index, entity) in entities.enumerated() {
            if index > 0 {
                position.order = orders[index - 1]
                position.event = .zero
            }
            let erased = try EventErasure.eraseNext(
                of: entity, after: position.event, limit: left, scope: scope(of: claim), at: now, in: transaction)
            position.events += Int64(erased.events.count)
            position.event = erased.events.last ?? position.event
            left -= erased.events.count
            if left == 0 { return }
        }
        if orders.isEmpty { position.begin(.inbox) }
    }

    /// Reads the next page of an inbox beside the writer: a delivery that told nothing new caused no event, and only
    /// what became of it names the order.
    private func nextEntries(
        _ position: ErasurePosition, of claim: WorkflowClaim
    ) async throws -> (entries: [InboxID], position: ErasurePosition) {
        let (customer, limit): (CustomerID, Int) = (claim.id.cast(), bounds.entries)
        return try await database.read(.background) { transaction in
            var next = position
            if next.connection == .zero {
                guard let first = try CustomerErasure.connection(of: customer, after: .zero, in: transaction) else {
                    next.begin(.look)
                    return ([], next)
                }
                next.connection = first
            }
            let page = try transaction.all(
                """
                SELECT i.id, o.id FROM (
                    SELECT id FROM inbox WHERE connection_id = $1 AND tenant_id = $2 AND id > $3 ORDER BY id LIMIT $4
                ) i LEFT JOIN workflow w ON w.id = i.id
                    LEFT JOIN sales_order o ON o.id = w.result_id AND o.customer_id = $5
                ORDER BY i.id
                """,
                [.id(next.connection), .id(claim.tenant), .id(next.entry), .int(limit), .id(customer)]
            ) { (entry: $0.id(0, of: InboxEntry.self), isOurs: !$0.isNull(1)) }
            if page.count == limit, let last = page.last {
                next.entry = last.entry
            } else if let other = try CustomerErasure.connection(
                of: customer, after: next.connection, in: transaction)
            {
                (next.connection, next.entry) = (other, .zero)
            } else {
                next.begin(.look)
            }
            return (page.filter(\.isOurs).map(\.entry), next)
        }
    }
}
