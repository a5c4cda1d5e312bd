import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Retention", .endsWhenHung)
struct RetentionTests {
    private static func keeper(_ hub: Hub, daysMost: Int = 90) -> RetentionKeeper {
        RetentionKeeper(
            database: hub.database, policy: RetentionPolicy(daysMost: daysMost), time: hub.time.source)
    }

    private static let day: Duration = .seconds(86_400)

    private func feed(_ hub: Hub, after: EventID? = nil, scope: Scope = Hub.scope) async throws -> [EventID] {
        try await hub.feed.page(
            FeedReader.Query(after: after, pattern: nil, entityType: nil, limit: 1000), scope: scope
        ).events.map(\.id)
    }

    private func kind(_ hub: Hub, after: EventID, scope: Scope = Hub.scope) async -> (Refusal.Kind?, JSONValue?) {
        do {
            _ = try await feed(hub, after: after, scope: scope)
            return (nil, nil)
        } catch let refusal as Refusal {
            return (refusal.kind, refusal.fields.first { $0.name == "oldest" }?.value)
        } catch {
            Issue.record("\(error)")
            return (nil, nil)
        }
    }

    @Test(
        "retention_days: what is older than 30 days goes, with all that hangs on it; the rest stays",
        arguments: TestEngine.allCases)
    func clears(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await DayPartitions(database: hub.database).addDays(now: hub.time.now)
            let (subscription, _) = try await hub.subscribe()
            let old = try await hub.publish(3).map(\.id)
            try await hub.number()
            try await hub.deliveries(3, where: "state = 'delivered'")
            hub.time.advance(by: Self.day * 20)
            try await DayPartitions(database: hub.database).addDays(now: hub.time.now)
            let young = try await hub.publish(2).map(\.id)
            try await hub.number()
            try await hub.deliveries(5, where: "state = 'delivered'")
            try await Self.keeper(hub).clear()
            #expect(try await feed(hub) == old + young)

            hub.time.advance(by: Self.day * 12)
            try await Self.keeper(hub).clear()
            #expect(try await feed(hub) == young)
            #expect(try await hub.count("event") == 2)
            #expect(try await hub.count("attempt") == 2)
            #expect(try await hub.deliveries(of: subscription.id).map(\.eventID) == young.reversed().map { $0.cast() })
            // A reader that has missed something is told so, with the oldest that is held.
            #expect(await kind(hub, after: old[0]) == (.gone, .string(young[0].ulid)))
            // One that had read to the end of what went has missed nothing.
            #expect(try await feed(hub, after: old[2]) == young)
        }
    }

    @Test("A reader of a quiet feed keeps its place when all of it has gone", arguments: TestEngine.allCases)
    func quietReader(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let events = try await hub.publish(2).map(\.id)
            try await hub.number()
            hub.time.advance(by: Self.day * 40)
            try await Self.keeper(hub).clear()
            #expect(try await feed(hub, after: events[1]).isEmpty)
            #expect(await kind(hub, after: events[0]) == (.gone, .null))
            let next = try await hub.publish()[0].id
            try await hub.number()
            #expect(try await feed(hub, after: events[1]) == [next])
        }
    }

    @Test("retention_days: a tenant that holds less loses only its own", arguments: TestEngine.allCases)
    func shorterTenant(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await hub.database.write { transaction in
                try transaction.execute(
                    "INSERT INTO organisation (tenant_id, id, created_at) VALUES ($1, $2, 0)",
                    [.id(Hub.scope.tenant), .id(Hub.scope.organisation)])
                try transaction.execute(
                    """
                    INSERT INTO webhook_setting (tenant_id, retention_days, max_subscriptions, max_retry_attempts,
                        backoff_schedule, failure_threshold, failure_window, min_deliveries_for_disable, updated_at)
                    VALUES ($1, 7, 25, 5, '0', 95, 24, 10, 0)
                    """, [.id(Hub.scope.tenant)])
            }
            _ = try await hub.subscribe()
            let mine = try await hub.publish(130).map(\.id)
            let theirs = try await hub.publish(2, scope: Hub.stranger).map(\.id)
            try await hub.number()
            try await hub.deliveries(130, where: "state = 'delivered'")
            hub.time.advance(by: Self.day * 8)
            let young = try await hub.publish().map(\.id)
            try await hub.number()
            try await hub.deliveries(131, where: "state = 'delivered'")
            try await Self.keeper(hub).clear()
            #expect(try await feed(hub) == young)
            #expect(try await feed(hub, scope: Hub.stranger) == theirs)
            #expect(try await hub.count("event") == 3)
            #expect(try await hub.count("delivery") == 1)
            #expect(try await hub.count("attempt") == 1)
            #expect(await kind(hub, after: mine[0]).0 == .gone)
        }
    }

    @Test(
        "While it clears, writers lose nothing, deliveries go out, and readers see everything that is younger",
        arguments: TestEngine.allCases)
    func underLoad(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await DayPartitions(database: hub.database).addDays(now: hub.time.now)
            _ = try await hub.subscribe()
            try await hub.publish(120)
            try await hub.number()
            try await hub.deliveries(120, where: "state = 'delivered'")
            let old = Set(try await feed(hub))
            hub.time.advance(by: Self.day * 32)
            try await DayPartitions(database: hub.database).addDays(now: hub.time.now)
            let written = try await withThrowingTaskGroup(of: [EventID].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var mine: [EventID] = []
                        for _ in 0..<20 { mine += try await hub.publish(3).map(\.id) }
                        return mine
                    }
                }
                group.addTask {
                    try await Self.keeper(hub).clear()
                    return []
                }
                for _ in 0..<2 {
                    group.addTask {
                        var seen: [EventID] = []
                        for _ in 0..<20 {
                            try await hub.number()
                            let young = try await feed(hub).filter { !old.contains($0) }
                            #expect(young.starts(with: seen), "what was read once stays where it was")
                            seen = young
                        }
                        return []
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try await hub.number()
            let read = try await feed(hub)
            #expect(read.count == 240 && Set(read) == Set(written))
            #expect(try await hub.count("event") == 240)
            try await hub.settle(240)
            #expect(try await hub.count("delivery") == 240)
            #expect(try await hub.count("attempt") == 240)
        }
    }

    @Test("Deduplication keys outlive what they stand for", arguments: TestEngine.allCases)
    func keys(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let first: EventID = hub.ids.next()
            let insert: @Sendable (EventID, UInt8) async throws -> Void = { id, byte in
                try await hub.database.write { transaction in
                    for number in 0..<UInt8(100) {
                        try transaction.execute(
                            "INSERT INTO inbox_key (key, inbox_id) VALUES ($1, $2)",
                            [.bytes([number, byte] + [UInt8](repeating: 1, count: 14)), .id(id)])
                    }
                }
            }
            try await insert(first, 1)
            hub.time.advance(by: Self.day * 45)
            try await insert(hub.ids.next(), 2)
            try await Self.keeper(hub).clear()
            #expect(try await hub.count("inbox_key") == 200)
            hub.time.advance(by: Self.day * 20)
            try await Self.keeper(hub).clear()
            #expect(try await hub.count("inbox_key") == 100)
        }
    }
}
