import Durable
import Events
import Kernel
import Storage
import Webhooks

/// Looks again at order lines that were unmatched when a SKU or an item appears that may be theirs.
package struct OrderRematch: WorkflowKind {
    package static let kind = "order_rematch"
    package let name = OrderRematch.kind
    package let batchLimit = 1
    package let retry = RetryPolicy.local
    private let publisher: EventPublisher
    private let stock: OrderStock
    /// Orders of one transaction; a SKU may stand in a hundred thousand.
    private static let ordersAtOnce = 100
    /// Terms of one workflow. They stand in one statement, which SQLite would split beyond 256.
    private static let termsAtOnce = 200
    private static let source = "rematch"

    package init(publisher: EventPublisher, ids: IDGenerator) {
        self.publisher = publisher
        stock = OrderStock(ids: ids)
    }

    /// Adds a workflow for the SKUs of some variants, in the transaction that makes them. Returns whether there is
    /// something to do; the runner is to be woken then, once it is on disk.
    static func begin(
        for variants: [Variant], scope: Scope, ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws -> Bool {
        // Most shops have none, and are asked before anything is put together for it.
        if seesAll(transaction), try !hasUnmatched(scope.tenant, in: transaction) { return false }
        var terms = Set(variants.compactMap(\.sku).flatMap { [$0, $0.lowercased()] })
        terms.formUnion(variants.map(\.id.description))
        return try begin(terms: terms.sorted(), scope: scope, ids: ids, now: now, in: transaction)
    }

    /// Adds a workflow for lines that name one of the terms as their SKU or their item; returns whether there is one.
    ///
    /// Whether there is one is only asked where the answer counts.
    package static func begin(
        terms: [String], scope: Scope, ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws -> Bool {
        var rows = WorkflowStore.newRows()
        for start in stride(from: 0, to: terms.count, by: termsAtOnce) {
            let some = terms[start...].prefix(termsAtOnce)
            if seesAll(transaction), try !isWaited(for: some, tenant: scope.tenant, in: transaction) { continue }
            var input = JSONWriter()
            input.array { for term in some { $0.string(term) } }
            WorkflowStore.append(
                WorkflowClaim(
                    id: ids.next(), tenant: scope.tenant, organisation: scope.organisation, kind: kind,
                    input: input.bytes, number: 0, attempts: 0, createdAt: now), leased: false, to: &rows)
        }
        if rows.isEmpty { return false }
        try WorkflowStore.insert(rows, in: transaction)
        return true
    }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        for claim in batch {
            let terms = try JSONValue(parsing: claim.input).array?.compactMap(\.string) ?? []
            var last = OrderID.zero
            while let next = try await rematch(terms, after: last, of: claim) { last = next }
        }
    }

    /// Matches the lines of some orders again. Nil when there are no more, and the workflow is settled.
    private func rematch(_ terms: [String], after last: OrderID, of claim: WorkflowClaim) async throws -> OrderID? {
        try await publisher.write(.background) { transaction, events in
            // A SKU of very many orders takes longer than one lease.
            guard try WorkflowStore.renew([claim], in: transaction).contains(claim.id) else {
                throw LostClaim(id: claim.id)
            }
            let candidates = try Self.candidates(
                terms, tenant: claim.tenant, after: last, limit: Self.ordersAtOnce, in: transaction)
            guard let newest = candidates.last else {
                try WorkflowStore.settle(
                    [(claim, .completed(outcome: "processed", reason: nil, result: nil))], now: events.now,
                    in: transaction)
                return nil
            }
            try match(candidates, events: events, in: transaction)
            return newest
        }
    }

    /// SQLite's writers come one after the other: an order either is seen here or will see the new variant.
    /// PostgreSQL's don't see each other's rows before the commit, so there somebody has to look after it.
    private static func seesAll(_ transaction: any Transaction) -> Bool { transaction.dialect == .sqlite }

    private static func hasUnmatched(_ tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.first(
            "SELECT 1 FROM order_line WHERE tenant_id = $1 AND variant_id IS NULL LIMIT 1", [.id(tenant)]
        ) { _ in true } ?? false
    }

    /// The columns that a term may stand in, each with its own index. Asked for in one condition they would share one,
    /// and SQLite would walk all unmatched lines of the tenant.
    private static let places = ["l.sku", "lower(l.sku)", "l.external_item_id"]

    private static func rows(of terms: some Sequence<String>) -> RowBatch {
        var rows = RowBatch(["term": .text])
        for term in terms { rows.append(.text(term)) }
        return rows
    }

    /// What each place finds of unmatched lines of the tenant `$1`.
    private static func search(_ column: String, and condition: String = "", joinedBy union: String) -> String {
        places.map { place in
            """
            SELECT \(column) FROM {rows} r
            JOIN order_line l ON l.tenant_id = $1 AND l.variant_id IS NULL AND \(place) = r.term \(condition)
            """
        }.joined(separator: " \(union) ")
    }

    /// Whether a line names one of the terms.
    private static func isWaited(
        for terms: some Sequence<String>, tenant: TenantID, in transaction: any Transaction
    ) throws -> Bool {
        let statement = Statement(composed: search("1", joinedBy: "UNION ALL") + " LIMIT 1")
        return try transaction.ask(statement, [.id(tenant)], rows: rows(of: terms)) { _ in true }.first() != nil
    }

    /// The next orders of which a line names one of the terms.
    static func candidates(
        _ terms: some Sequence<String>, tenant: TenantID, after last: OrderID, limit: Int,
        in transaction: any Transaction
    ) throws -> [OrderID] {
        let statement = Statement(
            composed: search("l.order_id", and: "AND l.order_id > $2", joinedBy: "UNION")
                + " ORDER BY order_id LIMIT $3")
        return try transaction.all(
            statement, [.id(tenant), .id(last), .int(limit)], rows: rows(of: terms)
        ) { $0.id(0) }
    }

    private func match(_ ids: [OrderID], events: EventBuffer, in transaction: any Transaction) throws {
        let orders = try OrderStore.lock(ids, in: transaction)
        let matcher = try LineMatcher(Set(orders.flatMap(Self.questions)), in: transaction)
        var changes: [OrderStock.Change] = []
        for var order in orders {
            let before = order
            for (index, question) in Self.questions(order).enumerated()
            where order.lines[index].isItem && order.lines[index].variant == nil {
                let found = matcher.match(question)
                order.lines[index].variant = found.variant
                order.lines[index].match = found.how
            }
            if order == before { continue }
            order.version += 1
            order.updatedAt = events.now
            changes.append(
                OrderStock.Change(
                    old: before, new: order, origin: MoveOrigin(actor: .system, source: Self.source),
                    isRefusable: false))
            let names = order.matchStatus == before.matchStatus ? ["line_items"] : ["match_status", "line_items"]
            events.append(
                OrderUpdated(order: order.payload, changed: names), scope: order.scope, actor: .system,
                source: Self.source)
        }
        try stock.settle(&changes, events: events, in: transaction)
        try OrderStore.update(changes.map(\.new), in: transaction)
    }

    private static func questions(_ order: Order) -> [LineQuestion] {
        order.lines.map { line in
            LineQuestion(
                tenant: order.scope.tenant, connection: order.connection, itemID: line.itemID, sku: line.sku)
        }
    }
}
