import Kernel
import Storage

/// The rows of parcels. Their order was found in its owner's scope before.
enum ParcelStore {
    static func insert(
        _ parcel: Parcel, of order: OrderID, tenant: TenantID, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO order_parcel (id, order_id, tenant_id, kind, external_id, carrier, tracking_number,
                tracking_url, reason, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            [
                .id(parcel.id), .id(order), .id(tenant), .text(parcel.kind.rawValue), .text(parcel.externalID),
                .text(parcel.carrier), .text(parcel.trackingNumber), .text(parcel.trackingURL), .text(parcel.reason),
                .time(parcel.createdAt),
            ])
        var rows = RowBatch(["line_key": .text, "quantity": .int])
        for line in parcel.lines { rows.append(.text(line.key), .int(line.quantity)) }
        try transaction.execute(
            """
            INSERT INTO order_parcel_line (parcel_id, line_key, quantity)
            SELECT $1, line_key, quantity FROM {rows} r
            """, [.id(parcel.id)], rows: rows)
    }

    /// The parcels of one order, oldest first.
    static func list(of order: OrderID, tenant: TenantID, in transaction: any Transaction) throws -> [Parcel] {
        var lines: [ID<Parcel>: [Parcel.Line]] = [:]
        try transaction.run(
            """
            SELECT l.parcel_id, l.line_key, l.quantity FROM order_parcel p
                JOIN order_parcel_line l ON l.parcel_id = p.id
            WHERE p.order_id = $1 AND p.tenant_id = $2 ORDER BY l.parcel_id, l.line_key
            """, [.id(order), .id(tenant)], rows: nil
        ) { row in
            lines[row.id(0), default: []].append(Parcel.Line(key: row.text(1), quantity: row.int(2)))
        }
        return try transaction.all(
            """
            SELECT id, kind, external_id, carrier, tracking_number, tracking_url, reason, created_at
            FROM order_parcel WHERE order_id = $1 AND tenant_id = $2 ORDER BY id
            """, [.id(order), .id(tenant)]
        ) { row in
            let id: ID<Parcel> = row.id(0)
            return Parcel(
                id: id, kind: row.text(1) == Parcel.Kind.returned.rawValue ? .returned : .fulfilment,
                externalID: row.textOrNil(2), carrier: row.textOrNil(3), trackingNumber: row.textOrNil(4),
                trackingURL: row.textOrNil(5), reason: row.textOrNil(6), lines: lines[id] ?? [],
                createdAt: row.time(7))
        }
    }
}
