import DequeModule
import Kernel

/// The deliveries to one endpoint that this process holds, and how many calls to it may run at once.
///
/// A pure state machine: a slow endpoint fills its own queue and its own window, never another's. What it has no room
/// for stays in the store (its backlog), from where the dispatcher fetches more as this empties.
///
/// A class, because each call looks at it a dozen times: as a value in a dictionary it is searched for and copied by
/// every look.
package final class EndpointQueue {
    enum Start {
        case call(ReadyDelivery)
        /// The rate allows the next call then.
        case at(Timestamp)
        /// Only retries and replays wait, and none may take a slot now.
        case onlyLater
        /// Nothing waits, or the window is full.
        case nothing
    }

    /// How one call ended, as far as the endpoint's health goes.
    enum End {
        case succeeded
        case failed
        /// No call was made.
        case uncalled
    }

    static let windowStart = 16
    /// Keeps a receiver busy that is a tenth of a second away and does a thousand a second.
    package static let windowMost = 128
    /// Enough for a whole window to be refilled sixteen times, so that claims are large.
    static let capacityMost = 2048
    /// Calls that take so long or longer are worth a connection of their own each.
    static let slow: Duration = .seconds(1)
    private static let laterWidthLeast = 16
    private static let laterInterval: Duration = .microseconds(100)
    /// Retries and replays that wait are not passed over by fresh deliveries more often than this.
    private static let freshInARowMost = 3

    let tenant: TenantID
    private var fresh: Deque<ReadyDelivery> = []
    private var later: Deque<ReadyDelivery> = []
    private var freshInARow = 0
    private(set) var inFlight = 0
    /// How many of them are retries and replays.
    private var laterInFlight = 0
    private(set) var window = windowStart
    /// The shortest that one of its latest calls took; a longer one draws it up a little.
    private(set) var quickest: Duration = .zero
    /// Calls at once for each endpoint that has something to do, if all keep a connection for each of their calls.
    var connections = windowMost
    /// Nil until the subscription was read; one call goes out meanwhile.
    private(set) var limits: EndpointLimits?
    private var bucket: TokenBucket?
    private(set) var breaker = Breaker()
    var backlog = Backlog()
    var leases = OwnLeases()
    /// Deliveries of replays that are here before they have rows.
    var unwritten = OwnLeases()
    /// Whether it stands in its tenant's line for a slot.
    var isInLine = false

    /// What is known of deliveries that wait for this endpoint in the store.
    struct Backlog: Sendable, Equatable {
        var exists = false
        var isFetching = false
        /// Counts the news of a backlog: a fetch that found nothing more may be older than the last of them.
        var news = 0
        /// How far fetches have gone through it: what they found, and is leased in memory, still stands there.
        var passed = DeliveryID.zero
        /// Another process takes from it: not looked at again before a poll finds that nobody does.
        var isOthers = false

        /// There is something in it.
        ///
        /// - Parameter fromStart: maybe in front of what fetches have gone past, or no longer another process's.
        mutating func note(fromStart: Bool) {
            if fromStart { (passed, isOthers) = (.zero, false) }
            if isOthers { return }
            exists = true
            news += 1
        }
    }

    init(tenant: TenantID) { self.tenant = tenant }

    var waiting: Int { fresh.count + later.count }
    var held: Int { waiting + inFlight }
    var isIdle: Bool { held == 0 }
    /// Whether it gets nothing now but single tries.
    var isTripped: Bool { breaker.state != .closed }

    // MARK: Room

    /// Calls that may run at once now.
    ///
    /// With many endpoints at work, a quick one gets no more than it can keep connections for: further calls would
    /// close those of others. A slow one does: where a call takes a second, opening a connection for it costs nothing.
    var width: Int {
        if isTripped || limits == nil { return 1 }
        let most = quickest < Self.slow ? min(window, connections) : window
        return max(1, min(most, limits?.inFlight ?? Self.windowMost))
    }

    /// Calls for retries and replays that may run at once: as many as ten thousand a second need, by what the quickest
    /// took. More of them would only wait for each other at the endpoint, and what happens now behind them.
    var laterWidth: Int {
        let most = Self.laterWidthLeast + Int(quickest / Self.laterInterval)
        return min(width, most)
    }

    /// Deliveries that may be held: what a narrow or slow endpoint could not send before the leases end stays in the
    /// store.
    var capacity: Int {
        var most = min(Self.capacityMost, 16 * (limits == nil ? window : width))
        if let rate = limits?.rate { most = min(most, max(2, 10 * rate)) }
        return most
    }

    /// Room for deliveries that come up by themselves. A quarter is kept for the backlog where there is one, or new
    /// deliveries would pass it over for ever.
    var room: Int {
        if isTripped || limits?.isOrdered == true { return 0 }
        return max(0, (backlog.exists ? capacity - capacity / 4 : capacity) - held)
    }

    /// Room for replays: half of what may be held stays for what happens now.
    ///
    /// - Parameter writing: deliveries without rows that are being written while as many as keep it busy are here.
    func laterRoom(writing: Int) -> Int {
        let most = writing + 3 * laterWidth
        return max(0, min(room, capacity / 2 - held, most - unwritten.held.count))
    }

    /// How many to fetch from the backlog now; zero until there is room for a batch that is worth it.
    var wanted: Int {
        guard backlog.exists, !backlog.isFetching, !isTripped else { return 0 }
        let left = stock - held
        return left >= max(1, stock / 4) ? left : 0
    }

    /// Deliveries that are worth holding when they have to be fetched. A thousand endpoints that hang must not fill all
    /// of memory with what waits for them: until a call has come back an endpoint gets some to begin with, and a slow
    /// one a quarter more than it calls at once.
    private var stock: Int {
        if quickest == .zero { return min(capacity, max(width, Self.windowStart / 2)) }
        return quickest < Self.slow ? capacity : min(capacity, width + width / 4)
    }

    /// Whether a call could start if there were a slot.
    var wantsToStart: Bool {
        (!fresh.isEmpty || startsLater) && inFlight < width && breaker.state != .open
    }

    private var startsLater: Bool { !later.isEmpty && laterInFlight < laterWidth }

    /// Whether a new one would behave the same.
    func isForgettable(now: Timestamp) -> Bool {
        isIdle && !isInLine && !backlog.exists && leases.isEmpty && unwritten.isEmpty
            && breaker == Breaker() && (bucket?.isFull(now: now) ?? true)
    }

    // MARK: Calls

    func append(_ delivery: ReadyDelivery) {
        if delivery.isLater { later.append(delivery) } else { fresh.append(delivery) }
        if delivery.isUnwritten {
            unwritten.begin(delivery.id)
        } else if delivery.isLeasedInMemory {
            leases.begin(delivery.id)
        }
    }

    /// The next delivery to send, if the window and the rate have room. Those whose lease would not outlast a call are
    /// dropped.
    func start(now: Timestamp, laterToo: Bool, dropping dropped: inout [ReadyDelivery]) -> Start {
        while wantsToStart {
            if fresh.isEmpty && !laterToo { return .onlyLater }
            let takesLater = laterToo && startsLater && (fresh.isEmpty || freshInARow >= Self.freshInARowMost)
            guard let next = takesLater ? later.first : fresh.first else { return .nothing }
            let isLeased = next.outlastsCall(from: now)
            if isLeased, bucket != nil, bucket?.take(now: now) == false {
                return .at(bucket?.next(now: now) ?? now)
            }
            if takesLater { later.removeFirst() } else { fresh.removeFirst() }
            guard isLeased else {
                endLease(of: next)
                dropped.append(next)
                continue
            }
            freshInARow = takesLater ? 0 : freshInARow + 1
            inFlight += 1
            if next.isLater { laterInFlight += 1 }
            return .call(next)
        }
        return .nothing
    }

    /// One call ended. The window grows by one with each success and halves with each failure.
    ///
    /// - Parameters:
    ///   - took: how long it was under way.
    ///   - isLater: whether it was a retry or a replay.
    func finish(
        _ end: End, took: Duration = .zero, isLater: Bool = false, jitter: Double
    ) -> Breaker.Turn? {
        inFlight -= 1
        if isLater { laterInFlight -= 1 }
        if end != .uncalled {
            quickest = quickest == .zero ? took : min(took, quickest + (took - quickest) / 16)
        }
        switch end {
        case .uncalled:
            breaker.abandonProbe()
            return nil
        case .succeeded:
            let turn = breaker.succeeded()
            // After a standstill the whole backlog must not fall upon it at once.
            window = turn == .closed ? 1 : min(window + 1, Self.windowMost)
            return turn
        case .failed:
            window = max(window / 2, 1)
            return breaker.failed(jitter: jitter)
        }
    }

    /// Takes over what the subscription says now.
    func configure(_ limits: EndpointLimits, now: Timestamp) {
        if limits == self.limits { return }
        if limits.rate != self.limits?.rate {
            bucket = limits.rate.map { TokenBucket(rate: $0, now: now) }
            // The calls that went out before this was known count.
            for _ in 0..<inFlight { _ = bucket?.take(now: now) }
        }
        self.limits = limits
    }

    /// Ends one lease in memory: its row says what became of it, or it is to be found again. True when it was the last.
    @discardableResult
    func endLease(of delivery: ReadyDelivery) -> Bool {
        if delivery.isUnwritten { unwritten.end(delivery.id) } else { leases.end(delivery.id) }
        return leases.isEmpty && unwritten.isEmpty
    }

    /// Has one lease in memory go on without a call.
    func restLease(of delivery: ReadyDelivery, until time: Timestamp) {
        if delivery.isUnwritten {
            unwritten.rest(delivery.id, until: time)
        } else if delivery.isLeasedInMemory {
            leases.rest(delivery.id, until: time)
        }
    }

    func endRestedLeases(now: Timestamp) {
        leases.endRested(now: now)
        unwritten.endRested(now: now)
    }

    func probe() { breaker.probe() }

    func adoptBreaker(isOpen: Bool, trips: Int) { breaker.adopt(isOpen: isOpen, trips: trips) }

    /// Takes out what has not been started; leases of it that are kept in memory end.
    func removeWaiting() -> [ReadyDelivery] {
        let removed = Array(fresh) + Array(later)
        (fresh, later) = ([], [])
        for delivery in removed { endLease(of: delivery) }
        return removed
    }

    /// Takes out what has not been started of one replay.
    func removeWaiting(of replay: ReplayID) -> [ReadyDelivery] {
        let removed = Array(later.filter { $0.replay == replay })
        later.removeAll { $0.replay == replay }
        for delivery in removed { endLease(of: delivery) }
        return removed
    }
}
