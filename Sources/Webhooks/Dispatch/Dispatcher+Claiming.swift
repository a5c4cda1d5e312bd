import Kernel
import Logging
import Storage
import Synchronization

extension Dispatcher {
    /// Deliveries of one claim. Each costs a row changed, so that nobody waits for the store for long.
    static let claimMost = 1024
    /// Deliveries of one fetch over all endpoints, and endpoints: each of those is a search on SQLite.
    private static let fetchMost = 4096
    private static let fetchEndpointsMost = 64
    /// Endpoints with a backlog that one poll looks at.
    private static let lookMost = 512
    /// Every so many polls it is looked for deliveries that wait behind nothing any more.
    private static let pollsBetweenSweeps = 30

    private func newClaim() -> Claim {
        Claim(number: Chance.claimNumber(random()), duration: Self.lease, now: time.now())
    }

    /// One look at the store for all that is due, and what follows from it; returns how many deliveries were taken.
    @discardableResult
    func claimDue() async -> Int {
        let (last, count) = polls.withLock { polls in
            polls.begin()
            return (polls.last, polls.count)
        }
        if state.withLock({ $0.isStopping }) { return 0 }
        do {
            let process = process
            let (look, others) = try await database.read(.background) { transaction in
                let look = try DeliveryStore.look(backlogsAfter: last, limit: Self.lookMost, in: transaction)
                let others = try process.map { process in
                    try BacklogLeases.others(among: look.backlogs.map(\.0), than: process, in: transaction)
                }
                return (look, others ?? [])
            }
            polls.withLock { $0.looked(at: look.backlogs.map(\.0), most: Self.lookMost) }
            change { state, now in
                state.adopt(look.breakers)
                state.forgetIdle(now: now)
                state.noteBacklog(look.backlogs.lazy.filter { !others.contains($0.0) }, fromStart: true)
                return []
            }
            var claimed = 0
            if look.isDue { claimed += try await claimTimed() }
            if look.breakers.contains(where: \.isDue) { claimed += try await claimTries() }
            if count % Self.pollsBetweenSweeps == Self.pollsBetweenSweeps - 1 { try await freeForgotten() }
            polls.withLock { $0.end(claimed: claimed, most: Self.claimMost) }
            return claimed + (await turn())
        } catch {
            logger.warning("claiming deliveries failed", metadata: ["error": "\(error)"])
            return 0
        }
    }

    /// Claims what is due by its time. What there is no room for is held back, so that no claim meets it again.
    private func claimTimed() async throws -> Int {
        let claim = newClaim()
        let (ready, held) = try await database.write(.background) { transaction in
            let due = try DeliveryStore.due(limit: Self.claimMost, in: transaction)
            var room = self.room(for: due.lazy.map { ($0.subscription, $0.tenant) })
            try self.closeLimited(among: due.map(\.subscription), &room, in: transaction)
            var (taken, held): ([WaitingDelivery], [WaitingDelivery]) = ([], [])
            for delivery in due {
                if room.take(delivery.subscription, delivery.tenant) {
                    taken.append(delivery)
                } else {
                    held.append(delivery)
                }
            }
            try DeliveryStore.lease(taken, claim, in: transaction)
            try DeliveryStore.holdBack(held, in: transaction)
            return (try DeliveryStore.ready(taken, claim, in: transaction), held)
        }
        offer(ready, areTries: false)
        change { state, _ in
            state.noteBacklog(held.lazy.map { ($0.subscription, $0.tenant) }, fromStart: true)
            return []
        }
        return ready.count + held.count
    }

    /// Claims one delivery for each endpoint with an open breaker whose time has come.
    private func claimTries() async throws -> Int {
        let (holder, leases) = (DeliveryStore.Holder(claim: newClaim(), process: process), leasesInMemory)
        let ready = try await database.write(.background) { transaction in
            let tries = try BreakerStore.claimTries(holder, leases, in: transaction)
            return try DeliveryStore.ready(tries, holder.claim, in: transaction)
        }
        offer(ready, areTries: true)
        return ready.count
    }

    /// What has to be done between polls: writes down breakers that turned, starts endpoints whose rate allows it
    /// again, and fetches parts of backlogs that there is room for. Returns how many deliveries were fetched.
    @discardableResult
    func turn() async -> Int {
        await writeTurned()
        change { state, now in state.wake(now: now) }
        let fetched = await fetchHeld()
        // Endpoints that this fetch had no statement left for: once more round the loop, which also has polls to make.
        if fetched > 0 {
            change { state, _ in
                state.wantPlaces()
                return []
            }
        }
        return fetched
    }

    private func fetchHeld() async -> Int {
        let fetches = state.withLock {
            $0.planFetches(endpoints: Self.fetchEndpointsMost, rows: Self.fetchMost)
        }
        if fetches.isEmpty { return 0 }
        let holder = DeliveryStore.Holder(claim: newClaim(), process: process)
        do {
            // Mostly it only reads. SQLite's writer does it all the same: it has the pages at hand, while a reader
            // would take them in anew after each commit.
            return take(try await database.write(.background) { try DeliveryStore.fetch(fetches, holder, in: $0) })
        } catch {
            logger.warning("fetching a backlog failed", metadata: ["error": "\(error)"])
            let now = time.now()
            // Until the next poll finds them again: a store that is gone must not be asked without a pause.
            state.withLock { for fetch in fetches { $0.fetched(.init(fetch: fetch, isEmptied: true), now: now) } }
            return 0
        }
    }

    private func take(_ fetched: DeliveryStore.Fetched) -> Int {
        change { state, now in
            let started = state.offer(fetched.ready, now: now)
            for end in fetched.ends { state.fetched(end, now: now) }
            return started
        }
        return fetched.ready.count
    }

    /// Writes down the breakers that turned here and gives back what waited behind them, in one transaction.
    func writeTurned() async {
        let (turned, returned) = state.withLock { $0.takeTurned() }
        if turned.isEmpty { return }
        let (now, watch) = (time.now(), watch)
        do {
            let news = try await database.write(.background) { transaction in
                let told = try BreakerStore.write(turned, now: now, in: transaction)
                try DeliveryStore.returnToBacklog(
                    returned.filter { !$0.isLeasedInMemory }, in: transaction)
                return try watch.turned(told, transaction)
            }
            if let news { act(on: news) }
            change { state, _ in
                state.noteBacklog(turned.lazy.map { ($0.subscription, $0.tenant) }, fromStart: true)
                return []
            }
        } catch {
            logger.warning("a breaker was not written down", metadata: ["error": "\(error)"])
            state.withLock { $0.putBack(turned, returned) }
        }
    }

    private func freeForgotten() async throws {
        if process != nil { try await database.write(.background) { try BacklogLeases.sweep(in: $0) } }
        let endpoints = try await database.read(.background) { transaction in
            try DeliveryStore.endpoints(held: 2, after: .zero, limit: Self.lookMost, in: transaction)
        }
        for (subscription, _) in endpoints {
            try await database.write(.background) { transaction in
                try DeliveryStore.freeForgotten(of: subscription, in: transaction)
            }
        }
    }
}
