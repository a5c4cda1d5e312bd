import Connectors
import Durable
import Events
import Kernel
import Storage

package enum InboxEntry {}
package typealias InboxID = ID<InboxEntry>

/// One verified delivery on its way to disk.
struct InboundDelivery: Sendable {
    let id: InboxID
    let scope: Scope
    let connection: ConnectionID
    /// The name of the connector that took it in, which is the one that can read it.
    let connector: String
    let arrival: Arrival
    /// 16 bytes that an exact re-delivery has too.
    let key: [UInt8]
    let receivedAt: Timestamp
    let body: [UInt8]
    /// The claim that the import workflow is born with; nil when it is to be due for whoever comes.
    let claim: WorkflowClaim?
}

/// What became of a delivery on its way to disk.
enum StoredDelivery: Sendable, Equatable {
    case accepted(InboxID)
    case duplicate(InboxID)
}

/// The rows of the inbox. An entry and its import workflow have the same id.
enum InboxStore {
    /// Stores a batch in a handful of statements: keys first, then what they show to be new.
    static func insert(
        _ batch: [InboundDelivery], keys: InboxKeys, in transaction: any Transaction
    ) throws -> [StoredDelivery] {
        let digests = batch.map { InboxKey(bytes: $0.key, inbox: $0.id) }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        let fresh = try keys.insert(digests, in: transaction)
        try insertFresh(batch.filter { fresh.contains($0.id) }, in: transaction)
        if fresh.count == batch.count { return batch.map { .accepted($0.id) } }
        let holders = try keys.known(batch.lazy.filter { !fresh.contains($0.id) }.map(\.key), in: transaction)
        return batch.map { fresh.contains($0.id) ? .accepted($0.id) : .duplicate(holders[$0.key] ?? $0.id) }
    }

    private static func insertFresh(_ batch: [InboundDelivery], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "connection_id": .uuid, "connector": .text,
            "event": .text, "disposition": .text, "reason": .text, "received_at": .int, "body": .bytes,
        ])
        rows.reserve(batch.count)
        var workflows = WorkflowStore.newRows()
        for delivery in batch {
            var reason: String?
            var disposition = "import"
            if case .ignored(let why) = delivery.arrival.disposition { (disposition, reason) = ("ignored", why) }
            rows.append(
                .id(delivery.id), .id(delivery.scope.tenant), .id(delivery.scope.organisation),
                .id(delivery.connection), .text(delivery.connector), .text(delivery.arrival.event),
                .text(disposition), .text(reason), .time(delivery.receivedAt), .bytes(delivery.body))
            guard disposition == "import" else { continue }
            let unclaimed = OrderImport.claim(
                delivery.id, scope: delivery.scope, number: 0, createdAt: delivery.receivedAt)
            WorkflowStore.append(delivery.claim ?? unclaimed, leased: delivery.claim != nil, to: &workflows)
        }
        try transaction.execute(
            """
            INSERT INTO inbox (id, tenant_id, org_id, connection_id, connector, event, disposition, reason, received_at,
                body)
            SELECT id, tenant_id, org_id, connection_id, connector, event, disposition, reason, received_at, body
            FROM {rows} r
            """, rows: rows)
        try WorkflowStore.insert(workflows, in: transaction)
    }

    // MARK: Reading

    /// A stored delivery with what is needed to process it.
    struct Stored: Sendable {
        let id: InboxID
        let scope: Scope
        let connection: ConnectionID
        /// The name of the connector that reads the body.
        let connector: String
        /// The platform behind the connection, which the order's channel is named after.
        let provider: String
        let event: String
        let body: [UInt8]
    }

    static func fetch(_ ids: [InboxID], in transaction: any Transaction) throws -> [InboxID: Stored] {
        let rows = RowBatch(wanted: ids)
        var found: [InboxID: Stored] = [:]
        try transaction.run(
            """
            SELECT i.id, i.tenant_id, i.org_id, i.connection_id, i.connector, c.provider, i.event, i.body
            FROM {rows} r JOIN inbox i ON i.id = r.wanted JOIN connection c ON c.id = i.connection_id
            """, [], rows: rows
        ) { row in
            let stored = Stored(
                id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), connection: row.id(3),
                connector: row.text(4), provider: row.text(5), event: row.text(6), body: row.bytes(7))
            found[stored.id] = stored
        }
        return found
    }
}
