import Kernel

extension DispatchState {
    /// A part of one endpoint's backlog that there is room for.
    struct Fetch: Sendable, Equatable {
        let subscription: SubscriptionID
        let tenant: TenantID
        let limit: Int
        let news: Int
        /// Behind which delivery to go on, and which to pass over: those that are leased in memory.
        var passed = DeliveryID.zero
        var leased: Set<DeliveryID> = []

        /// How it went.
        struct End: Sendable {
            let fetch: Fetch
            /// The store had less than was asked for.
            let isEmptied: Bool
            /// How far it has gone through the backlog.
            var passed = DeliveryID.zero
            /// Another process takes from this backlog.
            var isOthers = false
        }
    }

    /// Deliveries that are worth a statement, if the endpoint has room for so many.
    private static let fetchLeast = 32

    /// There are deliveries in the store that wait for these endpoints.
    ///
    /// - Parameter fromStart: there may be some that fetches have gone past.
    mutating func noteBacklog(_ endpoints: some Sequence<(SubscriptionID, TenantID)>, fromStart: Bool = false) {
        for (id, tenant) in endpoints {
            let queue = queue(id, tenant)
            queue.backlog.note(fromStart: fromStart)
            want(id, queue)
        }
    }

    /// Has the loop fetch a part of the backlog, if there is one and room for it.
    mutating func want(_ id: SubscriptionID, _ queue: EndpointQueue) {
        if isStopping || queue.wanted == 0 { return }
        if wanting.insert(id).inserted { ring() }
    }

    /// Has the loop fetch for those that found no place in memory, once an eighth of it is free again.
    mutating func wantPlaces() {
        if !wanting.isEmpty, placesLeft > bounds.places / 8 { ring() }
    }

    /// What to fetch now: tenants with the fewest deliveries in memory first.
    ///
    /// - Parameters:
    ///   - endpoints: at most so many at once; each is a search on SQLite.
    ///   - rows: at most so many deliveries.
    mutating func planFetches(endpoints: Int, rows: Int) -> [Fetch] {
        var (fetches, left) = ([Fetch](), min(rows, placesLeft))
        let waiting = wanting.compactMap { id in
            queues[id].map { (id: id, queue: $0, held: placesHeld(by: $0.tenant), own: $0.held) }
        }.sorted { ($0.held, $0.own, $0.id) < ($1.held, $1.own, $1.id) }
        // Where many want some, nobody gets all.
        let each = max(Self.fetchLeast, placesLeft / max(1, waiting.count))
        var planned: [TenantID: Int] = [:]
        for (id, queue, _, _) in waiting where fetches.count < endpoints && left > 0 {
            let tenant = queue.tenant
            if queue.wanted == 0 {
                wanting.remove(id)
                continue
            }
            let limit = min(queue.wanted, each, left, placesLeft(of: tenant) - planned[tenant, default: 0])
            if limit <= 0 { continue }
            left -= limit
            planned[tenant, default: 0] += limit
            wanting.remove(id)
            queue.backlog.isFetching = true
            fetches.append(
                Fetch(
                    subscription: id, tenant: tenant, limit: limit, news: queue.backlog.news,
                    passed: queue.backlog.passed, leased: queue.leases.held))
        }
        return fetches
    }

    /// A fetch is over.
    mutating func fetched(_ end: Fetch.End, now: Timestamp) {
        let id = end.fetch.subscription
        guard let queue = queues[id] else { return }
        queue.backlog.isFetching = false
        queue.backlog.passed = end.isEmptied ? .zero : end.passed
        if end.isOthers { queue.backlog.isOthers = true }
        if end.isOthers || (end.isEmptied && queue.backlog.news == end.fetch.news) { queue.backlog.exists = false }
        want(id, queue)
        forget(id, queue, now: now)
    }

    // MARK: Leases in memory

    /// What became of these deliveries stands in their rows.
    mutating func endLeases(of deliveries: [ReadyDelivery], now: Timestamp) {
        for delivery in deliveries where delivery.isLeasedInMemory {
            let id = delivery.subscription
            if let queue = queues[id], queue.endLease(of: delivery) { forget(id, queue, now: now) }
        }
    }

    /// Endpoints of whose deliveries some are leased in memory or under way.
    func engaged(now: Timestamp) -> [SubscriptionID] {
        for queue in queues.values { queue.endRestedLeases(now: now) }
        return queues.filter { !$0.value.leases.isEmpty || $0.value.inFlight > 0 }.map(\.key)
    }

    /// A delivery was not sent, or what became of it could not be written down: it is fetched again after `time`.
    func restLease(of delivery: ReadyDelivery, until time: Timestamp) {
        queues[delivery.subscription]?.restLease(of: delivery, until: time)
    }

    // MARK: Breakers

    /// Takes over the breakers that the store says are open; those that it doesn't name are closed.
    mutating func adopt(_ open: [BreakerStore.Stored]) {
        let unwritten = Set(turned.map(\.subscription))
        var known: Set<SubscriptionID> = []
        for breaker in open {
            known.insert(breaker.subscription)
            if unwritten.contains(breaker.subscription) { continue }
            queue(breaker.subscription, breaker.tenant).adoptBreaker(isOpen: true, trips: breaker.trips)
        }
        for (id, queue) in queues where !known.contains(id) && !unwritten.contains(id) {
            let state = queue.breaker.state
            guard state == .open || (state == .halfOpen && queue.isIdle) else { continue }
            queue.adoptBreaker(isOpen: false, trips: 0)
            want(id, queue)
        }
    }

    /// The store has given this copy deliveries to try endpoints with.
    mutating func probe(_ deliveries: [ReadyDelivery]) {
        for delivery in deliveries {
            queue(delivery.subscription, delivery.tenant).probe()
        }
    }

    /// Looks over all machines: a rate that has recovered meanwhile tells nobody, nor does a lease that has rested.
    mutating func forgetIdle(now: Timestamp) {
        for (id, queue) in queues {
            queue.endRestedLeases(now: now)
            forget(id, queue, now: now)
        }
    }
}
