import Events
import Kernel
import Storage

/// Forgets who a customer is, when that is asked for. Rows stay, for what was sold remains sold.
package enum CustomerErasure {
    package struct Erased: Sendable {
        package let customer: Customer
        /// All orders of the customer: their events are to be erased too.
        package let orders: [OrderID]
        /// The connections that told of them.
        package let connections: Set<ID<OrderSource>>
    }

    /// Empties a customer's row, the buyers of its orders and the notes on them, of a deleted customer too.
    ///
    /// Orders are locked before customers, as in an import: else the two could wait for each other on PostgreSQL.
    package static func erase(
        _ id: CustomerID, scope: Scope, at now: Timestamp, in transaction: any Transaction
    ) throws -> Erased {
        guard let known = try CustomerStore.fetch(id, scope: scope, withDeleted: true, in: transaction) else {
            throw Refusal.notFound("customer")
        }
        try emptyOrders(of: known, at: now, in: transaction)
        let orders = try transaction.all(
            "SELECT id, connection_id FROM sales_order WHERE customer_id = $1", [.id(id)]
        ) { (order: $0.id(0, of: Order.self), connection: $0.idOrNil(1, of: OrderSource.self)) }
        try OrderNoteStore.empty(of: orders.map(\.order), in: transaction)
        return Erased(
            customer: try empty(id, scope, at: now, in: transaction), orders: orders.map(\.order),
            connections: Set(orders.compactMap(\.connection)))
    }

    /// Also of orders that were never linked and have the customer's address: they are linked to its empty row now, so
    /// that asking once more finds them.
    private static func emptyOrders(
        of customer: Customer, at now: Timestamp, in transaction: any Transaction
    ) throws {
        if let email = customer.emailKey {
            try transaction.execute(
                """
                UPDATE sales_order SET customer_id = $4
                WHERE tenant_id = $1 AND org_id = $2 AND lower(customer_email) = $3 AND customer_id IS NULL
                    AND customer_email IS NOT NULL
                """,
                [
                    .id(customer.scope.tenant), .id(customer.scope.organisation), .text(email), .id(customer.id),
                ])
        }
        try transaction.execute(
            """
            UPDATE sales_order SET customer_name = NULL, customer_email = NULL, customer_external_id = NULL,
                is_buyer_erased = 1, version = version + 1, updated_at = $2
            WHERE customer_id = $1 AND is_buyer_erased = 0
            """, [.id(customer.id), .time(now)])
    }

    private static func empty(
        _ id: CustomerID, _ scope: Scope, at now: Timestamp, in transaction: any Transaction
    ) throws -> Customer {
        let old = try CustomerStore.fetch(id, scope: scope, isLocked: true, withDeleted: true, in: transaction)
        guard let old else { throw Refusal.notFound("customer") }
        if old.erasedAt != nil { return old }
        var new = Customer(id: old.id, scope: old.scope, kind: old.kind, now: old.createdAt)
        new.status = old.status
        new.assignedTo = old.assignedTo
        new.version = old.version + 1
        new.updatedAt = now
        new.erasedAt = now
        try CustomerStore.update(new, was: old, in: transaction)
        try CustomerStore.forgetReferences(of: id, in: transaction)
        return new
    }
}
