import Events
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("Leases that one process keeps in memory", .endsWhenHung)
struct OwnLeaseTests {
    private static let now = SampleDeliveries.now
    private static let endpoint = SubscriptionID(high: 9, low: 1)

    private func delivery(_ number: UInt64) -> ReadyDelivery {
        SampleDeliveries.delivery(number, to: Self.endpoint, claim: OwnLeases.claim)
    }

    /// A state with that many deliveries that were fetched and leased, and a backlog behind them.
    private func state(holding count: UInt64) throws -> DispatchState {
        var state = DispatchState(bounds: .standard)
        state.noteBacklog(CollectionOfOne((Self.endpoint, Hub.scope.tenant)))
        let fetch = try #require(state.planFetches(endpoints: 1, rows: 1000).first)
        _ = state.offer((1...count).map(delivery), now: Self.now)
        state.fetched(.init(fetch: fetch, isEmptied: false, passed: delivery(count).id), now: Self.now)
        return state
    }

    private func fetch(_ state: inout DispatchState) -> DispatchState.Fetch? {
        state.planFetches(endpoints: 1, rows: 1000).first
    }

    @Test("A fetch goes on behind the one before it, and from the start where something may have come before")
    func passed() throws {
        var state = try state(holding: 4)
        #expect(fetch(&state)?.passed == delivery(4).id)
        state = try self.state(holding: 4)
        state.noteBacklog(CollectionOfOne((Self.endpoint, Hub.scope.tenant)))
        #expect(fetch(&state)?.passed == delivery(4).id)
        state = try self.state(holding: 4)
        state.noteBacklog(CollectionOfOne((Self.endpoint, Hub.scope.tenant)), fromStart: true)
        let again = try #require(fetch(&state))
        #expect(again.passed == .zero && again.leased == Set((1...4).map { delivery($0).id }))
    }

    @Test("A lease outlasts the call, until what became of it is written down")
    func ending() throws {
        var state = try state(holding: 1)
        let (one, limits) = (delivery(1), EndpointLimits())
        _ = state.finish(one, .succeeded, limits: limits, now: Self.now, jitter: 0)
        #expect(state.queues[Self.endpoint]?.leases.held == [one.id])
        state.endLeases(of: [one], now: Self.now)
        #expect(state.queues[Self.endpoint]?.leases.isEmpty == true)
    }

    @Test("What could not be sent or written down rests before it is fetched again")
    func resting() throws {
        var state = try state(holding: 2)
        state.restLease(of: delivery(1), until: Self.now + .seconds(60))
        state.forgetIdle(now: Self.now + .milliseconds(59_999))
        #expect(state.queues[Self.endpoint]?.leases.held.count == 2)
        state.forgetIdle(now: Self.now + .seconds(60))
        #expect(state.queues[Self.endpoint]?.leases.held == [delivery(2).id])
    }

    @Test("What is taken out before it was started is leased no longer, and an endpoint without leases is forgotten")
    func removed() throws {
        var state = try state(holding: 30)
        let started = 30 - (state.queues[Self.endpoint]?.waiting ?? 0)
        state.removeWaiting(Self.endpoint)
        #expect(state.queues[Self.endpoint]?.leases.held.count == started)
        state.queues[Self.endpoint]?.backlog.exists = false
        for number in 1...UInt64(started) {
            #expect(state.queues[Self.endpoint] != nil)
            _ = state.finish(delivery(number), .succeeded, limits: nil, now: Self.now, jitter: 0)
            state.endLeases(of: [delivery(number)], now: Self.now)
        }
        #expect(state.queues[Self.endpoint] == nil)
    }

    // MARK: On a store

    /// A hub whose endpoint holds its answers back, with a backlog of forty deliveries.
    private func withBacklog(_ body: (Hub, SubscriptionID, Gate) async throws -> Void) async throws {
        try await withGatedHub(.sqlite) { hub, gate in
            let (subscription, _) = try await hub.subscribe()
            try await hub.holdBack(40)
            try await body(hub, subscription.id, gate)
        }
    }

    /// Rows that the writer's connection has changed so far.
    private func changes(_ hub: Hub) async throws -> Int64? {
        try await hub.database.write { try $0.first("SELECT total_changes()") { $0.int(0) } }
    }

