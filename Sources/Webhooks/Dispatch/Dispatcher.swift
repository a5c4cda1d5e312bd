import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization

/// Sends what is due: fresh deliveries at once, from memory; retries and those of copies that died by claiming them.
///
/// Each endpoint has a queue and a window of its own, so that a slow one delays nobody else.
package final class Dispatcher: Service {
    /// How long a delivery belongs to the process that leased it.
    static let lease = Leases.current.duration
    /// The longest that one attempt may take; see `Leases`.
    static let callTime = Leases.current.callTime
    /// Deliveries held in memory over all endpoints: about 2 KiB each.
    static let capacity = 8192

    fileprivate struct State {
        var queues: [SubscriptionID: EndpointQueue] = [:]
        var held = 0
        var calls = 0
        var isStopping = false
    }

    /// The claim number of deliveries that this process commits itself.
    let claim: Int64
    private let database: any Database
    private let sender: AttemptSender
    private let recorder: AttemptRecorder
    private let time: TimeSource
    private let random: @Sendable () -> UInt64
    private let logger: Logger
    private let doorbell = Doorbell()
    private let idle = Doorbell()
    private let state = Mutex(State())

    package init(
        database: any Database, sender: AttemptSender, time: TimeSource, random: @escaping @Sendable () -> UInt64,
        logger: Logger
    ) {
        self.database = database
        self.sender = sender
        self.time = time
        self.random = random
        self.logger = logger
        self.claim = Chance.claimNumber(random())
        self.recorder = AttemptRecorder(
            database: database, time: time, logger: logger, disabled: { sender.directory.forget($0) })
    }

    // MARK: Taking in

    /// Makes this process lease nothing of what it commits: it will not send.
    package func leaveToOthers() { state.withLock { $0.isStopping = true } }

    /// What room there is now, for deciding which new deliveries this process leases to itself.
    func room() -> Room {
        state.withLock { state in
            Room(left: state.isStopping ? 0 : Self.capacity - state.held, perEndpoint: state.queues.mapValues(\.held))
        }
    }

    struct Room {
        var left: Int
        var perEndpoint: [SubscriptionID: Int]

        mutating func take(_ subscription: SubscriptionID) -> Bool {
            guard left > 0, perEndpoint[subscription, default: 0] < EndpointQueue.capacity else { return false }
            left -= 1
            perEndpoint[subscription, default: 0] += 1
            return true
        }
    }

    /// Takes deliveries that are leased to this process and starts those whose window has room.
    func offer(_ deliveries: [ReadyDelivery]) {
        if deliveries.isEmpty { return }
        let now = time.now()
        let started = state.withLock { state in
            var started: [ReadyDelivery] = []
            for delivery in deliveries {
                state.queues[delivery.subscription, default: EndpointQueue()].append(delivery)
                state.held += 1
                if !state.isStopping, let next = state.start(delivery.subscription, now: now) { started.append(next) }
            }
            return started
        }
        for delivery in started { Task { await self.work(from: delivery) } }
    }

    // MARK: Sending

    /// Sends one delivery after another to the same endpoint until its queue or its window has no more for this task.
    private func work(from first: ReadyDelivery) async {
        var current: ReadyDelivery? = first
        while let delivery = current {
            let succeeded = await attempt(delivery)
            let now = time.now()
            let (next, extra, isIdle) = state.withLock { state in
                state.finish(delivery.subscription, succeeded: succeeded)
                if state.isStopping { return (ReadyDelivery?.none, ReadyDelivery?.none, state.calls == 0) }
                let next = state.start(delivery.subscription, now: now)
                // A success has widened the window by one: a second task may join.
                let extra = next == nil ? nil : state.start(delivery.subscription, now: now)
                return (next, extra, false)
            }
            if let extra { Task { await self.work(from: extra) } }
            if isIdle { idle.ring() }
            current = next
        }
    }

    private func attempt(_ delivery: ReadyDelivery) async -> Bool {
        let jitter = Chance.fraction(random())
        do {
            switch try await sender.send(delivery, jitter: jitter) {
            case .sent(let record):
                CrashPoint.reach(.afterSend)
                await recorder.record(record)
                return record.decision == .delivered
            case .noEndpoint(let reason):
                try await skip(delivery, reason: reason)
                return true
            }
        } catch {
            // The store could not be asked for the endpoint. The lease ends by itself and the delivery is claimed anew.
            logger.warning(
                "delivery put off", metadata: ["delivery": "\(delivery.id)", "error": "\(error)"])
            return false
        }
    }

    /// Ends what waits for an endpoint that takes nothing more.
    ///
    /// The store decides: what is known here of the endpoint may be two seconds old, and an event that came after its
    /// activation must not be lost.
    private func skip(_ delivery: ReadyDelivery, reason: String) async throws {
        let (id, now) = (delivery.subscription, time.now())
        let isOver = try await database.write(.background) { transaction in
            if try SubscriptionStore.isActive(id, tenant: delivery.tenant, in: transaction) {
                try DeliveryStore.release([delivery], due: now + Self.shortWait, in: transaction)
                return false
            }
            try DeliveryStore.skipPending(of: id, reason: reason, now: now, in: transaction)
            return true
        }
        if isOver { state.withLock { $0.removeWaiting(id) } } else { sender.directory.forget(id) }
    }

    // MARK: Claiming

    /// Says that deliveries to a subscription were written which nobody holds yet.
    func wake(for subscription: SubscriptionID, tenant: TenantID) { doorbell.ring() }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let claimed = await self.claimDue()
                // A full batch means that more is due; otherwise poll: the store is the truth.
                if claimed < Self.claimLimit { await self.doorbell.wait(upTo: .seconds(1)) }
            }
        }
        await stop()
    }

    private static let claimLimit = 256
    /// When what could not be taken in is due again.
    private static let shortWait: Duration = .seconds(5)

    /// One look at the store for what is due; returns how many deliveries were claimed.
    func claimDue() async -> Int {
        let room = room()
        let limit = min(room.left, Self.claimLimit)
        guard limit > 0 else { return 0 }
        let (claim, now) = (Chance.claimNumber(random()), time.now())
        do {
            let claimed = try await database.write(.background) { transaction in
                try DeliveryStore.claim(claim, lease: Self.lease, limit: limit, now: now, in: transaction)
            }
            try await admit(claimed, room: room)
            return claimed.count
        } catch {
            logger.warning("claiming deliveries failed", metadata: ["error": "\(error)"])
            return 0
        }
    }

    /// Takes claimed deliveries in; those of an endpoint whose queue is full go back, due a little later.
    private func admit(_ claimed: [ReadyDelivery], room: Room) async throws {
        var room = room
        var taken: [ReadyDelivery] = []
        var returned: [ReadyDelivery] = []
        for delivery in claimed {
            if room.take(delivery.subscription) { taken.append(delivery) } else { returned.append(delivery) }
        }
        offer(taken)
        if returned.isEmpty { return }
        let (back, due) = (returned, time.now() + Self.shortWait)
        try await database.write(.background) { transaction in
            try DeliveryStore.release(back, due: due, in: transaction)
        }
    }

    // MARK: Stopping

    /// Starts nothing new, gives back what waits, and lets running calls end for a few seconds.
    func stop() async {
        let waiting = state.withLock { state in
            state.isStopping = true
            return state.drain()
        }
        let now = time.now()
        do {
            try await database.write(.background) { transaction in
                try DeliveryStore.release(waiting, due: now, in: transaction)
            }
        } catch {
            logger.warning("leases were not given back; they end by themselves", metadata: ["error": "\(error)"])
        }
        if state.withLock({ $0.calls }) > 0 { await idle.wait(upTo: .seconds(6)) }
        await recorder.flush(upTo: .seconds(2))
    }
}

extension Dispatcher.State {
    fileprivate mutating func start(_ subscription: SubscriptionID, now: Timestamp) -> ReadyDelivery? {
        guard var queue = queues.removeValue(forKey: subscription) else { return nil }
        let before = queue.held
        let started = queue.start(now: now)
        held -= before - queue.held
        if started != nil { calls += 1 }
        if !queue.isIdle { queues[subscription] = queue }
        return started
    }

    fileprivate mutating func finish(_ subscription: SubscriptionID, succeeded: Bool) {
        queues[subscription]?.finish(succeeded: succeeded)
        held -= 1
        calls -= 1
    }

    /// Drops what waits for one endpoint and is settled in the store already.
    fileprivate mutating func removeWaiting(_ subscription: SubscriptionID) {
        held -= queues[subscription]?.removeWaiting().count ?? 0
    }

    /// Takes out everything that has not been started.
    fileprivate mutating func drain() -> [ReadyDelivery] {
        var drained: [ReadyDelivery] = []
        for key in queues.keys {
            let waiting = queues[key]?.removeWaiting() ?? []
            held -= waiting.count
            drained += waiting
        }
        return drained
    }
}
