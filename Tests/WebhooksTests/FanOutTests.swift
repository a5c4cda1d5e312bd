import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Events and their deliveries, in one transaction", .endsWhenHung)
struct FanOutTests {
    private struct Stop: Error {}

    private func feedCount(_ hub: Hub) async throws -> Int {
        var count = try await hub.count("feed")
        if !hub.database.dialect.commitsInOrder { count += try await hub.count("feed_pending") }
        return count
    }

    @Test("A change leaves its event, its place in the feed and its deliveries", arguments: TestEngine.allCases)
    func together(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            for types in ["*", "order.*", "order.created", "product.*", "order.updated"] {
                _ = try await hub.subscribe(types: types)
            }
            _ = try await hub.subscribe(scope: Hub.neighbour)
            _ = try await hub.subscribe(scope: Hub.stranger)
            let event = try await hub.publish()[0]
            #expect(try await hub.count("event") == 1)
            #expect(try await feedCount(hub) == 1)
            #expect(try await hub.count("delivery") == 3)
            try await hub.deliveries(3, where: "state = 'delivered'")
            let kept = try await hub.database.read {
                try EventStore.timeline(of: event.entity.id, scope: Hub.scope, limit: 10, in: $0)
            }
            #expect(kept.map(\.id) == [event.id])
            #expect(kept.map(\.payload) == [event.payload])
            #expect(kept.map(\.withheld) == [event.withheld])
            #expect(kept.map(\.actor) == [event.actor] && kept.map(\.entity) == [event.entity])
            let strangers = try await hub.database.read {
                try EventStore.timeline(of: event.entity.id, scope: Hub.neighbour, limit: 10, in: $0)
            }
            #expect(strangers.isEmpty)
        }
    }

    @Test("A change that fails leaves nothing and sends nothing", arguments: TestEngine.allCases)
    func nothing(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            _ = try await hub.subscribe()
            let publisher = hub.publisher
            await #expect(throws: Stop.self) {
                try await publisher.write { _, events in
                    events.append(OrderCreated.example, scope: Hub.scope, actor: .system, source: "api")
                    throw Stop()
                }
            }
            #expect(try await hub.count("event") == 0)
            #expect(try await feedCount(hub) == 0)
            #expect(try await hub.count("delivery") == 0)
            #expect(hub.exchange.requests.elements.isEmpty)
            #expect(hub.places == 0)
        }
    }

    /// Records an order as a change would, offers it to nobody, and counts the statements that it took.
    private func record(in hub: Hub) async throws -> (ready: Int, statements: Int) {
        let fanOut = FanOut(ids: hub.ids, dispatcher: hub.dispatcher)
        let event = OrderCreated.example.occurred(
            id: hub.ids.next(), at: hub.time.now, scope: Hub.scope, actor: .system, source: "api", causation: nil)
        let (database, now) = (hub.database, hub.time.now)
        return try await database.write { transaction in
            let before = database.statementCount
            return (
                try fanOut.record([event], now: now, in: transaction).ready.count, database.statementCount - before
            )
        }
    }

    @Test("One event for 25 subscriptions takes five statements at most", arguments: TestEngine.allCases)
    func statements(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            for _ in 0..<25 { _ = try await hub.subscribe() }
            let (ready, statements) = try await record(in: hub)
            #expect(ready == 25)
            #expect(statements <= 5)
        }
    }

    @Test("So it does where filters of some subscriptions, or of all, refuse it", arguments: TestEngine.allCases)
    func refused(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let refusing = #", "filter": {"no_such_field": {"$exists": true}}"#
            for _ in 0..<9 { _ = try await hub.subscribe(more: refusing) }
            // What is refused waits for nothing, so it stands in nobody's way where the order is kept.
            _ = try await hub.subscribe(more: refusing + #", "ordered": true"#)
            let all = try await record(in: hub)
            #expect(all.ready == 0 && all.statements <= 5)
            for _ in 0..<15 { _ = try await hub.subscribe() }
            let some = try await record(in: hub)
            #expect(some.ready == 15 && some.statements <= 5)
            #expect(try await hub.count("delivery", where: "state = 'pending' AND reason IS NULL") == 15)
            let ended = "state = 'skipped' AND reason = 'filtered' AND finished_at = created_at AND attempts = 0"
            #expect(try await hub.count("delivery", where: "\(ended) AND claim = 0 AND ordered_by IS NULL") == 20)
        }
    }

    @Test("One event for 25 subscriptions is one transaction", arguments: TestEngine.allCases)
    func oneTransaction(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            for _ in 0..<25 { _ = try await hub.subscribe() }
            let before = hub.database.writesAsked
            try await hub.publish()
            // Attempts would be written too, but no endpoint has answered yet.
            await gate.arrivals(25)
            #expect(hub.database.writesAsked - before == 1)
            #expect(try await hub.count("delivery", where: "state = 'pending' AND claim <> 0") == 25)
            gate.open()
            try await hub.deliveries(25, where: "state = 'delivered'")
        }
    }

    @Test("Nothing is written for a change without events", arguments: TestEngine.allCases)
    func silent(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            _ = try await hub.subscribe()
            let answer = try await hub.publisher.write { _, _ in 42 }
            #expect(answer == 42)
            #expect(try await hub.count("event") == 0)
        }
    }

    @Test("What an endpoint has no room for is held back, and fetched as it gets room", arguments: TestEngine.allCases)
    func overflow(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            _ = try await hub.subscribe()
            try await hub.publish(1000)
            #expect(try await hub.count("delivery", where: "held = 1 AND claim = 0") == 1000 - 256)
            #expect(try await hub.count("delivery", where: "held = 0 AND claim <> 0") == 256)
            await gate.arrivals(16)
            #expect(await hub.dispatcher.turn() == 0)
            gate.open()
            try await hub.settle(1000)
            let ids = hub.exchange.requests.elements.map { $0.header("webhook-id") }
            #expect(ids.count == 1000 && Set(ids).count == 1000)
        }
    }
}
