import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Replays", .endsWhenHung)
struct ReplayTests {
    @Test("Same webhook-id on each replay: all events of a time go out once more", arguments: TestEngine.allCases)
    func all(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            let events = try await hub.publish(150).map(\.id)
            try await hub.publish(20, ProductCreated.example)
            try await hub.deliveries(150, where: "state = 'delivered'")
            let dry = try await replays.service.count(try replays.request(subscription.id), scope: Hub.scope)
            #expect(dry == 150)
            let replay = try await replays.begin(subscription.id)
            #expect(replay.total == 150 && replay.state == .running)
            async let running: Void = replays.runner.drain()
            try await replays.arrived(150)
            await running
            let ended = try await replays.replay(replay.id)
            #expect(ended.state == .completed && ended.queued == 150 && ended.finishedAt != nil)
            let sent = hub.exchange.requests.elements.compactMap { $0.header("webhook-id") }
            #expect(sent.count == 300)
            #expect(Set(sent.suffix(150)) == Set(events.map(\.description)))
            let outcomes = try await replays.service.require(replay.id, scope: Hub.scope).outcomes
            #expect(outcomes == ["delivered": 150])
        }
    }

    @Test("only: all, what failed, and what was missed", arguments: TestEngine.allCases)
    func selections(engine: TestEngine) async throws {
        let refusing = Recorder<Bool>()
        try await withHub(engine, answer: { _ in .status(refusing.elements.isEmpty ? 200 : 500) }) { hub in
            let replays = Replays(hub)
            try await hub.publish(3)
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(2)
            try await hub.deliveries(2, where: "state = 'delivered'")
            refusing.record(true)
            try await hub.publish(4)
            try await hub.deliveries(4, where: "state = 'pending' AND attempts = 1")
            try await hub.database.write { transaction in
                try transaction.execute(
                    "UPDATE delivery SET state = 'failed', finished_at = 1 WHERE attempts = 1 AND state = 'pending'")
            }
            try await hub.publish(1)
            try await hub.deliveries(1, where: "state = 'pending' AND attempts = 1")
            func count(_ more: String) async throws -> Int {
                try await replays.service.count(try replays.request(subscription.id, more), scope: Hub.scope)
            }
            #expect(try await count("") == 10)
            #expect(try await count(#", "only": "failed""#) == 4)
            #expect(try await count(#", "only": "missed""#) == 3)
            #expect(try await count(#", "event_types": ["product.*"]"#) == 0)
            #expect(try await count(#", "event_types": ["order.created", "product.*"], "only": "all""#) == 10)
            #expect(try await count(#", "until": "\#(hub.time.now)""#) == 0)
            // The one that still waits was tried, and is never taken now.
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            try await hub.deliveries(1, where: "state = 'skipped' AND attempts = 1")
            #expect(try await count(#", "only": "failed""#) == 5)
            #expect(try await count(#", "only": "missed""#) == 3)
        }
    }

    @Test("A pattern that matches no type and no kept event is refused with the nearest name")
    func unknownTypes() async throws {
        try await withHub(.sqlite) { hub in
            let replays = Replays(hub)
            try await hub.publish(2)
            let (subscription, _) = try await hub.subscribe()
            // A type that is gone from the catalogue has events all the same.
            try await hub.database.write { transaction in
                try transaction.execute("UPDATE event SET type = 'parcel.lost' WHERE id = (SELECT min(id) FROM event)")
            }
            for isDryRun in [true, false] {
                let request = try replays.request(
                    subscription.id, #", "event_types": ["order.created", "parcel.lost", "order.craeted"]"#)
                let error = await #expect(throws: InvalidDocument.self) {
                    if isDryRun { return _ = try await replays.service.count(request, scope: Hub.scope) }
                    _ = try await replays.service.begin(request, scope: Hub.scope, user: .zero)
                }
                #expect(error?.faults.map(\.pointer) == ["/event_types/2"])
                #expect(error?.faults.first?.detail.contains("the nearest is order.created") == true)
            }
            let known = try replays.request(subscription.id, #", "event_types": ["parcel.lost"]"#)
            #expect(try await replays.service.count(known, scope: Hub.scope) == 1)
        }
    }

    @Test("What the filter refuses is neither counted nor sent", arguments: TestEngine.allCases)
    func filtered(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            try await hub.publish(30)
            let products = try await hub.publish(250, ProductCreated.example)
            try await hub.publish(10)
            let title = try #require(try JSONValue(parsing: products[0].payload)["title"]?.string)
            let (subscription, _) = try await hub.subscribe(more: #", "filter": {"title": "\#(title)"}"#)
            let dry = try await replays.service.count(try replays.request(subscription.id), scope: Hub.scope)
            #expect(dry == 250)
            let replay = try await replays.begin(subscription.id)
            #expect(replay.total == 250)
            async let running: Void = replays.runner.drain()
            try await replays.arrived(250)
            await running
            #expect(try await replays.replay(replay.id).queued == 250)
            #expect(try await hub.count("delivery") == 250)
            let sent = hub.exchange.requests.elements.compactMap { $0.header("webhook-id") }
            #expect(Set(sent) == Set(products.map(\.id.description)) && sent.count == 250)
        }
    }

    @Test("A slice is filled over events that nobody wants", arguments: TestEngine.allCases)
    func sparse(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            let first = try await hub.publish(20)
            try await hub.publish(300, ProductCreated.example)
            let wanted = try await first + hub.publish(20)
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            _ = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            let begun = try await turn.step().begun
            #expect(begun == 32)
            let last = try await turn.step()
            #expect(last.begun == 8 && last.fate == .goesOn)
            gate.open()
            try await replays.finish(&turn)
            #expect(try await hub.count("workflow", where: "state = 'completed' AND outcome = 'completed'") == 1)
            let sent = try await replays.written()
            #expect(sent == wanted.map(\.id))
        }
    }

    @Test("No more wait in front of the endpoint than a window holds", arguments: TestEngine.allCases)
    func window(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            try await hub.publish(900)
            let (subscription, _) = try await hub.subscribe()
            _ = try await replays.begin(subscription.id)
            var turn = try await replays.turn(try await replays.claim(5))
            for _ in 0..<(ReplayPace.windowLeast / 32) {
                let step = try await turn.step()
                #expect(step.begun == 32)
            }
            // Nothing was sent meanwhile, so nothing more is begun.
            for _ in 0..<ReplayPace.vainLooks {
                let step = try await turn.step()
                #expect(step.begun == 0 && step.fate == .goesOn)
            }
            #expect(turn.course.underWay.count == ReplayPace.windowLeast)
            #expect(turn.pace.window == ReplayPace.windowLeast)
            #expect(try await hub.count("delivery") == 0, "none has come back")
            gate.open()
            turn.isClosing = true
            try await replays.finish(&turn)
            #expect(try await hub.count("delivery", where: "state = 'delivered'") == ReplayPace.windowLeast)
        }
    }

    @Test(
        "A worker that comes back late writes nothing, and none is repeated or missed", arguments: TestEngine.allCases)
    func lateWorker(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            let events = try await hub.publish(300).map(\.id)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            var first = try await replays.turn(try await replays.claim(5))
            let begun = try await first.step()
            #expect(begun.begun > 0)
            try await replays.arrived(begun.begun)
            // The store goes away: nothing is begun, and how far it is stands nowhere.
            hub.database.isAbsent = true
            hub.time.advance(by: .seconds(11))
            await #expect(throws: StorageError.self) { _ = try await first.step() }
            hub.database.isAbsent = false
            #expect(try await replays.replay(replay.id).queued == begun.begun)
            hub.time.advance(by: Leases.current.duration + .seconds(1))
            var second = try await replays.turn(try await replays.claim(6))
            await #expect(throws: LostClaim.self) { _ = try await first.step() }
            try await replays.finish(&second)
            #expect(try await replays.replay(replay.id).queued == 300)
            let sent = try await replays.written()
            #expect(sent.count == 300 && Set(sent) == Set(events))
        }
    }

    @Test("A replay can be paused, goes on, and is cancelled with what still waits", arguments: TestEngine.allCases)
    func moves(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let replays = Replays(hub)
            try await hub.publish(300)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            _ = try await replays.service.move(replay.id, to: .paused, scope: Hub.scope)
            await replays.runner.drain()
            #expect(try await hub.count("delivery") == 0)
            #expect(try await hub.count("workflow", where: "state = 'completed' AND outcome = 'paused'") == 1)
            #expect(try await replays.service.move(replay.id, to: .running, scope: Hub.scope).state == .running)
            var turn = try await replays.turn(try await replays.claim(8))
            let begun = try await turn.step().begun
            #expect(begun == 32)
            await gate.arrivals(16)
            _ = try await replays.service.move(replay.id, to: .cancelled, scope: Hub.scope)
            let fate = try await turn.step().fate
            #expect(fate == .goesOn, "some are under way")
            await #expect(throws: Refusal.self) {
                try await replays.service.move(replay.id, to: .running, scope: Hub.scope)
            }
            await #expect(throws: Refusal.self) {
                try await replays.service.move(replay.id, to: .paused, scope: Hub.stranger)
            }
            gate.open()
            try await replays.finish(&turn)
            await hub.dispatcher.stop()
            #expect(hub.exchange.requests.elements.count == 16, "only what was on its way")
            #expect(try await hub.count("delivery") == 0, "and none of that is written")
            #expect(try await hub.count("workflow", where: "state = 'completed' AND outcome = 'cancelled'") == 1)
        }
    }

    @Test(
        "A subscription that is disabled pauses its replays, one that is deleted ends them",
        arguments: TestEngine.allCases)
    func subscriptions(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            try await hub.publish(5)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id)
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            await replays.runner.drain()
            #expect(try await replays.replay(replay.id).state == .paused)
            #expect(try await replays.replay(replay.id).reason == "the subscription is disabled")
            await #expect(throws: Refusal.self) {
                try await replays.service.move(replay.id, to: .running, scope: Hub.scope)
            }
            _ = try await hub.subscriptions.setStatus(.active, of: subscription.id, scope: Hub.scope)
            _ = try await replays.service.move(replay.id, to: .running, scope: Hub.scope)
            try await hub.subscriptions.delete(subscription.id, scope: Hub.scope)
            await replays.runner.drain()
            #expect(try await replays.replay(replay.id).state == .cancelled)
        }
    }

    @Test("Within 30 days: outside of what is held, a replay is refused with the bound named")
    func bounds() async throws {
        try await withHub(.sqlite) { hub in
            let replays = Replays(hub)
            let (subscription, _) = try await hub.subscribe()
            let bound = hub.time.now - .seconds(30 * 86_400)
            let tooOld = try replays.request(subscription.id, since: bound - .milliseconds(1))
            let error = await #expect(throws: InvalidDocument.self) {
                try await replays.service.begin(tooOld, scope: Hub.scope, user: .zero)
            }
            #expect(error?.faults.first?.pointer == "/since")
            #expect(error?.faults.first?.detail.contains("\(bound)") == true)
            _ = try await replays.service.begin(
                try replays.request(subscription.id, since: bound), scope: Hub.scope, user: .zero)
            for more in [#", "rate": 0"#, #", "only": "some""#, #", "until": "2020-01-01T00:00:00Z""#, #", "x": 1"#] {
                #expect(throws: InvalidDocument.self, "\(more)") { try replays.request(subscription.id, more) }
            }
        }
    }

    @Test("One event is sent again to one subscription, or to all that ask for it", arguments: TestEngine.allCases)
    func resend(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            let event = try await hub.publish()[0].id
            try await hub.number()
            let orders = try await hub.subscribe(types: "order.*").0.id
            let products = try await hub.subscribe(types: "product.*").0.id
            #expect(try await replays.service.resend(event, to: nil, scope: Hub.scope) == [orders])
            #expect(try await replays.service.resend(event, to: products, scope: Hub.scope) == [products])
            try await replays.arrived(2)
            #expect(
                hub.exchange.requests.elements.map { $0.header("webhook-id") } == [
                    event.description, event.description,
                ])
            await #expect(throws: Refusal.self) {
                try await replays.service.resend(event, to: nil, scope: Hub.stranger)
            }
            let missing = Refusal.notFound("subscription", at: ["/subscription_id"])
            let request = try replays.request(orders)
            await #expect(throws: missing) { try await replays.service.resend(event, to: .zero, scope: Hub.scope) }
            await #expect(throws: missing) { try await replays.service.count(request, scope: Hub.stranger) }
            await #expect(throws: missing) {
                try await replays.service.begin(request, scope: Hub.stranger, user: .zero)
            }
        }
    }

    @Test("An event that is held no longer is gone, and not sent again", arguments: TestEngine.allCases)
    func resendOfOld(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            let event = try await hub.publish()[0].id
            try await hub.number()
            let subscription = try await hub.subscribe().0.id
            // To the millisecond: events are held from there on, and what is older may still lie in the store.
            hub.time.advance(by: .seconds(30 * 86_400))
            #expect(try await replays.service.resend(event, to: subscription, scope: Hub.scope) == [subscription])
            try await replays.arrived(1)
            hub.time.advance(by: .milliseconds(1))
            for target in [subscription, nil] {
                let error = await #expect(throws: Refusal.self) {
                    try await replays.service.resend(event, to: target, scope: Hub.scope)
                }
                #expect(error?.kind == .gone)
            }
            #expect(try await hub.count("delivery") == 1)
        }
    }

    @Test("A rate spreads deliveries over time", arguments: TestEngine.allCases)
    func rate(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            try await hub.publish(100)
            let (subscription, _) = try await hub.subscribe()
            _ = try await replays.begin(subscription.id, #", "rate": 100"#)
            var turn = try await replays.turn(try await replays.claim(3))
            var queued: [Int] = []
            for _ in 0..<4 {
                queued.append(try await turn.step().begun)
                try await replays.arrived(queued.reduce(0, +))
                hub.time.advance(by: .milliseconds(50))
            }
            #expect(queued == [10, 0, 10, 0])
        }
    }

    @Test(
        "A rate that is changed counts at once, whatever the old one had still to wait", arguments: TestEngine.allCases)
    func changedRate(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            try await hub.publish(100)
            let (subscription, _) = try await hub.subscribe()
            let replay = try await replays.begin(subscription.id, #", "rate": 1"#)
            var turn = try await replays.turn(try await replays.claim(3))
            var queued: [Int] = []
            // Each rate with the slices that are tried under it, 50 ms apart.
            let rates: [(rate: Int?, slices: Int)] = [(1, 2), (100, 3), (nil, 1)]
            for (rate, slices) in rates {
                if rate != 1 { try await replays.service.setRate(rate, of: replay.id, scope: Hub.scope) }
                #expect(try await replays.replay(replay.id).rate == rate)
                for _ in 0..<slices {
                    queued.append(try await turn.step().begun)
                    try await replays.arrived(queued.reduce(0, +))
                    hub.time.advance(by: .milliseconds(50))
                }
            }
            #expect(queued == [1, 0, 10, 0, 10, 32])
            await #expect(throws: Refusal.self) {
                try await replays.service.setRate(1, of: replay.id, scope: Hub.stranger)
            }
        }
    }

    @Test("The window follows the endpoint")
    func pace() {
        var pace = ReplayPace(slice: 32)
        #expect(pace.room(waiting: 0) == 32)
        pace.wrote(32)
        #expect(pace.room(waiting: 32) == 32, "a window has two slices")
        pace.wrote(32)
        #expect(pace.room(waiting: 40) == 0 && pace.window == 64, "24 are gone")
        #expect(pace.room(waiting: 30) == 32 && pace.window == 128, "34 are")
        pace.wrote(32)
        #expect(pace.room(waiting: 62) == 32 && pace.window == 128)
        pace.wrote(32)
        var waiting = 94
        for _ in 0..<100 {
            // All but thirty go between two looks.
            waiting = min(waiting, 30)
            let room = pace.room(waiting: waiting)
            pace.wrote(room)
            waiting += room
        }
        #expect(pace.window == ReplayPace.windowMost)
        for _ in 0..<(4 * ReplayPace.vainLooks) { #expect(pace.room(waiting: 1100) == 0) }
        #expect(pace.window == ReplayPace.windowLeast)
    }
}
