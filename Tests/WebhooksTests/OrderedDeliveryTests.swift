import Events
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("ordered: endpoints that keep the order within an entity", .endsWhenHung)
struct OrderedDeliveryTests {
    /// Events of some entities, in the order of the list.
    @discardableResult
    private func publish(_ entities: [UInt64], in hub: Hub) async throws -> [EventID] {
        try await hub.publisher.write { _, events in
            for entity in entities {
                events.append(
                    EntityTold(entity: entity), scope: Hub.scope, actor: .system, source: "api")
            }
            return events.events.map(\.id)
        }
    }

    private func subscribe(_ hub: Hub) async throws -> SubscriptionID {
        let (subscription, _) = try await hub.subscribe()
        try await hub.database.write { transaction in
            try transaction.execute(
                "UPDATE subscription SET is_ordered = 1 WHERE id = $1", [.id(subscription.id)])
        }
        return subscription.id
    }

    @Test(
        "The next event of an entity waits for the end of the one before; others don't", arguments: TestEngine.allCases)
    func order(engine: TestEngine) async throws {
        let failing = Mutex<String?>(nil)
        let calls = Recorder<String>()
        try await withHub(
            engine,
            answer: { request in
                let id = request.header("webhook-id") ?? ""
                calls.record(id)
                return .status(failing.withLock { $0 } == id ? 500 : 200)
            }
        ) { hub in
            _ = try await subscribe(hub)
            let ids = try await publish([1, 1, 2, 1, 2], in: hub).map(\.description)
            failing.withLock { $0 = ids[0] }
            while try await hub.count("delivery", where: "state = 'delivered'") < 2 {
                await hub.dispatcher.turn()
                await Task.yield()
            }
            // The first of entity 1 has failed: its followers wait for its retry, in this copy and in others.
            try await hub.deliveries(1, where: "attempts = 1 AND state = 'pending' AND claim = 0")
            let other = try Hub(hub.database, hub.time, seed: 2)
            #expect(await other.dispatcher.claimDue() == 0)
            _ = await hub.dispatcher.claimDue()
            #expect(calls.elements.sorted() == [ids[0], ids[2], ids[4]].sorted())
            failing.withLock { $0 = nil }
            hub.time.advance(by: .seconds(6))
            try await hub.settle(5)
            #expect(
                calls.elements.filter { [ids[0], ids[1], ids[3]].contains($0) } == [ids[0], ids[0], ids[1], ids[3]])
            #expect(calls.elements.filter { [ids[2], ids[4]].contains($0) } == [ids[2], ids[4]])
        }
    }

    @Test("Two copies keep it together, whoever sends what", arguments: TestEngine.allCases)
    func copies(engine: TestEngine) async throws {
        let calls = Recorder<String>()
        let answer: @Sendable (OutgoingRequest) async -> ScriptedExchange.Answer = { request in
            calls.record(request.header("webhook-id") ?? "")
            await Task.yield()
            return .status(200)
        }
        try await withHub(engine, answer: answer) { hub in
            _ = try await subscribe(hub)
            let other = try Hub(hub.database, hub.time, seed: 2, answer: answer)
            let entities = (0..<60).map { UInt64($0 % 4) }
            let ids = try await publish(entities, in: hub).map(\.description)
            let loops = [hub, other].map { hub in Task { try await hub.dispatcher.run() } }
            try await hub.deliveries(60, where: "state = 'delivered'")
            for loop in loops {
                loop.cancel()
                try await loop.value
            }
            let place = Dictionary(uniqueKeysWithValues: zip(ids, entities))
            for entity in 0..<4 as Range<UInt64> {
                let sent = calls.elements.filter { place[$0] == entity }
                #expect(sent == ids.filter { place[$0] == entity })
            }
        }
    }

    @Test(
        "What waits behind nothing any more is found, also when the order is given up", arguments: TestEngine.allCases)
    func forgotten(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let id = try await subscribe(hub)
            try await publish([1, 1, 1, 2], in: hub)
            try await hub.database.write { transaction in
                try transaction.execute("UPDATE delivery SET held = 2")
                try DeliveryStore.freeForgotten(of: id, in: transaction)
            }
            #expect(try await hub.count("delivery", where: "held = 1") == 2)
            try await hub.database.write { transaction in
                try transaction.execute("UPDATE subscription SET is_ordered = 0")
                try DeliveryStore.freeForgotten(of: id, in: transaction)
            }
            #expect(try await hub.count("delivery", where: "held = 1") == 4)
        }
    }
}

/// Something that happened to the entity of that number.
private struct EntityTold: EventType {
    static let name = "order.told"
    static let summary = "Told of in a test."
    static let fields: [EventField] = []
    static let example = EntityTold(entity: 1)

    let entity: UInt64

    var entityID: ID<DomainEvent.Entity> { ID(high: 4, low: entity) }

    func write(_: inout PayloadWriter) {}
}
