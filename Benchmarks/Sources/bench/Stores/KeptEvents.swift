import FoundationEssentials

/// A store that has seen many orders: rows put straight into the server's own, stopped, store.
///
/// Each order leaves what an imported one leaves in the tables that grow without end and aren't emptied by work:
/// its key, its inbox row, its completed workflow, its event and the event's place in the feed.
struct KeptEvents {
    let tenant: UUID
    let count: Int

    /// Prepares a store by the server itself (schema, keys, tenant), then fills its database.
    static func prepare(_ count: Int, launch: TradewindServer.Launch) async throws -> KeptEvents {
        let tenant = try await TradewindServer.with(launch) { try await Workspace(on: $0).tenant }
        let kept = KeptEvents(tenant: tenant, count: count)
        try await kept.fill(launch.stoppedStore())
        return kept
    }

    private struct Tables {
        let key: any StoredRows
        let inbox: any StoredRows
        let workflow: any StoredRows

        init(_ store: any StoppedStore) throws {
            key = try store.rows(of: "inbox_key", ["key", "inbox_id"])
            inbox = try store.rows(
                of: "inbox",
                [
                    "id", "tenant_id", "org_id", "connection_id", "connector", "event", "disposition", "received_at",
                    "body",
                ])
            workflow = try store.rows(
                of: "workflow",
                [
                    "id", "tenant_id", "org_id", "kind", "state", "input", "next_at", "claim", "claims", "attempts",
                    "outcome", "result_id", "created_at", "updated_at",
                ])
        }
    }

    private func fill(_ store: any StoppedStore) async throws {
        let tables = try Tables(store)
        let rows = try await EventRows(store)
        // Ten days back and forward to now: inside the retention of thirty days.
        let now = EventRows.now()
        let span: Int64 = 10 * 86_400_000
        try await store.fill(count) { number in
            try insert(number, at: now - span + Int64(number) * span / Int64(count), rows, into: tables)
        }
        try await rows.finish()
    }

    private func insert(_ number: Int, at: Int64, _ rows: EventRows, into tables: Tables) throws {
        let scope = StoredValue.id(tenant)
        let (inbox, order) = (rows.identifier(at: at), rows.identifier(at: at))
        let key = rows.identifier(at: Int64.random(in: 0 ... .max))
        let body = Array(shape.body(number: String(1_000_000_000 + number)).utf8)
        try tables.key.add([.bytes(key), .id(inbox)])
        try tables.inbox.add([
            .id(inbox), scope, scope, scope, .text("unified"), .text("accounting.order.created"), .text("import"),
            .int(at), .bytes(body),
        ])
        try tables.workflow.add([
            .id(inbox), scope, scope, .text("order_import"), .text("completed"), .bytes([]), .int(at), .int(0), .int(0),
            .int(0), .text("processed"), .id(order), .int(at), .int(at),
        ])
        _ = try rows.insert(number, tenant: tenant, at: at, order: order, causation: inbox)
    }

    private var shape: OrderShape { OrderShape(connection: "kept", secret: "", sku: "BOOT-KEPT", run: "00000000") }
}
