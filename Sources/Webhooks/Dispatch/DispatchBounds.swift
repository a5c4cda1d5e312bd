import Kernel

/// What the dispatcher may hold and do at once. The sizes of a whole server; tests take smaller ones.
package struct DispatchBounds: Sendable, Equatable {
    /// Calls at once over all endpoints.
    package var slots: Int
    /// Slots that retries and replays leave to first attempts.
    package var reservedSlots: Int
    /// Deliveries in memory, each counted once and once more for each 8 KiB of payload: 128 MiB of payloads at most.
    package var places: Int

    /// Connections that are kept over all endpoints when they have nothing to do for a moment.
    package var connections: Int

    /// Deliveries of replays to one endpoint that are being written. Few with SQLite, since what happens now waits for
    /// its one writer; more where records wait longer for each other. There it is what holds a replay back, so that it
    /// leaves some of the processors to what happens now.
    package var writing = 48

    package static let standard = DispatchBounds(slots: 16_384, reservedSlots: 4096, places: 16_384)

    package init(slots: Int, reservedSlots: Int, places: Int, connections: Int = 4096) {
        self.slots = slots
        self.reservedSlots = reservedSlots
        self.places = places
        self.connections = connections
    }

    /// Connections for each of so many endpoints: four at least, which do some thousand calls a second.
    func connections(among endpoints: Int) -> Int { max(4, connections / max(1, endpoints)) }

    /// How much of something a tenant may have: four times what is left of it. One alone gets four fifths; ten greedy
    /// ones leave a fortieth to the next who comes; nobody has to give anything back.
    static func share(ofLeft left: Int) -> Int { 4 * left }
}

/// What room there is for new deliveries of some endpoints, in the process and in their queues.
struct Room {
    var left: Int
    var tenants: [TenantID: Int] = [:]
    var endpoints: [SubscriptionID: Int] = [:]

    /// Leaves none to an endpoint.
    mutating func close(_ subscription: SubscriptionID) { endpoints[subscription] = 0 }

    /// Takes up room for a delivery of that size; false when it has to wait in the store.
    mutating func take(_ subscription: SubscriptionID, _ tenant: TenantID, places: Int = 1) -> Bool {
        guard left >= places, let own = endpoints[subscription], own > 0 else { return false }
        guard let shared = tenants[tenant], shared >= places else { return false }
        left -= places
        tenants[tenant] = shared - places
        endpoints[subscription] = own - 1
        return true
    }
}
