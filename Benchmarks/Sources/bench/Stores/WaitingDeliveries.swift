import FoundationEssentials

/// Deliveries that wait, put straight into a stopped server's store together with their events.
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
    func add(_ count: Int, waitingFor wait: Wait, to launch: TradewindServer.Launch) async throws {
        let store = try launch.stoppedStore()
        let rows = try await EventRows(store)
        let delivery = try store.rows(
            of: "delivery",
            [
                "id", "tenant_id", "subscription_id", "event_id", "state", "attempts", "next_at", "claim", "created_at",
                "held",
            ])
        let now = EventRows.now()
        let (attempts, next, held): (Int64, Int64, Int64) =
            switch wait {
            case .due: (0, now, 0)
            case .later: (3, now + 6 * 3_600_000, 0)
            case .room: (0, now, 1)
            }
        try await store.fill(count) { number in
            let endpoint = endpoints[number % endpoints.count]
            // A thousand a second, so that those of one time stand side by side in the store, as they do in life.
            let at = now - Int64(count - number)
            let id = rows.identifier(at: at)
            let event = try rows.insert(
                number, tenant: endpoint.tenant, at: at, order: rows.identifier(at: at), causation: id)
            try delivery.add([
                .id(id), .id(endpoint.tenant), .id(endpoint.subscription), .id(event), .text("pending"),
                .int(attempts), .int(next), .int(0), .int(now), .int(held),
            ])
        }
        try await rows.finish()
    }

    /// Opens the endpoints' breakers for longer than any run lasts.
    func openBreakers(in launch: TradewindServer.Launch) async throws {
        let store = try launch.stoppedStore()
        let breaker = try store.rows(
            of: "breaker", ["subscription_id", "tenant_id", "state", "trips", "opened_at", "next_at", "is_told"])
        let now = EventRows.now()
        try await store.fill(endpoints.count) { number in
            try breaker.add([
                .id(endpoints[number].subscription), .id(endpoints[number].tenant), .text("open"), .int(5), .int(now),
                .int(now + 6 * 3_600_000), .int(1),
            ])
        }
    }

    /// How many of the endpoints' deliveries are in a state, asked of a stopped server's store.
    func count(_ condition: String, in launch: TradewindServer.Launch) async throws -> Int {
        let store = try launch.stoppedStore()
        return Int(
            try await store.integer("SELECT count(*) FROM delivery WHERE \(areTheirs(store)) AND \(condition)"))
    }

    /// Makes those that a run has held back due once more.
    func makeDue(in launch: TradewindServer.Launch) async throws {
        let store = try launch.stoppedStore()
        try await store.execute(
            "UPDATE delivery SET held = 0, next_at = \(EventRows.now()), claim = 0 WHERE \(areTheirs(store))")
    }

    private func areTheirs(_ store: any StoppedStore) -> String {
        "subscription_id IN (\(endpoints.map { store.literal($0.subscription) }.joined(separator: ",")))"
    }
}
