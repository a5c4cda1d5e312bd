import DequeModule
import Kernel

/// All queues, and the slots and places that they share. Pure: each event gives the deliveries to call now.
struct DispatchState {
    struct Share {
        var calls = 0
        var places = 0
        /// Endpoints that could start a call if they got a slot, in the order of waiting.
        var line: Deque<SubscriptionID> = []
    }

    /// A breaker that opened or closed here, to be written down.
    struct Turned: Sendable, Equatable {
        let subscription: SubscriptionID
        let tenant: TenantID
        let turn: Breaker.Turn
        /// Whether the attempt that turned it was one of an operational event.
        var isOperational = false
    }

    let bounds: DispatchBounds
    var queues: [SubscriptionID: EndpointQueue] = [:]
    private var tenants: [TenantID: Share] = [:]
    private(set) var calls = 0
    private(set) var places = 0
    /// Tenants with endpoints that wait for a slot.
    private var inLine: Set<TenantID> = []
    /// Endpoints whose rate is used up, and until when.
    private(set) var sleeping: [SubscriptionID: Timestamp] = [:]
    /// Endpoints that have room for a part of their backlog.
    var wanting: Set<SubscriptionID> = []
    /// What the loop has to write down: breakers that turned, and the deliveries that they sent back.
    private(set) var turned: [Turned] = []
    private(set) var returned: [ReadyDelivery] = []
    /// Whether there is something for the dispatcher's loop to do before its next poll.
    private var needsTurn = false
    var isStopping = false

    init(bounds: DispatchBounds) { self.bounds = bounds }

    mutating func ring() { needsTurn = true }

    /// Whether the loop has to be woken; asked once.
    mutating func takeNeedsTurn() -> Bool {
        defer { needsTurn = false }
        return needsTurn
    }

    mutating func takeTurned() -> (turned: [Turned], returned: [ReadyDelivery]) {
        defer { (turned, returned) = ([], []) }
        return (turned, returned)
    }

    /// The store could not be written: the same again at the next turn.
    mutating func putBack(_ turned: [Turned], _ returned: [ReadyDelivery]) {
        self.turned = turned + self.turned
        self.returned = returned + self.returned
    }

    // MARK: Taking in

    var placesLeft: Int { isStopping ? 0 : max(0, bounds.places - places) }

    func placesLeft(of tenant: TenantID) -> Int {
        let left = placesLeft
        return max(0, min(left, DispatchBounds.share(ofLeft: left) - (tenants[tenant]?.places ?? 0)))
    }

    func placesHeld(by tenant: TenantID) -> Int { tenants[tenant]?.places ?? 0 }

    /// The room for new deliveries of these endpoints.
    func room(for endpoints: some Sequence<(SubscriptionID, TenantID)>) -> Room {
        var room = Room(left: placesLeft)
        for (id, tenant) in endpoints {
            room.endpoints[id] = queues[id]?.room ?? EndpointQueue(tenant: tenant).room
            room.tenants[tenant] = placesLeft(of: tenant)
        }
        return room
    }

    /// The room for new replays to an endpoint.
    func laterRoom(for id: SubscriptionID, _ tenant: TenantID) -> Room {
        let queue = queues[id] ?? EndpointQueue(tenant: tenant)
        return Room(
            left: placesLeft, tenants: [tenant: placesLeft(of: tenant)],
            endpoints: [id: queue.laterRoom(writing: bounds.writing)])
    }

    /// The queue of an endpoint, a new one where nothing is known of it.
    mutating func queue(_ id: SubscriptionID, _ tenant: TenantID) -> EndpointQueue {
        if let known = queues[id] { return known }
        let new = EndpointQueue(tenant: tenant)
        queues[id] = new
        return new
    }

    /// Takes deliveries that are leased to this process; returns those to call now.
    mutating func offer(_ deliveries: [ReadyDelivery], now: Timestamp) -> [ReadyDelivery] {
        var started: [ReadyDelivery] = []
        for delivery in deliveries {
            let queue = queue(delivery.subscription, delivery.tenant)
            queue.append(delivery)
            count(delivery.places, of: delivery.tenant)
            start(delivery.subscription, queue, now: now, into: &started)
        }
        return started
    }

    private mutating func count(_ change: Int, of tenant: TenantID) {
        places += change
        tenants[tenant, default: Share()].places += change
    }

    // MARK: Starting

    private mutating func start(
        _ id: SubscriptionID, _ queue: EndpointQueue, now: Timestamp, into started: inout [ReadyDelivery]
    ) {
        while let next = startOne(id, queue, now: now) { started.append(next) }
    }

    private mutating func startOne(
        _ id: SubscriptionID, _ queue: EndpointQueue, now: Timestamp
    ) -> ReadyDelivery? {
        queue.connections = bounds.connections(among: queues.count)
        guard !isStopping, queue.wantsToStart else { return nil }
        let left = bounds.slots - calls
        guard left > 0, (tenants[queue.tenant]?.calls ?? 0) < DispatchBounds.share(ofLeft: left) else {
            standInLine(id, queue)
            return nil
        }
        var dropped: [ReadyDelivery] = []
        let start = queue.start(now: now, laterToo: left > bounds.reservedSlots, dropping: &dropped)
        for delivery in dropped { count(-delivery.places, of: delivery.tenant) }
        switch start {
        case .call(let delivery):
            calls += 1
            tenants[queue.tenant, default: Share()].calls += 1
            return delivery
        case .at(let time):
            if sleeping.updateValue(time, forKey: id) == nil { ring() }
        case .onlyLater: standInLine(id, queue)
        case .nothing: break
        }
        return nil
    }

