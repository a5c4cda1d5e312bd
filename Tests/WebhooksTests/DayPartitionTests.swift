import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Days of PostgreSQL's tables", .endsWhenHung)
struct DayPartitionTests {
    private static let day: Duration = .seconds(86_400)

    @Test("A day is named after its date, and its name is read back", arguments: [0, 1, 20_089, 20_148, 25_000])
    func names(number: Int64) throws {
        let day = Day(number: number)
        #expect(Day(name: day.name) == day)
        #expect(Day(day.start) == day && Day(day.start - .milliseconds(1)) == day + -1)
        #expect(day.firstID.time == day.start)
    }

    @Test("Every day up to a week ahead has a partition, and days that were missed share one")
    func plan() {
        let today = Day(number: 100)
        let fresh = PartitionPlan([])
        #expect(fresh.missing(today: today).map(\.number) == Array(101...107))
        let kept = PartitionPlan(fresh.missing(today: today))
        #expect(kept.missing(today: today).isEmpty)
        #expect(kept.missing(today: today + 1).map(\.number) == [108])
        #expect(kept.missing(today: today + 30).map(\.number) == [108] + Array(130...137))
        let late = PartitionPlan(kept.starts + kept.missing(today: today + 30))
        #expect(late.end(of: Day(number: 108)) == Day(number: 130))
        #expect(late.expired(before: Day(number: 102)).map(\.number) == [101])
        #expect(late.expired(before: Day(number: 129)).map(\.number) == Array(101...107))
        #expect(late.expired(before: Day(number: 130)).map(\.number) == Array(101...108))
        #expect(late.expired(before: Day(number: 900)).last?.number == 136)
    }

    private func partitions(_ hub: Hub) async throws -> Int {
        try await hub.database.read { try DayPartitions.plan(of: "event", in: $0).starts.count }
    }

    @Test("Rows of any time find a place, and days are dropped whole")
    func days() async throws {
        try await withHub(.postgres) { hub in
            let days = DayPartitions(database: hub.database)
            let before = try await hub.publish(2).map(\.id)
            #expect(try await days.addDays(now: hub.time.now) == 21)
            #expect(try await days.addDays(now: hub.time.now) == 0)
            let start = hub.time.now
            var all = before
            // Tomorrow, a day for which there is no partition yet, and, by a clock that goes back, last year.
            for shift in [1, 20, -400] {
                hub.time.set(start + Self.day * shift)
                let event: EventID = ID(from: hub.time.now)
                try await insert(event, hub)
                all.append(event)
            }
            hub.time.set(start + Self.day * 30)
            #expect(try await days.addDays(now: hub.time.now) > 0)
            all += try await hub.publish(1).map(\.id)
            #expect(try await hub.count("event") == all.count)
            for id in all {
                let found = try await hub.database.read { try EventStore.fetch(id, scope: Hub.scope, in: $0) }
                #expect(found?.id == id)
            }
            let dropped = try await days.dropDays(before: start + Self.day * 5)
            #expect(dropped == 12)
            #expect(try await hub.count("event") == 2)
            // A latecomer of the dropped days is taken in all the same.
            try await insert(ID(from: start + Self.day * 2), hub)
            #expect(try await hub.count("event") == 3)
        }
    }

    private func insert(_ id: EventID, _ hub: Hub) async throws {
        let event = OrderCreated.example.occurred(
            id: id, at: id.time, scope: Hub.scope, actor: .system, source: "api", causation: nil)
        try await hub.database.write { try EventStore.insert([event], in: $0) }
    }

    @Test("Two copies that add days at once don't get in each other's way, nor in the writers'")
    func copies() async throws {
        let time = ManualTime()
        try await withStore(.postgres, time: time) { store in
            let databases = try [store.open(), store.open()]
            _ = try await databases[0].migrate(time: time.source)
            try await addOwners(databases[0])
            let hub = try Hub(ObservedDatabase(databases[0]), time)
            let added = try await withThrowingTaskGroup(of: Int.self) { group in
                for database in databases {
                    group.addTask { try await DayPartitions(database: database).addDays(now: time.now) }
                }
                group.addTask {
                    for _ in 0..<20 { try await hub.publish(2) }
                    return 0
                }
                return try await group.reduce(0, +)
            }
            #expect(added == 21)
            #expect(try await hub.count("event") == 40)
            for database in databases { await database.shutdown() }
        }
    }

    @Test("An event is looked up in its own day only, also through its delivery or its place in the feed")
    func pruning() async throws {
        try await withHub(.postgres) { hub in
            try await DayPartitions(database: hub.database).addDays(now: hub.time.now)
            hub.time.advance(by: Self.day * 2)
            _ = try await hub.subscribe()
            let event = try await hub.publish(3)[0].id
            try await hub.number()
            try await hub.database.write { transaction in
                // Small tables are quicker read whole; what is asked is what happens once they are not.
                try transaction.execute("SET LOCAL enable_seqscan = off")
                try transaction.execute("SET LOCAL enable_hashjoin = off")
                try transaction.execute("SET LOCAL enable_mergejoin = off")
                for text in [
                    "SELECT payload FROM event WHERE id = '\(event)'",
                    "SELECT e.payload FROM delivery d JOIN event e ON e.id = d.event_id WHERE d.event_id = '\(event)'",
                    """
                    SELECT e.payload FROM feed f JOIN event e ON e.id = f.event_id
                    WHERE f.tenant_id = '\(Hub.scope.tenant)' AND f.org_id = '\(Hub.scope.organisation)'
                        AND f.position > 0 ORDER BY f.position LIMIT 2
                    """,
                ] {
                    let plan = try transaction.all(
                        Statement(composed: "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) \(text)")
                    ) { $0.text(0) }
                    let used = plan.filter { $0.contains(" on event_") && !$0.contains("never executed") }
                    #expect(used.count == 1, "\(plan.joined(separator: "\n"))")
                }
            }
        }
    }
}
