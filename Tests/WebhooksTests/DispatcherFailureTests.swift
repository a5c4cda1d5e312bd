import Events
import Kernel
import ServiceLifecycle
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Sending deliveries when something is amiss", .endsWhenHung)
struct DispatcherFailureTests {
    @Test("At least once: what a server that died had leased is sent by another", arguments: TestEngine.allCases)
    func restart(engine: TestEngine) async throws {
        try await withHub(engine) { dead in
            _ = try await dead.subscribe()
            // Committed and never offered: the process ended in between.
            let fanOut = FanOut(ids: dead.ids, dispatcher: dead.dispatcher)
            let events = (0..<3).map { _ in
                OrderCreated.example.occurred(
                    id: dead.ids.next(), at: dead.time.now, scope: Hub.scope, actor: .system, source: "api",
                    causation: nil)
            }
            let lost = try await dead.database.write { try fanOut.record(events, now: dead.time.now, in: $0) }
            #expect(lost.ready.count == 3)
            let hub = try Hub(dead.database, dead.time, seed: 2)
            hub.time.advance(by: Dispatcher.lease - .milliseconds(1))
            #expect(await hub.dispatcher.claimDue() == 0)
            hub.time.advance(by: .milliseconds(1))
            #expect(await hub.dispatcher.claimDue() == 3)
            try await hub.deliveries(3, where: "state = 'delivered'")
            #expect(Set(hub.exchange.requests.elements.map { $0.header("webhook-id") }).count == 3)
        }
    }

    @Test("Two servers never claim the same delivery", arguments: TestEngine.allCases)
    func sharing(engine: TestEngine) async throws {
        try await withHub(engine) { dead in
            _ = try await dead.subscribe()
            let fanOut = FanOut(ids: dead.ids, dispatcher: dead.dispatcher)
            let events = (0..<300).map { _ in
                OrderCreated.example.occurred(
                    id: dead.ids.next(), at: dead.time.now, scope: Hub.scope, actor: .system, source: "api",
                    causation: nil)
            }
            _ = try await dead.database.write { try fanOut.record(events, now: dead.time.now, in: $0) }
            dead.time.advance(by: Dispatcher.lease)
            let hubs = try [2, 3].map { try Hub(dead.database, dead.time, seed: $0, leases: .amongCopies) }
            let loops = hubs.map { hub in Task { try await hub.dispatcher.run() } }
            try await dead.deliveries(300, where: "state = 'delivered' AND attempts = 1")
            for loop in loops {
                loop.cancel()
                try await loop.value
            }
            #expect(hubs.map { $0.exchange.requests.elements.count }.reduce(0, +) == 300)
        }
    }

    @Test("A clock of our own that is ahead of the store's does not make every lease look over")
    func skew() async throws {
        // The store's clock is the machine's, which is years after the test's.
        try await withDatabase(.sqlite) { database in
            try await addOwners(database)
            let time = ManualTime(TimeSource.system.now() + .seconds(300))
            let hub = try Hub(ObservedDatabase(database), time)
            _ = try await hub.subscribe()
            let fanOut = FanOut(ids: hub.ids, dispatcher: hub.dispatcher)
            let event = OrderCreated.example.occurred(
                id: hub.ids.next(), at: time.now, scope: Hub.scope, actor: .system, source: "api", causation: nil)
            try await hub.database.write { transaction in
                _ = try fanOut.record([event], now: time.now, in: transaction)
                try transaction.execute("UPDATE delivery SET claim = 0, next_at = now_ms()")
            }
            #expect(await hub.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "state = 'delivered'")
        }
    }

    @Test("An endpoint that hangs delays no other", arguments: TestEngine.allCases)
    func hanging(engine: TestEngine) async throws {
        let gate = Gate()
        try await withHub(
            engine,
            answer: { request in
                if request.url.contains("slow") { await gate.pass() }
                return .status(200)
            }
        ) { hub in
            let (slow, _) = try await hub.subscribe("https://slow.example.com/")
            let (fast, _) = try await hub.subscribe("https://fast.example.com/")
            try await hub.publish(100)
            try await hub.deliveries(100, where: "state = 'delivered'")
            await gate.arrivals(16)
            #expect(try await hub.deliveries(of: fast.id).allSatisfy { $0.state == "delivered" })
            #expect(try await hub.deliveries(of: slow.id).allSatisfy { $0.state == "delivering" })
            #expect(hub.exchange.requests.elements.filter { $0.url.contains("slow") }.count == 16)
            gate.open()
            try await hub.deliveries(200, where: "state = 'delivered' AND attempts = 1")
            #expect(hub.places == 0)
        }
    }

    @Test("A server that stops gives back what waits and writes down what it sent", arguments: TestEngine.allCases)
    func stopping(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            _ = try await hub.subscribe()
            try await hub.publish(40)
            await gate.arrivals(16)
            let group = ServiceGroup(services: [hub.dispatcher], logger: Hub.quiet)
            let run = Task { try await group.run() }
            await group.triggerGracefulShutdown()
            try await hub.deliveries(24, where: "state = 'pending' AND claim = 0")
            #expect(hub.placesLeft == 0)
            gate.open()
            try await run.value
            #expect(try await hub.count("delivery", where: "state = 'delivered'") == 16)
            #expect(hub.exchange.requests.elements.count == 16)
            let other = try Hub(hub.database, hub.time, seed: 2)
            #expect(await other.dispatcher.claimDue() == 24)
            try await hub.deliveries(40, where: "state = 'delivered' AND attempts = 1")
        }
    }

    @Test("An attempt that can't be written down is made again", arguments: TestEngine.allCases)
    func lostRecord(engine: TestEngine) async throws {
        let database = Recorder<ObservedDatabase>()
        try await withHub(
            engine,
            answer: { _ in
                database.elements.first?.isAbsent = true
                return .status(200)
            }
        ) { hub in
            database.record(hub.database)
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish()
            try await hub.database.until { _ in hub.database.refused > 0 }
            #expect(try await hub.deliveries(of: subscription.id).first?.attempts.isEmpty == true)
            hub.database.isAbsent = false
            let other = try Hub(hub.database, hub.time, seed: 2)
            #expect(await other.dispatcher.claimDue() == 0)
            hub.time.advance(by: Dispatcher.lease)
            #expect(await other.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "state = 'delivered' AND attempts = 1")
            let requests = hub.exchange.requests.elements + other.exchange.requests.elements
            let ids = requests.map { $0.header("webhook-id") }
            #expect(ids.count == 2 && ids[0] == ids[1])
        }
    }

    @Test("A record of a claim that is over changes nothing", arguments: TestEngine.allCases)
    func lateRecord(engine: TestEngine) async throws {
        try await withGatedHub(engine, status: 500) { hub, gate in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish()
            await gate.arrivals(1)
            hub.time.advance(by: Dispatcher.lease)
            let other = try Hub(hub.database, hub.time, seed: 2)
            #expect(await other.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "state = 'delivered' AND attempts = 1")
            let before = try await hub.deliveries(of: subscription.id)[0]
            gate.open()
            // The late one has been written, in vain, when a later one of the same server has been.
            try await hub.publish(1, OrderUpdated(order: OrderCreated.example.order, changed: ["status"]))
            try await hub.deliveries(1, where: "state = 'pending' AND attempts = 1")
            let after = try #require(try await hub.deliveries(of: subscription.id).last)
            #expect(after.id == before.id && after.state == "delivered" && after.attempts.map(\.status) == [200])
        }
    }
}
