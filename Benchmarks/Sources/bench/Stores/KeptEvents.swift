import FoundationEssentials

/// A store that has seen many orders: rows put straight into the server's own, stopped, SQLite file.
///
/// Each order leaves what an imported one leaves in the tables that grow without end and aren't emptied by work:
/// its key, its inbox row, its completed workflow, its event and the event's place in the feed.
struct KeptEvents {
    let tenant: UUID
    let count: Int

    private static let statements = [
        "INSERT INTO inbox_key (key, inbox_id) VALUES (?, ?)",
        """
        INSERT INTO inbox (id, tenant_id, org_id, connection_id, connector, event, disposition, received_at, body)
        VALUES (?, ?, ?, ?, 'unified', 'accounting.order.created', 'import', ?, ?)
        """,
        """
        INSERT INTO workflow (id, tenant_id, org_id, kind, state, input, next_at, claim, claims, attempts, outcome,
            result_id, created_at, updated_at)
        VALUES (?, ?, ?, 'order_import', 'completed', ?, ?, 1, 1, 1, 'processed', ?, ?, ?)
        """,
    ]

    /// Prepares a folder by the server itself (schema, keys, tenant), then fills its database.
    static func prepare(_ count: Int, launch: TradewindServer.Launch) async throws -> KeptEvents {
        let tenant = try await TradewindServer.with(launch) { try await Workspace(on: $0).tenant }
        let kept = KeptEvents(tenant: tenant, count: count)
        try kept.fill(SQLiteFile(SQLiteFile.path(in: launch.dataFolder)))
        return kept
    }

    private func fill(_ file: SQLiteFile) throws {
        let statements = try Self.statements.map(file.prepare)
        let rows = try EventRows(file)
        // Ten days back and forward to now: inside the retention of thirty days.
        let now = EventRows.now()
        let span: Int64 = 10 * 86_400_000
        try file.fill(count) { number in
            try insert(number, at: now - span + Int64(number) * span / Int64(count), rows, into: statements)
        }
        try rows.finish()
    }

    private func insert(
        _ number: Int, at: Int64, _ rows: EventRows, into statements: [SQLiteFile.Statement]
    ) throws {
        let scope = SQLiteFile.Value.bytes(EventRows.bytes(tenant))
        let (inbox, order) = (rows.identifier(at: at), rows.identifier(at: at))
        let key = rows.identifier(at: Int64.random(in: 0 ... .max))
        let body = Array(shape.body(number: String(1_000_000_000 + number)).utf8)
        try statements[0].run([.bytes(key), .bytes(inbox)])
        try statements[1].run([.bytes(inbox), scope, scope, scope, .int(at), .bytes(body)])
        try statements[2].run([
            .bytes(inbox), scope, scope, .bytes([]), .int(at), .bytes(order), .int(at), .int(at),
        ])
        _ = try rows.insert(number, tenant: tenant, at: at, order: order, causation: inbox)
    }

    private var shape: OrderShape { OrderShape(connection: "kept", secret: "", sku: "BOOT-KEPT", run: "00000000") }
}
