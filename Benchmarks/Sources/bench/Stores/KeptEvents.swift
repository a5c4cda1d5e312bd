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
        """
        INSERT INTO event (id, tenant_id, org_id, user_id, role, type, entity_type, entity_id, occurred_at, source,
            causation_id, payload)
        VALUES (?, ?, ?, zeroblob(16), 'system', 'order.created', 'order', ?, ?, 'connection', ?, ?)
        """,
        "INSERT INTO feed (tenant_id, org_id, position, event_id) VALUES (?, ?, ?, ?)",
    ]

    /// Prepares a folder by the server itself (schema, keys, tenant), then fills its database.
    static func prepare(_ count: Int, launch: TradewindServer.Launch) async throws -> KeptEvents {
        let tenant = try await TradewindServer.with(launch) { try await Workspace(on: $0).tenant }
        let kept = KeptEvents(tenant: tenant, count: count)
        try kept.fill(SQLiteFile(SQLiteFile.path(in: launch.dataFolder)))
        return kept
    }

    private func fill(_ file: SQLiteFile) throws {
        // The file is nobody else's now, and is thrown away if this fails half way.
        try file.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000")
        let statements = try Self.statements.map(file.prepare)
        let first = try file.integer("SELECT position FROM feed_head") + 1
        // Ten days back and forward to now: inside the retention of thirty days.
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let span: Int64 = 10 * 86_400_000
        var random = SystemRandomNumberGenerator()
        for start in stride(from: 0, to: count, by: 50_000) {
            try file.execute("BEGIN")
            for number in start..<min(count, start + 50_000) {
                let at = now - span + Int64(number) * span / Int64(count)
                try insert(number, position: first + Int64(number), at: at, into: statements, using: &random)
            }
            try file.execute("COMMIT")
        }
        try file.execute("UPDATE feed_head SET position = \(first + Int64(count) - 1)")
        try file.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    }

    private func insert(
        _ number: Int, position: Int64, at: Int64, into statements: [SQLiteFile.Statement],
        using random: inout SystemRandomNumberGenerator
    ) throws {
        let scope = SQLiteFile.Value.bytes(Self.bytes(tenant))
        let inbox = SQLiteFile.Value.bytes(Self.identifier(at: at, using: &random))
        let event = SQLiteFile.Value.bytes(Self.identifier(at: at, using: &random))
        let order = SQLiteFile.Value.bytes(Self.identifier(at: at, using: &random))
        let key = Self.identifier(at: Int64.random(in: 0 ... .max, using: &random), using: &random)
        let body = Array(shape.body(number: String(1_000_000_000 + number)).utf8)
        try statements[0].run([.bytes(key), inbox])
        try statements[1].run([inbox, scope, scope, scope, .int(at), .bytes(body)])
        try statements[2].run([inbox, scope, scope, .bytes([]), .int(at), order, .int(at), .int(at)])
        try statements[3].run([event, scope, scope, order, .int(at), inbox, .bytes(payload(number))])
        try statements[4].run([scope, scope, .int(position), event])
    }

    private var shape: OrderShape { OrderShape(connection: "kept", secret: "", sku: "BOOT-KEPT", run: "00000000") }

    private func payload(_ number: Int) -> [UInt8] {
        Array(
            """
            {"order_id":"0197f000-0000-7000-8000-000000000000","external_id":"ord-00000000-\(1_000_000_000 + number)",\
            "status":"confirmed","channel":"unified","currency":"USD","total":438.89,"subtotal":428.99,"shipping":9.90,\
            "tax":0.00,"discount":0.00,"match_status":"full",\
            "lines":[{"sku":"BOOT-KEPT","quantity":1,"unit_price":149.99},\
            {"sku":"BOOT-KEPT","quantity":2,"unit_price":139.50}]}
            """.utf8)
    }

    /// 16 bytes that begin with a time in milliseconds, as a UUIDv7 does.
    private static func identifier(at: Int64, using random: inout SystemRandomNumberGenerator) -> [UInt8] {
        let high = UInt64(bitPattern: at) << 16 | 0x7000 | UInt64.random(in: 0...0xFFF, using: &random)
        let low = UInt64.random(in: 0 ... .max, using: &random) >> 2 | 1 << 63
        return [high, low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    private static func bytes(_ id: UUID) -> [UInt8] { withUnsafeBytes(of: id.uuid) { Array($0) } }
}
