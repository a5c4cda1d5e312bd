import Events
import Kernel
import Storage

/// Forgets who a customer is, when that is asked for. Rows stay, for what was sold remains sold.
///
/// It is done in several transactions: `begin` with the request, `emptyOrders` until there are no more, then `close`.
/// Until then the row keeps what imports find it by, so that an order which is told of meanwhile still comes to it and
/// is emptied too, and not to a new customer.
package enum CustomerErasure {
    /// Empties a customer's row but for what imports find it by, of a deleted customer too. Once erased it stays so.
    package static func begin(
        _ id: CustomerID, scope: Scope, at now: Timestamp, in transaction: any Transaction
    ) throws -> Customer {
        let known = try CustomerStore.fetch(id, scope: scope, isLocked: true, withDeleted: true, in: transaction)
        guard let old = known else { throw Refusal.notFound("customer") }
        if old.erasedAt != nil { return old }
        var new = Customer(id: old.id, scope: old.scope, kind: old.kind, now: old.createdAt)
        new.status = old.status
        new.assignedTo = old.assignedTo
        new.version = old.version + 1
        new.updatedAt = now
        new.erasedAt = now
        try CustomerStore.update(new, was: old, in: transaction)
        try transaction.execute(
            "UPDATE customer SET email_key = $2 WHERE id = $1", [.id(id), .text(old.emailKey)])
        return new
    }

    /// What one call of `emptyOrders` did.
    package struct OrderBatch: Sendable {
        /// The last order that was looked at; nil where there are no more.
        package let last: OrderID?
        /// Orders that had a buyer until now.
        package let emptied: Int
    }

    /// Empties the buyers of the customer's next orders and the notes on them; `limit` orders at the most.
    ///
    /// It locks orders alone, in the order in which imports do: else the two could wait for each other on PostgreSQL.
    package static func emptyOrders(
        of id: CustomerID, scope: Scope, after last: OrderID, limit: Int, at now: Timestamp,
        in transaction: any Transaction
    ) throws -> OrderBatch {
        // Those that were never linked and have the customer's address come first: linked to its empty row they are
        // found with the others, also when somebody asks once more.
        if try link(id, scope: scope, limit: limit, in: transaction) == limit {
            return OrderBatch(last: last, emptied: 0)
        }
        let page = try orders(of: id, after: last, limit: limit, in: transaction)
        let rows = RowBatch(wanted: page)
        try lock(rows, in: transaction)
        let emptied = try transaction.executeCounting(
            """
            UPDATE sales_order SET customer_name = NULL, customer_email = NULL, customer_external_id = NULL,
                is_buyer_erased = 1, version = version + 1, updated_at = $2
            WHERE customer_id = $1 AND is_buyer_erased = 0 AND id IN (SELECT wanted FROM {rows} r)
            """, [.id(id), .time(now)], rows: rows)
        try OrderNoteStore.empty(of: page, in: transaction)
        return OrderBatch(last: page.count == limit ? page.last : nil, emptied: emptied)
    }

    private static func link(
        _ id: CustomerID, scope: Scope, limit: Int, in transaction: any Transaction
    ) throws -> Int {
        let email = try transaction.first(
            "SELECT email_key FROM customer WHERE id = $1 AND email_key IS NOT NULL", [.id(id)]
        ) { $0.text(0) }
        guard let email else { return 0 }
        let found = try transaction.all(
            """
            SELECT id FROM sales_order
            WHERE tenant_id = $1 AND org_id = $2 AND lower(customer_email) = $3 AND customer_id IS NULL
                AND customer_email IS NOT NULL
            LIMIT $4
            """, [.id(scope.tenant), .id(scope.organisation), .text(email), .int(limit)]
        ) { $0.id(0, of: Order.self) }
        let rows = RowBatch(wanted: found)
        try lock(rows, in: transaction)
        try transaction.execute(
            """
            UPDATE sales_order SET customer_id = $1
            WHERE customer_id IS NULL AND id IN (SELECT wanted FROM {rows} r)
            """, [.id(id)], rows: rows)
        return found.count
    }

    private static func lock(_ rows: RowBatch, in transaction: any Transaction) throws {
        _ = try transaction.all(
            """
            SELECT id FROM sales_order WHERE id IN (SELECT wanted FROM {rows} r)
            ORDER BY idempotency_key {for update}
            """, rows: rows
        ) { $0.id(0, of: Order.self) }
    }

    /// Takes away what imports find the customer by: whoever buys with the same address from now on is somebody new.
    package static func close(_ id: CustomerID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE customer SET email_key = NULL WHERE id = $1 AND erased_at IS NOT NULL", [.id(id)])
        try CustomerStore.forgetReferences(of: id, in: transaction)
    }

    // MARK: What else tells of the customer

    /// The customer's next orders: their events tell of it too.
    package static func orders(
        of id: CustomerID, after last: OrderID, limit: Int, in transaction: any Transaction
    ) throws -> [OrderID] {
        try transaction.all(
            "SELECT id FROM sales_order WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3",
            [.id(id), .id(last), .int(limit)]
        ) { $0.id(0) }
    }

    /// The next of the connections that told of the customer's orders.
    package static func connection(
        of id: CustomerID, after last: ID<OrderSource>, in transaction: any Transaction
    ) throws -> ID<OrderSource>? {
        try transaction.first(
            """
            SELECT DISTINCT connection_id FROM sales_order WHERE customer_id = $1 AND connection_id > $2
            ORDER BY connection_id LIMIT 1
            """, [.id(id), .id(last)]
        ) { $0.id(0) }
    }
}