    @Test("A fetch writes nothing, and callers are told that its deliveries are under way")
    func reading() async throws {
        try await withBacklog { hub, subscription, gate in
            let before = try await changes(hub)
            #expect(await hub.dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            #expect(try await changes(hub) == before)
            #expect(try await hub.count("delivery", where: "state = 'pending' AND claim = 0 AND held = 1") == 40)
            let leased = hub.dispatcher.state.withLock { $0.queues[subscription]?.leases.held ?? [] }
            let shown = try await hub.deliveries(of: subscription)
            #expect(!leased.isEmpty && leased.count < 40)
            #expect(Set(shown.filter { $0.state == "delivering" }.map(\.id)) == leased)
            let stats = try await hub.subscriptions.stats(of: subscription, scope: Hub.scope)
            #expect(stats.waiting.pending == 40 && stats.waiting.delivering == leased.count)

            let log = EventLog(database: hub.database, leases: hub.dispatcher.leasesInMemory)
            for (state, count) in [(EventLog.DeliveryState.delivering, leased.count), (.pending, 40 - leased.count)] {
                var query = EventLog.Query(limit: 100)
                query.delivery = state
                query.subscription = subscription
                let events = try await log.list(query, scope: Hub.scope).events
                #expect(events.count == count)
                let story = try await log.require(try #require(events.first).id, scope: Hub.scope)
                #expect(story.deliveries.map(\.summary.state) == [state.rawValue])
                #expect(story.deliveries[0].summary.nextAttemptAt == nil)
            }
            gate.open()
            try await hub.settle(40, where: "state = 'delivered' AND attempts = 1")
            #expect(hub.exchange.requests.elements.count == 40)
        }
    }

    @Test("A server that starts anew sends at once what the one before it held")
    func restart() async throws {
        try await withBacklog { hub, _, gate in
            #expect(await hub.dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            let other = try Hub(hub.database, hub.time, seed: 2)
            try await other.settle(40, where: "state = 'delivered' AND attempts = 1")
            gate.open()
        }
    }

    @Test("What is leased when an order is asked for is not leased once more")
    func switched() async throws {
        try await withBacklog { hub, subscription, gate in
            #expect(await hub.dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            try await hub.database.write { transaction in
                try transaction.execute("UPDATE subscription SET is_ordered = 1")
            }
            let leased = hub.dispatcher.state.withLock { $0.queues[subscription]?.leases.held ?? [] }
            let found = try await hub.database.write { transaction in
                try DeliveryStore.fetchInOrder(
                    of: subscription, limit: 100, passingOver: leased,
                    Claim(number: 7, duration: .seconds(60), now: hub.time.now), in: transaction)
            }
            #expect(found.found.count == 40 - leased.count && found.isEmptied)
            #expect(leased.isDisjoint(with: found.found.map(\.id)))
            gate.open()
        }
    }

    @Test("A record counts once, and not after its delivery has ended", arguments: TestEngine.allCases)
    func records(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let event = try await hub.holdBack(1)[0]
            let shown = try await hub.deliveries(of: subscription.id)[0]
            let delivery = ReadyDelivery(
                id: shown.id, tenant: Hub.scope.tenant, subscription: subscription.id, event: event, attempts: 0,
                claim: OwnLeases.claim, leaseEnds: .never, createdAt: hub.time.now)
            let record = AttemptRecord(
                delivery: delivery, startedAt: hub.time.now, duration: .zero, phases: nil,
                outcome: .answered(status: 500, retryAfter: nil), detail: nil, requestHeaders: Array("{}".utf8),
                responseHeaders: nil, responseBody: nil, decision: .retry(at: hub.time.now + .seconds(60)))
            for isFirst in [true, false] {
                let recorded = try await hub.database.write {
                    try DeliveryStore.record([record], by: nil, now: hub.time.now, in: $0)
                }
                #expect(recorded.attempts.count == (isFirst ? 1 : 0))
            }
            #expect(try await hub.count("delivery", where: "state = 'pending' AND held = 0 AND attempts = 1") == 1)
            try await hub.database.write { transaction in
                try transaction.execute("UPDATE delivery SET state = 'skipped', finished_at = 1, attempts = 0")
            }
            let late = try await hub.database.write {
                try DeliveryStore.record([record], by: nil, now: hub.time.now, in: $0)
            }
            #expect(late.attempts.isEmpty)
        }
    }
}
