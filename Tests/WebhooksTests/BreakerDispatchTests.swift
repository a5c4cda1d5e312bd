import Events
import Kernel
import ServiceLifecycle
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("Endpoints that fail again and again", .endsWhenHung)
struct BreakerDispatchTests {
    private final class Health: Sendable {
        private let answers = Recorder<Int>()
        func set(_ status: Int) { answers.record(status) }
        var status: Int { answers.elements.last ?? 503 }
    }

    private func status(_ hub: Hub, _ id: SubscriptionID) async throws -> BreakerStatus? {
        try await hub.database.read { try BreakerStore.statuses(of: [id], tenant: Hub.scope.tenant, in: $0)[id] }
    }

    @Test(
        "A breaker parks what waits, unspent, probes with one delivery, and a success lets all go",
        arguments: TestEngine.allCases)
    func recovery(engine: TestEngine) async throws {
        let health = Health()
        try await withHub(engine, answer: { _ in .status(health.status) }) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(40)
            try await hub.untilOpen()
            #expect(try await status(hub, subscription.id)?.state == "open")
            let calls = hub.exchange.requests.elements.count
            #expect(calls >= Breaker.failuresMost && calls < 40)
            try await hub.deliveries(40 - calls, where: "held = 1 AND claim = 0 AND attempts = 0")
            // New ones wait too, also those whose retry comes up.
            try await hub.publish(1)
            hub.time.advance(by: .seconds(20))
            _ = await hub.dispatcher.claimDue()
            #expect(hub.exchange.requests.elements.count == calls)
            try await hub.deliveries(41, where: "held = 1 AND claim = 0")

            hub.time.advance(by: .seconds(13))
            #expect(await hub.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "attempts = 2 AND claim = 0")
            while try await status(hub, subscription.id)?.state != "open" {
                await hub.dispatcher.turn()
                await Task.yield()
            }
            let again = try #require(try await status(hub, subscription.id))
            #expect(again.nextTryAt >= hub.time.now + .seconds(60))
            #expect(hub.exchange.requests.elements.count == calls + 1)

            health.set(200)
            hub.time.advance(by: .seconds(66))
            _ = await hub.dispatcher.claimDue()
            try await hub.settle(41)
            #expect(try await status(hub, subscription.id) == nil)
            #expect(try await hub.count("delivery", where: "attempts > 3") == 0)
        }
    }

    @Test(
        "A replay gives an endpoint something to be tried with whose other deliveries have all ended",
        arguments: TestEngine.allCases)
    func replayed(engine: TestEngine) async throws {
        let health = Health()
        try await withHub(engine, answer: { _ in .status(health.status) }) { hub in
            let replays = Replays(hub)
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(40)
            try await hub.untilOpen()
            let now = hub.time.now
            try await hub.database.write { transaction in
                try transaction.execute(
                    """
                    UPDATE delivery SET state = 'failed', reason = 'as the test says', claim = 0, held = 0,
                        finished_at = $1
                    """, [.time(now)])
            }
            health.set(200)
            let replay = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            _ = try await turn.step()
            try await hub.deliveries(32, where: "state = 'pending' AND held = 1 AND replay_id IS NOT NULL")
            hub.time.advance(by: .seconds(34))
            #expect(await hub.dispatcher.claimDue() == 1)
            let loop = Task { try await hub.dispatcher.run() }
            try await replays.finish(&turn)
            try await hub.deliveries(40, where: "state = 'delivered' AND replay_id IS NOT NULL")
            loop.cancel()
            try await loop.value
            let ended = try await replays.replay(replay.id)
            #expect(ended.state == .completed && ended.queued == 40)
        }
    }

    @Test("What the last calls of a stopping copy say of an endpoint is written down", arguments: TestEngine.allCases)
    func stopping(engine: TestEngine) async throws {
        try await withGatedHub(engine, status: 503) { hub, gate in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(16)
            await gate.arrivals(16)
            let group = ServiceGroup(services: [hub.dispatcher], logger: Hub.quiet)
            let run = Task { try await group.run() }
            await group.triggerGracefulShutdown()
            while hub.placesLeft > 0 { await Task.yield() }
            gate.open()
            try await run.value
            #expect(try await status(hub, subscription.id)?.state == "open")
            #expect(try await hub.count("delivery", where: "claim <> 0") == 0)
        }
    }

    @Test("Another copy leaves the endpoint alone, and only one of them tries it", arguments: TestEngine.allCases)
    func copies(engine: TestEngine) async throws {
        let health = Health()
        let gate = Gate()
        try await withHub(
            engine,
            answer: { _ in
                let status = health.status
                if status == 200 { await gate.pass() }
                return .status(status)
            }
        ) { hub in
            _ = try await hub.subscribe()
            try await hub.publish(40)
            try await hub.untilOpen()
            let other = try Hub(hub.database, hub.time, seed: 2) { _ in .status(200) }
            #expect(await other.dispatcher.claimDue() == 0)
            try await other.publish(5)
            #expect(other.exchange.requests.elements.isEmpty)
            hub.time.advance(by: .seconds(33))
            health.set(200)
            let before = hub.exchange.requests.elements.count
            for copy in [hub, other, hub, other] { _ = await copy.dispatcher.claimDue() }
            // What a claim found goes out in a task of its own.
            while hub.exchange.requests.elements.count == before { await Task.yield() }
            #expect(hub.exchange.requests.elements.count - before == 1)
            #expect(other.exchange.requests.elements.isEmpty)
            gate.open()
            try await hub.settle(45)
        }
    }

    @Test("A disabled subscription forgets that it failed", arguments: TestEngine.allCases)
    func disabled(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .status(500) }) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(40)
            try await hub.untilOpen()
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            #expect(try await status(hub, subscription.id) == nil)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == 40)
        }
    }
}

extension Hub {
    /// Returns when the breaker of the one endpoint is open in the store and all calls are written down.
    func untilOpen() async throws {
        while try await count("breaker") == 0 || dispatcher.state.withLock({ $0.calls }) > 0 {
            await dispatcher.turn()
            await Task.yield()
        }
        let calls = exchange.requests.elements.count
        try await deliveries(calls, where: "attempts = 1 AND claim = 0")
        await dispatcher.turn()
    }
}
