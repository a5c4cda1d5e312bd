import FoundationEssentials

/// Events of imported orders, put straight into a stopped server's store with their places in the feed.
final class EventRows {
    private let store: any StoppedStore
    private let event: any StoredRows
    private let feed: any StoredRows
    private var position: Int64
    private var random = SystemRandomNumberGenerator()

    init(_ store: any StoppedStore) async throws {
        self.store = store
        event = try store.rows(
            of: "event",
            [
                "id", "tenant_id", "org_id", "user_id", "role", "type", "entity_type", "entity_id", "occurred_at",
                "source", "causation_id", "payload",
            ])
        feed = try store.rows(of: "feed", ["tenant_id", "org_id", "position", "event_id"])
        position = try await store.integer("SELECT position FROM feed_head")
    }

    /// Inserts one and returns its id; a `Workspace` has one organisation, whose id is its tenant's.
    func insert(_ number: Int, tenant: UUID, at: Int64, order: [UInt8], causation: [UInt8]) throws -> [UInt8] {
        let (id, scope) = (identifier(at: at), StoredValue.id(tenant))
        position += 1
        try event.add([
            .id(id), scope, scope, .id([UInt8](repeating: 0, count: 16)), .text("system"), .text("order.created"),
            .text("order"), .id(order), .int(at), .text("connection"), .id(causation), .bytes(Self.payload(number)),
        ])
        try feed.add([scope, scope, .int(position), .id(id)])
        return id
    }

    /// Says where the next event's place is; without it the server would give places away twice.
    func finish() async throws { try await store.execute("UPDATE feed_head SET position = \(position)") }

    /// 16 bytes that begin with a time in milliseconds, as a UUIDv7 does.
    func identifier(at: Int64) -> [UInt8] {
        let high = UInt64(bitPattern: at) << 16 | 0x7000 | UInt64.random(in: 0...0xFFF, using: &random)
        let low = UInt64.random(in: 0 ... .max, using: &random) >> 2 | 1 << 63
        return [high, low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    private static func payload(_ number: Int) -> [UInt8] {
        Array(
            """
            {"order_id":"0197f000-0000-7000-8000-000000000000","external_id":"ord-00000000-\(1_000_000_000 + number)",\
            "status":"confirmed","channel":"unified","currency":"USD","total":438.89,"subtotal":428.99,"shipping":9.90,\
            "tax":0.00,"discount":0.00,"match_status":"full",\
            "lines":[{"sku":"BOOT-KEPT","quantity":1,"unit_price":149.99},\
            {"sku":"BOOT-KEPT","quantity":2,"unit_price":139.50}]}
            """.utf8)
    }
}