    private mutating func standInLine(_ id: SubscriptionID, _ queue: EndpointQueue) {
        if queue.isInLine { return }
        queue.isInLine = true
        tenants[queue.tenant, default: Share()].line.append(id)
        inLine.insert(queue.tenant)
    }

    /// Gives free slots to those that wait for them: always to the tenant with the fewest calls, and among its
    /// endpoints in turn.
    private mutating func startFromLines(now: Timestamp, into started: inout [ReadyDelivery]) {
        var candidates = inLine
        while calls < bounds.slots,
            let tenant = candidates.min(by: { (tenants[$0]?.calls ?? 0, $0) < (tenants[$1]?.calls ?? 0, $1) })
        {
            let before = started.count
            for _ in 0..<(tenants[tenant]?.line.count ?? 0) {
                guard let id = tenants[tenant]?.line.popFirst() else { break }
                guard let queue = queues[id] else { continue }
                queue.isInLine = false
                guard let next = startOne(id, queue, now: now) else { continue }
                started.append(next)
                if queue.wantsToStart { standInLine(id, queue) }
                break
            }
            if tenants[tenant]?.line.isEmpty != false {
                inLine.remove(tenant)
                candidates.remove(tenant)
            } else if started.count == before {
                candidates.remove(tenant)
            }
        }
    }

    // MARK: Ending

    /// The subscription was read: its first call is on its way, and the others may follow.
    mutating func configure(
        _ id: SubscriptionID, _ limits: EndpointLimits, now: Timestamp
    ) -> [ReadyDelivery] {
        var started: [ReadyDelivery] = []
        guard let queue = queues[id], queue.limits != limits else { return started }
        queue.configure(limits, now: now)
        start(id, queue, now: now, into: &started)
        want(id, queue)
        return started
    }

    /// A call ended; returns those to make in its place.
    mutating func finish(
        _ delivery: ReadyDelivery, _ end: EndpointQueue.End, took: Duration = .zero, limits: EndpointLimits?,
        now: Timestamp, jitter: Double
    ) -> [ReadyDelivery] {
        let id = delivery.subscription
        calls -= 1
        tenants[delivery.tenant]?.calls -= 1
        count(-delivery.places, of: delivery.tenant)
        guard let queue = queues[id] else { return [] }
        if let limits { queue.configure(limits, now: now) }
        if let turn = queue.finish(end, took: took, isLater: delivery.isLater, jitter: jitter) {
            let isOperational = EndpointWatch.isOperational(delivery.event)
            turned.append(
                Turned(subscription: id, tenant: delivery.tenant, turn: turn, isOperational: isOperational))
            if case .opened = turn { returned += removeWaiting(id) }
            ring()
        }
        var started: [ReadyDelivery] = []
        if inLine.isEmpty {
            start(id, queue, now: now, into: &started)
        } else {
            if queue.wantsToStart { standInLine(id, queue) }
            startFromLines(now: now, into: &started)
        }
        want(id, queue)
        wantPlaces()
        forget(id, queue, now: now)
        return started
    }

    /// The next calls of endpoints whose rate allows one again.
    mutating func wake(now: Timestamp) -> [ReadyDelivery] {
        var started: [ReadyDelivery] = []
        for id in sleeping.filter({ $0.value <= now }).keys.sorted() {
            sleeping[id] = nil
            if let queue = queues[id] { start(id, queue, now: now, into: &started) }
        }
        return started
    }

    /// Drops machines that remember nothing, so that endpoints of yesterday cost no memory.
    mutating func forget(_ id: SubscriptionID, _ queue: EndpointQueue, now: Timestamp) {
        guard queue.isForgettable(now: now) else { return }
        queues[id] = nil
        sleeping[id] = nil
        wanting.remove(id)
        if let share = tenants[queue.tenant], share.calls == 0, share.places == 0, share.line.isEmpty {
            tenants[queue.tenant] = nil
            inLine.remove(queue.tenant)
        }
    }

    /// Takes out what waits for one endpoint.
    @discardableResult
    mutating func removeWaiting(_ id: SubscriptionID) -> [ReadyDelivery] {
        let removed = queues[id]?.removeWaiting() ?? []
        for delivery in removed { count(-delivery.places, of: delivery.tenant) }
        sleeping[id] = nil
        return removed
    }

    /// Takes out what waits of one replay.
    mutating func removeWaiting(_ id: SubscriptionID, of replay: ReplayID) {
        guard let queue = queues[id] else { return }
        for delivery in queue.removeWaiting(of: replay) { count(-delivery.places, of: delivery.tenant) }
        want(id, queue)
    }

    /// Takes out everything that has not been started.
    mutating func drain() -> [ReadyDelivery] {
        isStopping = true
        return Array(queues.keys).flatMap { removeWaiting($0) }
    }
}
