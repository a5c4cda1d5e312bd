import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Backlogs that copies lease as a whole", .endsWhenHung)
struct BacklogLeaseTests {
    private static let (one, two) = (SubscriptionID(high: 9, low: 1), SubscriptionID(high: 9, low: 2))
    private static let minute: Duration = .seconds(60)

    // MARK: In the store

    private func acquire(
        _ backlogs: [SubscriptionID], for holder: Int64, _ hub: Hub, _ duration: Duration = minute
    ) async throws -> Set<SubscriptionID> {
        try await hub.database.write { try BacklogLeases.acquire(backlogs, for: holder, duration, in: $0) }
    }

    private func others(than holder: Int64, _ hub: Hub) async throws -> Set<SubscriptionID> {
        try await hub.database.read { try BacklogLeases.others(among: [Self.one, Self.two], than: holder, in: $0) }
    }

    private func expect(
        _ found: Set<SubscriptionID>, _ expected: Set<SubscriptionID>, _ why: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, why, sourceLocation: sourceLocation)
    }

    @Test("A lease is one process's until it ends", arguments: TestEngine.allCases)
    func holders(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            expect(try await acquire([Self.two, Self.one], for: 1, hub), [Self.one, Self.two])
            expect(try await acquire([Self.one], for: 2, hub), [])
            expect(try await others(than: 2, hub), [Self.one, Self.two])
            expect(try await others(than: 1, hub), [])
            hub.time.advance(by: .seconds(30))
            expect(try await acquire([Self.one], for: 1, hub), [Self.one])
            hub.time.advance(by: .seconds(30))
            expect(try await others(than: 2, hub), [Self.one], "it was prolonged by its holder, the other is over")
            expect(try await acquire([Self.one, Self.two], for: 2, hub), [Self.two])
            expect(try await acquire([Self.one], for: 1, hub, .zero), [Self.one])
            expect(try await acquire([Self.one], for: 2, hub), [], "a lease of one's own becomes no shorter")
        }
    }

    @Test("What is given back is anybody's, but for what is still needed", arguments: TestEngine.allCases)
    func givingBack(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            _ = try await acquire([Self.one, Self.two], for: 1, hub)
            try await hub.database.write { try BacklogLeases.giveBack(from: 1, keeping: [Self.two], in: $0) }
            expect(try await acquire([Self.one, Self.two], for: 2, hub), [Self.one])
            try await hub.database.write { try BacklogLeases.giveBack(from: 1, keeping: [], in: $0) }
            expect(try await others(than: 1, hub), [Self.one], "another's leases are not given back")
            hub.time.advance(by: .seconds(7200))
            _ = try await acquire([Self.two], for: 2, hub)
            try await hub.database.write { try BacklogLeases.sweep(in: $0) }
            #expect(try await hub.count("backlog_lease") == 1)
        }
    }

    @Test(
        "What is written down after the lease's end counts while nobody else has the backlog",
        arguments: TestEngine.allCases, [false, true])
    func late(engine: TestEngine, isTaken: Bool) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let event = try await hub.holdBack(1)[0]
            let shown = try await hub.deliveries(of: subscription.id)[0]
            _ = try await acquire([subscription.id], for: 1, hub)
            let record = AttemptRecord(
                delivery: ReadyDelivery(
                    id: shown.id, tenant: Hub.scope.tenant, subscription: subscription.id, event: event, attempts: 0,
                    claim: OwnLeases.claim, leaseEnds: hub.time.now + Self.minute, createdAt: hub.time.now),
                startedAt: hub.time.now, duration: .zero, phases: nil, outcome: .answered(status: 500, retryAfter: nil),
                detail: nil, requestHeaders: Array("{}".utf8), responseHeaders: nil, responseBody: nil,
                decision: .retry(at: hub.time.now + .seconds(5)))
            hub.time.advance(by: Self.minute)
            if isTaken { expect(try await acquire([subscription.id], for: 2, hub), [subscription.id]) }
            let recorded = try await hub.database.write {
                try DeliveryStore.record([record], by: 1, now: hub.time.now, in: $0)
            }
            #expect(recorded.attempts.isEmpty == isTaken)
            let untouched = "state = 'pending' AND held = 1 AND attempts = 0"
            #expect(try await hub.count("delivery", where: untouched) == (isTaken ? 1 : 0))
        }
    }

    // MARK: Copies

    /// Two copies of one server, the endpoint of both held back by a gate, with a backlog of forty deliveries.
    private func withCopies(
        _ engine: TestEngine, more: String = "", _ body: ([Hub], SubscriptionID, Gate) async throws -> Void
    ) async throws {
        let gate = Gate()
        try await withHub(engine) { store in
            let hubs = try [2, 3].map { seed in
                try Hub(store.database, store.time, seed: seed, leases: .amongCopies) { _ in
                    await gate.pass()
                    return .status(200)
                }
            }
            let (subscription, _) = try await store.subscribe(more: more)
            try await store.holdBack(40)
            try await body(hubs, subscription.id, gate)
        }
    }

    @Test("One takes from a backlog by reading, and the other leaves it alone", arguments: TestEngine.allCases)
    func alone(engine: TestEngine) async throws {
        try await withCopies(engine) { hubs, _, gate in
            #expect(await hubs[0].dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            #expect(try await hubs[0].count("delivery", where: "claim = 0 AND held = 1 AND state = 'pending'") == 40)
            #expect(await hubs[1].dispatcher.claimDue() == 0)
            gate.open()
            try await hubs[0].settle(40, where: "state = 'delivered' AND attempts = 1")
            #expect(hubs.map { $0.exchange.requests.elements.count } == [40, 0])
            // It has stopped since.
            #expect(try await hubs[0].count("backlog_lease") == 0)
        }
    }

    @Test("What one had taken when it crashed is the other's once the lease ends", arguments: TestEngine.allCases)
    func crash(engine: TestEngine) async throws {
        try await withCopies(engine) { hubs, _, gate in
            #expect(await hubs[0].dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            hubs[1].time.advance(by: Dispatcher.lease - .milliseconds(1))
            #expect(await hubs[1].dispatcher.claimDue() == 0)
            hubs[1].time.advance(by: .milliseconds(1))
            #expect(await hubs[1].dispatcher.claimDue() > 0)
            gate.open()
            try await hubs[1].settle(40, where: "state = 'delivered' AND attempts = 1")
        }
    }

    @Test("An ordered endpoint's next delivery goes out from any copy", arguments: TestEngine.allCases)
    func ordered(engine: TestEngine) async throws {
        try await withCopies(engine, more: #", "ordered": true"#) { hubs, _, gate in
            #expect(await hubs[0].dispatcher.claimDue() == 1, "the others stand behind it")
            await gate.arrivals(1)
            #expect(try await hubs[1].count("backlog_lease", where: "ends_at > now_ms()") == 0)
            gate.open()
            try await hubs[1].settle(40, where: "state = 'delivered' AND attempts = 1")
        }
    }

    @Test("A limit is that of all copies together", arguments: TestEngine.allCases)
    func limits(engine: TestEngine) async throws {
        try await withCopies(engine, more: #", "max_in_flight": 2"#) { hubs, _, gate in
            // What is new waits for whoever has the backlog, although both have room for it.
            for hub in hubs { try await hub.publish(5) }
            #expect(hubs.map { $0.exchange.requests.elements.count } == [0, 0])
            #expect(await hubs[0].dispatcher.claimDue() > 0)
            #expect(await hubs[1].dispatcher.claimDue() == 0)
            await gate.arrivals(2)
            // Retries wait for it too.
            try await hubs[0].database.write { transaction in
                try transaction.execute(
                    """
                    UPDATE delivery SET held = 0, next_at = 0
                    WHERE id IN (SELECT id FROM delivery ORDER BY id DESC LIMIT 3)
                    """)
            }
            #expect(await hubs[1].dispatcher.claimDue() == 3, "it holds them back")
            #expect(hubs.map { $0.exchange.requests.elements.count } == [2, 0])
            gate.open()
            try await hubs[0].settle(50, where: "state = 'delivered' AND attempts = 1")
        }
    }

    @Test("A breaker's try passes over what is leased in memory", arguments: TestEngine.allCases)
    func tries(engine: TestEngine) async throws {
        try await withCopies(engine) { hubs, subscription, gate in
            #expect(await hubs[0].dispatcher.claimDue() > 0)
            await gate.arrivals(1)
            let leased = hubs[0].dispatcher.leasesInMemory.held(subscription)
            try await hubs[0].database.write { transaction in
                try transaction.execute(
                    """
                    INSERT INTO breaker (subscription_id, tenant_id, state, trips, opened_at, next_at)
                    SELECT id, tenant_id, 'open', 1, 0, 0 FROM subscription
                    """)
            }
            for (hub, count) in zip(hubs, [1, 0]) {
                let dispatcher = hub.dispatcher
                let claim = Claim(number: 7, duration: Self.minute, now: hub.time.now)
                let holder = DeliveryStore.Holder(claim: claim, process: dispatcher.process)
                let found = try await hub.database.write { transaction in
                    try transaction.execute("UPDATE breaker SET next_at = 0")
                    return try BreakerStore.claimTries(holder, dispatcher.leasesInMemory, in: transaction)
                }
                #expect(found.count == count && found.allSatisfy { !leased.contains($0.id) })
            }
            gate.open()
        }
    }

    // MARK: In memory

    @Test("Another's backlog is asked for again when a poll finds that it is nobody's")
    func others() throws {
        var state = DispatchState(bounds: .standard)
        let backlog = CollectionOfOne((Self.one, Hub.scope.tenant))
        state.noteBacklog(backlog)
        let fetch = try #require(state.planFetches(endpoints: 1, rows: 1000).first)
        // News that came while it was asked for are another's too.
        state.noteBacklog(backlog)
        state.fetched(.init(fetch: fetch, isEmptied: true, isOthers: true), now: SampleDeliveries.now)
        #expect(state.queues[Self.one] == nil, "nothing is to be remembered of it")

        state.noteBacklog(backlog)
        _ = state.offer([SampleDeliveries.delivery(1, to: Self.one)], now: SampleDeliveries.now)
        let again = try #require(state.planFetches(endpoints: 1, rows: 1000).first)
        state.fetched(.init(fetch: again, isEmptied: true, isOthers: true), now: SampleDeliveries.now)
        state.noteBacklog(backlog)
        #expect(state.planFetches(endpoints: 1, rows: 1000).isEmpty)
        state.noteBacklog(backlog, fromStart: true)
        #expect(state.planFetches(endpoints: 1, rows: 1000).count == 1)
    }

    @Test("What can't be sent before its lease ends is leased no longer")
    func dropped() {
        var state = DispatchState(bounds: .standard)
        let delivery = SampleDeliveries.delivery(1, to: Self.one, claim: OwnLeases.claim)
        let late = delivery.leaseEnds - Dispatcher.callTime
        #expect(state.offer([delivery], now: late).isEmpty)
        #expect(state.queues[Self.one]?.leases.isEmpty != false && state.places == 0)
    }
}
