import FoundationEssentials

/// Deliveries that wait, put straight into a stopped server's SQLite file together with their events.
struct WaitingDeliveries {
    /// What a delivery waits for.
    enum Wait {
        /// Nothing: it is to be claimed now.
        case due
        /// A retry in some hours.
        case later
        /// Room at its endpoint.
        case room
    }

    let endpoints: [Endpoint]

    /// Adds that many over all endpoints in turn, each with an event of its own.
    func add(_ count: Int, waitingFor wait: Wait, to launch: TradewindServer.Launch) throws {
        let file = try SQLiteFile(SQLiteFile.path(in: launch.dataFolder))
        let rows = try EventRows(file)
        let delivery = try file.prepare(
            """
            INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, attempts, next_at, claim, created_at,
                held)
            VALUES (?, ?, ?, ?, 'pending', ?, ?, 0, ?, ?)
            """)
        let now = EventRows.now()
        let (attempts, next, held): (Int64, Int64, Int64) =
            switch wait {
            case .due: (0, now, 0)
            case .later: (3, now + 6 * 3_600_000, 0)
            case .room: (0, now, 1)
            }
        try file.fill(count) { number in
            let endpoint = endpoints[number % endpoints.count]
            // A thousand a second, so that those of one time stand side by side in the store, as they do in life.
            let at = now - Int64(count - number)
            let id = rows.identifier(at: at)
            let event = try rows.insert(
                number, tenant: endpoint.tenant, at: at, order: rows.identifier(at: at), causation: id)
            try delivery.run([
                .bytes(id), .bytes(EventRows.bytes(endpoint.tenant)), .bytes(EventRows.bytes(endpoint.subscription)),
                .bytes(event), .int(attempts), .int(next), .int(now), .int(held),
            ])
        }
        try rows.finish()
    }

    /// Opens the endpoints' breakers for longer than any run lasts.
    func openBreakers(in launch: TradewindServer.Launch) throws {
        let file = try SQLiteFile(SQLiteFile.path(in: launch.dataFolder))
        let breaker = try file.prepare(
            """
            INSERT INTO breaker (subscription_id, tenant_id, state, trips, opened_at, next_at, is_told)
            VALUES (?, ?, 'open', 5, ?, ?, 1)
            """)
        let now = EventRows.now()
        for endpoint in endpoints {
            try breaker.run([
                .bytes(EventRows.bytes(endpoint.subscription)), .bytes(EventRows.bytes(endpoint.tenant)), .int(now),
                .int(now + 6 * 3_600_000),
            ])
        }
    }

    /// How many of the endpoints' deliveries are in a state, asked of a stopped server's file.
    func count(_ condition: String, in launch: TradewindServer.Launch) throws -> Int {
        let ids = endpoints.map { "x'\($0.subscription.uuidString.filter { $0 != "-" })'" }.joined(separator: ",")
        let file = try SQLiteFile(SQLiteFile.path(in: launch.dataFolder))
        return Int(
            try file.integer("SELECT count(*) FROM delivery WHERE subscription_id IN (\(ids)) AND \(condition)"))
    }

    /// Makes those that a run has held back due once more.
    func makeDue(in launch: TradewindServer.Launch) throws {
        let ids = endpoints.map { "x'\($0.subscription.uuidString.filter { $0 != "-" })'" }.joined(separator: ",")
        try SQLiteFile(SQLiteFile.path(in: launch.dataFolder)).execute(
            "UPDATE delivery SET held = 0, next_at = \(EventRows.now()), claim = 0 WHERE subscription_id IN (\(ids))")
    }
}
