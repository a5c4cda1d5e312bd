import Events
import Kernel
import Storage

/// What somebody wrote on an order. It is answered here and never leaves by push or feed.
package struct OrderNote: Sendable, Equatable {
    package let id: ID<OrderNote>
    package let text: String
    package let author: Actor
    package let createdAt: Timestamp
}

/// The rows that hang on an order and are read for its story alone: notes and tags. Its owner was checked before.
enum OrderNoteStore {
    static func insert(
        _ note: OrderNote, of order: OrderID, tenant: TenantID, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO order_note (id, order_id, tenant_id, text, user_id, role, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .id(note.id), .id(order), .id(tenant), .text(note.text), .id(note.author.user),
                .text(note.author.role), .time(note.createdAt),
            ])
    }

    /// The newest notes on an order, oldest first.
    static func list(
        of order: OrderID, tenant: TenantID, limit: Int, in transaction: any Transaction
    ) throws -> [OrderNote] {
        try transaction.all(
            """
            SELECT id, text, user_id, role, created_at FROM order_note
            WHERE order_id = $1 AND tenant_id = $2 ORDER BY id DESC LIMIT $3
            """, [.id(order), .id(tenant), .int(limit)]
        ) { row in
            OrderNote(
                id: row.id(0), text: row.text(1), author: Actor(user: row.id(2), role: row.text(3)),
                createdAt: row.time(4))
        }.reversed()
    }

    /// Takes the texts out of all notes on some orders: people write there what they know of a buyer.
    static func empty(of orders: [OrderID], in transaction: any Transaction) throws {
        let rows = RowBatch(wanted: orders)
        try transaction.execute(
            "UPDATE order_note SET text = '' WHERE order_id IN (SELECT wanted FROM {rows} r)", rows: rows)
    }

    /// Makes an order findable by these tags and by no others.
    static func setTags(
        _ tags: [String], of order: OrderID, tenant: TenantID, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "DELETE FROM order_tag WHERE order_id = $1 AND tenant_id = $2", [.id(order), .id(tenant)])
        var rows = RowBatch(["tag": .text])
        for tag in tags { rows.append(.text(tag)) }
        try transaction.execute(
            "INSERT INTO order_tag (tenant_id, tag, order_id) SELECT $1, tag, $2 FROM {rows} r",
            [.id(tenant), .id(order)], rows: rows)
    }
}
