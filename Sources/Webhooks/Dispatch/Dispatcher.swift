import Events
import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Sends what is due: fresh deliveries at once, from memory; everything else by claiming it.
///
/// Each endpoint has a queue and a window of its own, and each tenant its share of slots and places, so that a slow one
/// delays nobody else. What is decided stands in `DispatchState`; here it is done.
package final class Dispatcher: Service {
    /// How long a delivery belongs to the process that leased it.
    static let lease = Leases.current.duration
    /// The longest that one attempt may take; see `Leases`.
    static let callTime = Leases.current.callTime

    /// See `DispatchBounds.writing`.
    private static let writingBesideOthers = 320

    /// The claim number of deliveries that this process commits itself.
    let claim: Int64
    let database: any Database
    let sender: AttemptSender
    let time: TimeSource
    let random: @Sendable () -> UInt64
    let watch: DeliveryWatch
    let logger: Logger
    let state: Mutex<DispatchState>
    /// The number under which this process leases backlogs, where others have the store too.
    let process: Int64?
    let polls = Mutex(Polls())
    /// Rung when there is something to do before the next poll.
    let doorbell = Doorbell()
    private let idle = Doorbell()
    private let recorder: AttemptRecorder
    private let execution: DispatchExecution

    /// - Parameter leases: as the store asks for it, if nothing is said: SQLite's file belongs to one process.
    package init(
        database: any Database, sender: AttemptSender, time: TimeSource, random: @escaping @Sendable () -> UInt64,
        logger: Logger, bounds: DispatchBounds = .standard, watch: DeliveryWatch = .none,
        execution: DispatchExecution = .standard, leases: LeaseKeeping? = nil
    ) {
        self.database = database
        let leases = leases ?? (database.dialect == .sqlite ? .alone : .amongCopies)
        self.sender = sender
        self.time = time
        self.random = random
        self.watch = watch
        self.logger = logger
        claim = Chance.claimNumber(random())
        process = leases == .amongCopies ? claim : nil
        var bounds = bounds
        if database.dialect == .postgres { bounds.writing = max(bounds.writing, Self.writingBesideOthers) }
        self.state = Mutex(DispatchState(bounds: bounds))
        self.execution = execution
        self.recorder = AttemptRecorder(
            database: database, process: process, time: time, logger: logger, watch: watch, execution: execution)
    }

    package var leasesInMemory: LeasesInMemory {
        LeasesInMemory { id in self.state.withLock { $0.queues[id]?.leases.held ?? [] } }
    }

    // MARK: Taking in

    /// Makes this process lease nothing of what it commits: it will not send.
    package func leaveToOthers() { state.withLock { $0.isStopping = true } }

    /// What room there is now, for deciding which new deliveries this process leases to itself.
    func room(for endpoints: some Sequence<(SubscriptionID, TenantID)>) -> Room {
        let endpoints = Array(endpoints)
        return state.withLock { $0.room(for: endpoints) }
    }

    /// The same for new deliveries of these subscriptions.
    func room(for subscriptions: some Sequence<SubscriptionStore.Stored>) -> Room {
        var room = room(for: subscriptions.map { ($0.id, $0.scope.tenant) })
        if process != nil { for target in subscriptions where target.limitsCalls { room.close(target.id) } }
        return room
    }

    /// The same for one endpoint's replays, which leave some of it to what happens now.
    func laterRoom(for subscription: SubscriptionID, _ tenant: TenantID) -> Room {
        state.withLock { $0.laterRoom(for: subscription, tenant) }
    }

    /// The same for those that are written first.
    func laterRoom(
        for subscription: SubscriptionID, _ tenant: TenantID, in transaction: any Transaction
    ) throws -> Room {
        var room = laterRoom(for: subscription, tenant)
        try closeLimited(among: [subscription], &room, in: transaction)
        return room
    }

    /// Whether an endpoint gets nothing now but single tries, which are made with what waits for it in the store.
    func isTripped(_ subscription: SubscriptionID) -> Bool {
        state.withLock { $0.queues[subscription]?.isTripped ?? false }
    }

    /// Leaves no room to endpoints whose limits only the copy can keep that has their backlog.
    func closeLimited(
        among subscriptions: [SubscriptionID], _ room: inout Room, in transaction: any Transaction
    ) throws {
        if process == nil { return }
        for id in try DeliveryStore.limited(among: subscriptions, in: transaction) { room.close(id) }
    }

    /// Takes what a transaction left, once it is on disk.
    func offer(_ new: NewDeliveries) {
        if new.isEmpty { return }
        change { state, now in
            if !state.isStopping { state.noteBacklog(new.backlogs.lazy.map { ($0.key, $0.value) }) }
            return state.offer(new.ready, now: now)
        }
    }

    /// Takes deliveries that were claimed.
    func offer(_ claimed: [ReadyDelivery], areTries: Bool) {
        change { state, now in
            if areTries { state.probe(claimed) }
            return state.offer(claimed, now: now)
        }
    }

    /// Changes the state, makes the calls that follow, and wakes the loop where it has to write or fetch.
    func change(_ body: (inout DispatchState, Timestamp) -> [ReadyDelivery]) {
        let now = time.now()
        let (started, needsTurn) = state.withLock { state in (body(&state, now), state.takeNeedsTurn()) }
        if needsTurn { doorbell.ring() }
        for delivery in started { execution.start { await self.work(from: delivery) } }
    }

    // MARK: Sending

    /// Makes one call after another, until there is none to make in the place of the last.
    private func work(from first: ReadyDelivery) async {
        var current: ReadyDelivery? = first
        var isFirst = true
        while let delivery = current {
            let (end, took, limits) = await call(delivery, isFirst: isFirst)
            isFirst = false
            let (now, jitter) = (time.now(), end == .failed ? jitter() : 0)
            let (calls, needsTurn, isIdle) = state.withLock { state in
                let started = state.finish(
                    delivery, end, took: took, limits: limits, now: now, jitter: jitter)
                return (started, state.takeNeedsTurn(), state.isStopping && state.calls == 0)
            }
            if needsTurn { doorbell.ring() }
            if isIdle { idle.ring() }
            current = calls.first
            for other in calls.dropFirst() { execution.start { await self.work(from: other) } }
        }
    }

    private func call(
        _ delivery: ReadyDelivery, isFirst: Bool
    ) async -> (EndpointQueue.End, took: Duration, EndpointLimits?) {
        do {
            guard let endpoint = try await sender.directory.endpoint(delivery.subscription, tenant: delivery.tenant)
            else {
                try await skip(delivery, reason: "the subscription was deleted")
                return (.uncalled, .zero, nil)
            }
            guard endpoint.isActive else {
                try await skip(delivery, reason: DeliveryStore.disabledReason)
                return (.uncalled, .zero, nil)
            }
            let limits = EndpointLimits(endpoint)
            // Asking for the endpoint may have taken long.
            if !delivery.outlastsCall(from: time.now()) {
                endLeases(of: [delivery])
                return (.uncalled, .zero, nil)
            }
            if isFirst { change { $0.configure(delivery.subscription, limits, now: $1) } }
            let record = await sender.attempt(delivery, at: endpoint, jitter: jitter)
            CrashPoint.reach(.afterSend)
            await recorder.record(record) { self.recorded($0, $1) }
            let end: EndpointQueue.End =
                switch record.decision {
                case .delivered: .succeeded
                case .gone: .uncalled
                default: .failed
                }
            return (end, record.duration, limits)
        } catch {
            // The store could not be asked for the endpoint. The lease ends by itself and the delivery is claimed anew.
            logger.warning("delivery put off", metadata: ["delivery": "\(delivery.id)", "error": "\(error)"])
            restLease(of: delivery, for: Self.lease)
            return (.uncalled, .zero, nil)
        }
    }

    private func recorded(_ record: AttemptRecord, _ result: Result<AttemptRecorder.Batch?, any Error>) {
        let delivery = record.delivery
        guard case .success(let batch) = result else { return restLease(of: delivery, for: Self.lease) }
        if let batch {
            if let news = batch.news { act(on: news) }
            // Before its lease ends: who looks in between must not take it for lost.
            for delivery in batch.deliveries { delivery.sending?.wrote(delivery.id) }
            endLeases(of: batch.deliveries)
        }
        if record.decision == .gone { sender.directory.forget(delivery.subscription) }
        if record.endsOrdered {
            change { state, _ in
                state.noteBacklog(CollectionOfOne((delivery.subscription, delivery.tenant)))
                return []
            }
        }
    }

    /// Goes by what the watch has changed.
    func act(on news: DeliveryNews) {
        for id in news.disabled.keys { sender.directory.forget(id) }
        change { state, _ in
            // In the store these ended with the subscription.
            for id in news.disabled.keys { state.removeWaiting(id) }
            if !state.isStopping {
                state.noteBacklog(news.backlogs.lazy.map { ($0.key, $0.value) })
                // Some may be left, which end as they are fetched.
                state.noteBacklog(news.disabled.lazy.map { ($0.key, $0.value) })
            }
            return []
        }
        watch.committed(news)
    }

    /// Which of these deliveries without rows are not here any more, neither waiting nor called nor being recorded.
    func lost(of deliveries: some Sequence<DeliveryID>, to subscription: SubscriptionID) -> [DeliveryID] {
        let held = state.withLock { $0.queues[subscription]?.unwritten.held } ?? []
        return deliveries.filter { !held.contains($0) }
    }

    /// Forgets what this process holds of a replay that was cancelled: in the store it has ended.
    func drop(_ replay: ReplayID, to subscription: SubscriptionID) {
        change { state, _ in
            state.removeWaiting(subscription, of: replay)
            return []
        }
    }

    private func jitter() -> Double { Chance.fraction(random()) }

    /// Ends what waits for an endpoint that takes nothing more, a part in a transaction.
    ///
    /// The store decides: what is known here of the endpoint may be two seconds old, and an event that came after its
    /// activation must not be lost.
    private func skip(_ delivery: ReadyDelivery, reason: String) async throws {
        let (id, tenant, now) = (delivery.subscription, delivery.tenant, time.now())
        var (isActive, isMore) = (false, true)
        while isMore {
            (isActive, isMore) = try await database.write(.background) { transaction in
                if try SubscriptionStore.isActive(id, tenant: tenant, in: transaction) {
                    if !delivery.isLeasedInMemory {
                        try DeliveryStore.release([delivery], due: now + Self.shortWait, in: transaction)
                    }
                    return (true, false)
                }
                return (
                    false,
                    try DeliveryStore.skipPending(
                        of: id, tenant: tenant, otherwise: reason, now: now, in: transaction)
                )
            }
        }
        if isActive {
            sender.directory.forget(id)
            restLease(of: delivery, for: Self.shortWait)
        } else {
            state.withLock { _ = $0.removeWaiting(id) }
            endLeases(of: [delivery])
        }
    }

    private func endLeases(of deliveries: [ReadyDelivery]) {
        if !deliveries.contains(where: \.isLeasedInMemory) { return }
        let now = time.now()
        state.withLock { $0.endLeases(of: deliveries, now: now) }
    }

    private func restLease(of delivery: ReadyDelivery, for duration: Duration) {
        if !delivery.isLeasedInMemory { return }
        let now = time.now()
        state.withLock { $0.restLease(of: delivery, until: now + duration) }
    }

    /// When a delivery is due again whose endpoint was thought to be disabled.
    private static let shortWait: Duration = .seconds(5)

    // MARK: Running

    /// How often the store is asked for what is due, and for what other copies left.
    private static let pollInterval: Duration = .seconds(1)

    /// Says that deliveries to a subscription were written which nobody holds yet.
    func wake(for subscription: SubscriptionID, tenant: TenantID) {
        change { state, _ in
            state.noteBacklog(CollectionOfOne((subscription, tenant)))
            return []
        }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // Polls go by a clock that nobody sets; what rests for its rate goes by the time that it was told.
            let clock = ContinuousClock()
            var nextPoll = clock.now
            while !Task.isCancelled {
                if clock.now >= nextPoll {
                    await self.claimDue()
                    // Parts of backlogs follow by themselves as there is room; otherwise poll: the store is the truth.
                    let isMore = self.polls.withLock { $0.isMore }
                    nextPoll = clock.now + (isMore ? .zero : Self.pollInterval)
                } else {
                    await self.turn()
                }
                var wait = clock.now.duration(to: nextPoll)
                if let time = self.state.withLock({ $0.sleeping.values.min() }) {
                    wait = min(wait, time - self.time.now())
                }
                if wait > .zero { await self.doorbell.wait(upTo: wait) }
            }
        }
        await stop()
    }

    // MARK: Stopping

    /// Starts nothing new, gives back what waits, and lets running calls end for a few seconds.
    func stop() async {
        await giveBack()
        if state.withLock({ $0.calls }) > 0 { await execution.wait(idle, .seconds(6)) }
        // What the last calls said of their endpoints, and what was committed for this process as it began to stop;
        // once more where a call has ended while the store took its time.
        for _ in 0..<2 {
            await recorder.flush(upTo: .seconds(2))
            await giveBack()
            if !recorder.isBehind { return }
        }
    }

    private func giveBack() async {
        let waiting = state.withLock { $0.drain() }.filter { !$0.isLeasedInMemory }
        await writeTurned()
        let (now, process) = (time.now(), process)
        if waiting.isEmpty && process == nil { return }
        do {
            try await database.write(.background) { transaction in
                try DeliveryStore.release(waiting, due: now, in: transaction)
                guard let process else { return }
                // As it is now: records may have been written while this waited behind them.
                let kept = self.state.withLock { $0.engaged(now: now) }
                try BacklogLeases.giveBack(from: process, keeping: kept, in: transaction)
            }
        } catch {
            logger.warning("leases were not given back; they end by themselves", metadata: ["error": "\(error)"])
        }
    }
}
