import Durable
import Events
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("Replays whose deliveries are written with their first attempt", .endsWhenHung)
struct ReplaySendingTests {
    @Test(
        "What a worker that lost its claim has sent is written by nobody but the next", arguments: TestEngine.allCases)
    func lostClaim(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            let events = try await hub.publish(20).map(\.id)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            var first = try await replays.turn(try await replays.claim(5))
            let begun = try await first.step().begun
            #expect(begun == 20)
            await gate.arrivals(16)
            hub.time.advance(by: Leases.current.duration + .seconds(1))
            var second = try await replays.turn(try await replays.claim(6))
            gate.open()
            try await replays.finish(&second)
            #expect(try await replays.replay(replay.id).queued == 20)
            #expect(Set(try await replays.written()) == Set(events))
            #expect(try await hub.count("delivery") == 20)
            #expect(try await hub.count("attempt") == 20)
        }
    }

    @Test(
        "A turn that begins behind a crash passes over what is written and sends the rest",
        arguments: TestEngine.allCases)
    func crash(engine: TestEngine) async throws {
        let answered = Recorder<EventID>()
        let gate = Gate()
        let hangs = Recorder<EventID>()
        try await withHub(
            engine,
            answer: { request in
                let id = request.header("webhook-id").flatMap { EventID($0) } ?? .zero
                if hangs.elements.contains(id) { await gate.pass() }
                answered.record(id)
                return .status(200)
            }
        ) { hub in
            let replays = Replays(hub)
            let events = try await hub.publish(30).map(\.id)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            hangs.record(events[3])
            var first = try await replays.turn(try await replays.claim(5))
            _ = try await first.step()
            try await replays.arrived(29)
            // Noted is no more than what lies before the one that hangs.
            _ = try await first.step()
            #expect(first.course.passed < first.course.read && first.course.underWay.count == 1)
            hub.time.advance(by: Leases.current.duration + .seconds(1))
            var second = try await replays.turn(try await replays.claim(6))
            gate.open()
            try await replays.finish(&second)
            let ended = try await replays.replay(replay.id)
            #expect(ended.queued == 30 && ended.state == .completed)
            #expect(try await replays.written().sorted() == events.sorted())
            #expect(answered.elements.count { $0 != events[3] } == 29, "none of the others went out again")
        }
    }

    @Test("A first attempt that fails leaves a retry, which a cancel ends", arguments: TestEngine.allCases)
    func failures(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .status(500) }) { hub in
            let replays = Replays(hub)
            try await hub.publish(3)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            try await replays.finish(&turn)
            #expect(try await replays.replay(replay.id).state == .completed)
            #expect(try await hub.count("delivery", where: "state = 'pending' AND attempts = 1") == 3)
            #expect(try await hub.count("attempt") == 3)
            let other = try await replays.begin(subscription.id)
            var half = try await replays.turn(try await replays.claim(6))
            _ = try await half.step()
            try await hub.deliveries(6, where: "state = 'pending' AND attempts = 1")
            _ = try await replays.service.move(other.id, to: .cancelled, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'skipped' AND attempts = 1") == 3)
            #expect(try await replays.replay(other.id).queued == 3)
            try await replays.finish(&half)
        }
    }

    @Test("A subscription that is disabled meanwhile has no retries", arguments: TestEngine.allCases)
    func disabled(engine: TestEngine) async throws {
        try await withGatedHub(engine, status: 500) { hub, gate in
            let replays = Replays(hub)
            try await hub.publish(3)
            let (subscription, _) = try await hub.subscribe()
            var turn = try await replays.sending(to: subscription.id)
            await gate.arrivals(3)
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            gate.open()
            try await hub.deliveries(3, where: "attempts = 1")
            #expect(try await hub.count("delivery", where: "state = 'skipped' AND reason IS NOT NULL") == 3)
            #expect(try await hub.count("attempt") == 3)
            try await replays.finish(&turn)
        }
    }

    @Test("An endpoint that says more than once that it is gone is told of once", arguments: TestEngine.allCases)
    func gone(engine: TestEngine) async throws {
        let gate = Gate()
        let comers = Atomic(0)
        try await withHub(
            engine, isWatched: true,
            answer: { _ in
                // The first is answered once the others have come; another transaction writes down what those came to.
                if comers.add(1, ordering: .relaxed).newValue > 1 { await gate.pass() } else { await gate.arrivals(2) }
                return .status(410)
            }
        ) { hub in
            let replays = Replays(hub)
            try await hub.publish(3)
            let (subscription, _) = try await hub.subscribe()
            var turn = try await replays.sending(to: subscription.id)
            try await hub.deliveries(1, where: "state = 'failed'")
            gate.open()
            try await hub.deliveries(3, where: "state = 'failed'")
            #expect(try await hub.count("event", where: "type = 'webhook.disabled'") == 1)
            try await replays.finish(&turn)
        }
    }

    @Test("What an opening breaker sends back is sent again once the endpoint is well", arguments: TestEngine.allCases)
    func lost(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            let events = try await hub.publish(40).map(\.id)
            let (subscription, _) = try await hub.subscribe()
            _ = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            let begun = try await turn.step().begun
            #expect(begun == 32)
            await gate.arrivals(16)
            let dropped = hub.dispatcher.state.withLock { $0.removeWaiting(subscription.id) }
            #expect(dropped.count == 16)
            gate.open()
            try await replays.finish(&turn)
            #expect(try await replays.written().sorted() == events.sorted())
            #expect(hub.exchange.requests.elements.count == 40, "nothing went out twice")
        }
    }

    @Test("Where an order is kept they are written first", arguments: TestEngine.allCases)
    func ordered(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            try await hub.publish(10)
            let (subscription, _) = try await hub.subscribe(more: #", "ordered": true"#)
            let replay = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            let begun = try await turn.step().begun
            #expect(begun == 10)
            #expect(try await hub.count("delivery", where: "state = 'pending'") == 10)
            #expect(try await replays.replay(replay.id).queued == 10)
            gate.open()
            try await replays.arrived(10)
            #expect(hub.exchange.requests.elements.count == 10)
        }
    }

    @Test(
        "Nothing is written before it was tried, and nothing is told of it as waiting", arguments: TestEngine.allCases)
    func unwritten(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            try await hub.publish(5)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            _ = try await turn.step()
            await gate.arrivals(1)
            let detail = try await replays.service.require(replay.id, scope: Hub.scope)
            #expect(detail.replay.queued == 0 && detail.outcomes.isEmpty)
            #expect(hub.dispatcher.leasesInMemory.count(of: subscription.id) == 0)
            gate.open()
            try await replays.finish(&turn)
            #expect(try await replays.service.require(replay.id, scope: Hub.scope).outcomes == ["delivered": 5])
            // A restart finds nothing to look up.
            #expect(try await replays.replay(replay.id).unsureFrom == nil)
        }
    }
}
