import Events
import Kernel
import Storage

/// The rows of orders. Lines and adjustments are read and written with their order, never alone.
enum OrderStore {
    private static let columns = """
        o.id, o.tenant_id, o.org_id, o.idempotency_key, o.connection_id, o.external_id, o.channel, o.source_platform,
        o.status, o.source_status, o.currency, o.discount_minor, o.shipping_minor, o.tax_minor, o.total_minor,
        o.customer_name, o.customer_email, o.customer_external_id, o.source_version, o.inbox_id, o.placed_at,
        o.version, o.created_at, o.updated_at, o.number, o.tags, o.is_oversold, o.presentment_currency,
        o.presentment_discount_minor, o.presentment_shipping_minor, o.presentment_tax_minor, o.presentment_total_minor,
        o.customer_id, o.is_buyer_erased
        """

    private static func decode(_ row: any Row) throws -> Order {
        guard let currency = Currency(code: row.text(10)) else {
            throw StorageError(.corrupt, "order \(row.id(0, of: Order.self)) has the currency \(row.text(10))")
        }
        guard let status = OrderStatus(rawValue: row.text(8)) else {
            throw StorageError(.corrupt, "order \(row.id(0, of: Order.self)) has the status \(row.text(8))")
        }
        func money(_ column: Int) -> Money { Money(minorUnits: row.int(column), currency: currency) }
        let version = row.int(18)
        return Order(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), idempotencyKey: row.text(3),
            connection: row.idOrNil(4), externalID: row.textOrNil(5), channel: row.text(6),
            sourcePlatform: row.text(7), status: status, sourceStatus: row.textOrNil(9), currency: currency,
            lines: [], adjustments: [], discount: money(11), shipping: money(12), tax: money(13), total: money(14),
            customer: OrderSnapshot.Customer(
                externalID: row.textOrNil(17), name: row.textOrNil(15), email: row.textOrNil(16)),
            customerID: row.idOrNil(32),
            sourceVersion: version == 0 ? nil : Timestamp(milliseconds: version), inbox: row.idOrNil(19),
            placedAt: row.time(20), version: row.int(21), createdAt: row.time(22), updatedAt: row.time(23),
            number: row.textOrNil(24), presentment: presentment(row),
            tags: row.textOrNil(25)?.split(separator: "\n").map(String.init) ?? [], isOversold: row.flag(26),
            isBuyerErased: row.flag(33))
    }

    private static func presentment(_ row: any Row) -> OrderSnapshot.Presentment? {
        guard let currency = row.textOrNil(27).flatMap({ Currency(code: $0) }) else { return nil }
        func money(_ column: Int) -> Money { Money(minorUnits: row.int(column), currency: currency) }
        return OrderSnapshot.Presentment(discount: money(28), shipping: money(29), tax: money(30), total: money(31))
    }

    // MARK: Reading

    /// A tenant and an order's key in it.
    struct Key: Hashable, Sendable {
        let tenant: TenantID
        let text: String
    }

    /// The stored orders of some keys, locked against other copies to the end of the transaction.
    static func lock(_ keys: Set<Key>, in transaction: any Transaction) throws -> [Key: Order] {
        try whole(askLocked(keys, in: transaction), in: transaction)
    }

    /// The orders without their parts, locked like that; `whole` waits for them.
    static func askLocked(_ keys: Set<Key>, in transaction: any Transaction) throws -> Asked<Order> {
        var rows = RowBatch(["wanted": .text, "tenant": .uuid])
        // In one order everywhere, so that two copies lock the same orders in the same order. Joined row by row: with a
        // condition on the tenants and one on the keys, PostgreSQL may walk all orders of a tenant for each batch.
        for key in keys.sorted(by: { $0.text < $1.text }) { rows.append(.text(key.text), .id(key.tenant)) }
        return try transaction.ask(
            Statement(
                composed: """
                    SELECT \(columns) FROM {rows} r
                        JOIN sales_order o ON o.tenant_id = r.tenant AND o.idempotency_key = r.wanted
                    ORDER BY o.idempotency_key {for update}
                    """), rows: rows, decode)
    }

    static func whole(_ asked: Asked<Order>, in transaction: any Transaction) throws -> [Key: Order] {
        var orders = try asked.answer()
        try loadParts(of: &orders, in: transaction)
        return Dictionary(
            orders.map { (Key(tenant: $0.scope.tenant, text: $0.idempotencyKey), $0) },
            uniquingKeysWith: { first, _ in first })
    }

    static func fetch(_ id: OrderID, scope: Scope, in transaction: any Transaction) throws -> Order? {
        try orders(
            where: "o.id = $1 AND o.tenant_id = $2 AND o.org_id = $3",
            [.id(id), .id(scope.tenant), .id(scope.organisation)], in: transaction
        ).first
    }

    /// The same, locked to the end of the transaction.
    static func lock(_ id: OrderID, scope: Scope, in transaction: any Transaction) throws -> Order? {
        try orders(
            where: "o.id = $1 AND o.tenant_id = $2 AND o.org_id = $3 {for update}",
            [.id(id), .id(scope.tenant), .id(scope.organisation)], in: transaction
        ).first
    }

    /// Several orders whose owners are known already, locked to the end of the transaction.
    static func lock(_ ids: [OrderID], in transaction: any Transaction) throws -> [Order] {
        let rows = RowBatch(wanted: ids)
        var orders = try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM sales_order o WHERE o.id IN (SELECT wanted FROM {rows} r)
                    ORDER BY o.idempotency_key {for update}
                    """), rows: rows, decode)
        try loadParts(of: &orders, in: transaction)
        return orders
    }

    /// The bytes that the order's stored state was told with; nil for orders that were not imported.
    static func sourcePayload(of order: Order, in transaction: any Transaction) throws -> [UInt8]? {
        guard let inbox = order.inbox else { return nil }
        return try transaction.first(
            "SELECT body FROM inbox WHERE id = $1 AND tenant_id = $2", [.id(inbox), .id(order.scope.tenant)]
        ) { $0.bytes(0) }
    }

    static func orders(
        where condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [Order] {
        var orders = try transaction.all(
            Statement(composed: "SELECT \(columns) FROM sales_order o WHERE \(condition)"), arguments, decode)
        try loadParts(of: &orders, in: transaction)
        return orders
    }

    private static func loadParts(of orders: inout [Order], in transaction: any Transaction) throws {
        if orders.isEmpty { return }
        let currencies = Dictionary(orders.map { ($0.id, $0.currency) }, uniquingKeysWith: { first, _ in first })
        let rows = RowBatch(wanted: orders.lazy.map(\.id))
        var lines: [OrderID: [OrderLine]] = [:]
        try transaction.run(
            """
            SELECT order_id, line_key, external_item_id, sku, title, variant_id, match, quantity_ordered,
                quantity_current, quantity_fulfilled, unit_price_minor, total_minor, tax_minor, location_id,
                quantity_shipped, quantity_returned
            FROM order_line WHERE order_id IN (SELECT wanted FROM {rows} r) ORDER BY order_id, position
            """, [], rows: rows
        ) { row in
            let order = row.id(0, of: Order.self)
            if let currency = currencies[order] { lines[order, default: []].append(line(row, currency)) }
        }
        var adjustments: [OrderID: [OrderAdjustment]] = [:]
        try transaction.run(
            """
            SELECT order_id, external_id, amount_minor, reason, is_from_source FROM order_adjustment
            WHERE order_id IN (SELECT wanted FROM {rows} r) ORDER BY order_id, recorded_at, external_id
            """, [], rows: rows
        ) { row in
            let order = row.id(0, of: Order.self)
            guard let currency = currencies[order] else { return }
            adjustments[order, default: []].append(
                OrderAdjustment(
                    externalID: row.text(1), amount: Money(minorUnits: row.int(2), currency: currency),
                    reason: row.textOrNil(3), isFromSource: row.flag(4)))
        }
        for index in orders.indices {
            orders[index].lines = lines[orders[index].id] ?? []
            orders[index].adjustments = adjustments[orders[index].id] ?? []
        }
    }

    private static func line(_ row: any Row, _ currency: Currency) -> OrderLine {
        func money(_ column: Int) -> Money { Money(minorUnits: row.int(column), currency: currency) }
        return OrderLine(
            key: row.text(1), itemID: row.textOrNil(2), sku: row.textOrNil(3), title: row.text(4),
            variant: row.idOrNil(5), match: LineMatch(rawValue: row.text(6)) ?? .unmatched,
            quantityOrdered: row.int(7), quantityCurrent: row.int(8), quantityFulfilled: row.int(9),
            unitPrice: money(10), total: money(11), tax: money(12), location: row.idOrNil(13),
            quantityShipped: row.int(14), quantityReturned: row.int(15))
    }
}
