import Dispatch
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

/// Holds one transaction open on its engine's own thread until a test lets it commit.
private final class OpenTransaction: Sendable {
    private let hasInserted = Gate()
    private let mayCommit = DispatchSemaphore(value: 0)

    /// Returns once the events are inserted and not committed; the task ends with the commit.
    func insert(_ events: [DomainEvent], into database: any Database) async -> Task<Void, any Error> {
        let task = Task {
            try await database.write(.interactive) { transaction in
                try EventStore.insert(events, in: transaction)
                // The engine may not have run what nobody asked the result of: this waits for all before it.
                _ = try transaction.first("SELECT now_ms()") { $0.int(0) }
                Task { await self.hasInserted.pass() }
                self.mayCommit.wait()
            }
        }
        await hasInserted.arrivals(1)
        return task
    }

    func commit() {
        hasInserted.open()
        mayCommit.signal()
    }
}

@Suite("The order of the feed", .endsWhenHung)
struct FeedOrderTests {
    private func events(_ count: Int, _ ids: IDGenerator, _ time: ManualTime) -> [DomainEvent] {
        (0..<count).map { _ in
            OrderCreated.example.occurred(
                id: ids.next(), at: time.now, scope: Hub.scope, actor: .system, source: "api", causation: nil)
        }
    }

    @Test(
        "After a quiet hour nothing is left out that a copy with an earlier clock committed later",
        arguments: TestEngine.allCases)
    func skewedBeginning(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            let (subscription, _) = try await hub.subscribe()
            let begin = hub.time.now
            hub.time.advance(by: .milliseconds(250))
            let first = try await hub.publish(2)
            hub.time.set(begin)
            let second = try await Hub(hub.database, hub.time, seed: 2).publish(2)
            hub.time.advance(by: .seconds(60))
            #expect(try #require(second.last).id < first[0].id)
            let request = try replays.request(subscription.id, since: begin - .seconds(10))
            #expect(try await replays.service.count(request, scope: Hub.scope) == 4)
            let before = try await hub.database.read { transaction in
                try FeedStore.position(before: begin - .seconds(10), in: transaction)
            }
            #expect(before == 0)
        }
    }

    @Test("With many writers, and one that commits late, a reader skips nothing and nothing moves")
    func lateCommit() async throws {
        let time = ManualTime()
        try await withStore(.postgres, time: time) { store in
            let databases = try [store.open(), store.open()]
            _ = try await databases[0].migrate(time: time.source)
            try await addOwners(databases[0])
            let hubs = try databases.enumerated().map {
                try Hub(ObservedDatabase($0.element), time, seed: UInt64($0.offset + 1))
            }
            let late = OpenTransaction()
            let lateEvents = events(3, hubs[0].ids, time)
            let lateCommit = await late.insert(lateEvents, into: databases[0])

            let written = Recorder<EventID>()
            let isOver = Recorder<Bool>()
            let read = Recorder<[EventID]>()
            try await withThrowingTaskGroup(of: Void.self) { readers in
                for hub in hubs {
                    readers.addTask {
                        // Numbers to the very end, as the servers' sequencers do.
                        while isOver.elements.isEmpty { _ = try await hub.sequencer.numberPending() }
                    }
                    readers.addTask { read.record(try await self.follow(hub, until: lateEvents.count + 8 * 30)) }
                }
                try await withThrowingTaskGroup(of: [EventID].self) { writers in
                    for number in 0..<8 {
                        let hub = hubs[number % 2]
                        writers.addTask {
                            var mine: [EventID] = []
                            for _ in 0..<15 { mine += try await hub.publish(2).map(\.id) }
                            return mine
                        }
                    }
                    for try await mine in writers { mine.forEach(written.record) }
                }
                // Everyone else is done and numbered while the first transaction is still open: nobody sees its events.
                while try await hubs[1].count("feed") < 8 * 30 { try await hubs[1].number() }
                #expect(try await hubs[1].count("event") == 8 * 30)
                late.commit()
                try await lateCommit.value
                while try await hubs[1].count("feed") < lateEvents.count + 8 * 30 { try await hubs[1].number() }
                isOver.record(true)
                try await readers.waitForAll()
            }
            try await expectOneOrder(hubs[0], written: written.elements + lateEvents.map(\.id), read: read.elements)
            // Made before all others and committed behind them, they come behind them.
            for sequence in read.elements { #expect(Array(sequence.suffix(3)) == lateEvents.map(\.id)) }
            for database in databases { await database.shutdown() }
        }
    }

    @Test("The same on SQLite, where the one writer gives the places: readers see what the ledger has, in its order")
    func manyWritersOnSQLite() async throws {
        try await withHub(.sqlite) { hub in
            let read = Recorder<[EventID]>()
            let written = Recorder<EventID>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask { read.record(try await self.follow(hub, until: 8 * 30)) }
                }
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<15 { try await hub.publish(2).map(\.id).forEach(written.record) }
                    }
                }
                try await group.waitForAll()
            }
            let final = try await hub.database.read { transaction in
                try transaction.all("SELECT event_id, position FROM feed ORDER BY position") {
                    (event: $0.id(0, of: Event.self), position: $0.int(1))
                }
            }
            #expect(final.map(\.position) == Array(1...Int64(240)))
            #expect(Set(final.map(\.event)) == Set(written.elements))
            for sequence in read.elements { #expect(sequence == final.map(\.event)) }
        }
    }

    /// Reads on from the last event that it has, in small pages, until it has that many.
    private func follow(_ hub: Hub, until count: Int) async throws -> [EventID] {
        var read: [EventID] = []
        while read.count < count {
            let query = FeedReader.Query(after: read.last, pattern: nil, entityType: nil, limit: 7)
            read += try await hub.feed.page(query, scope: Hub.scope).events.map(\.id)
        }
        return read
    }

    private func expectOneOrder(_ hub: Hub, written: [EventID], read: [[EventID]]) async throws {
        let final = try await hub.database.read { transaction in
            try transaction.all("SELECT event_id, position FROM feed ORDER BY position") {
                (event: $0.id(0, of: Event.self), position: $0.int(1))
            }
        }
        #expect(final.map(\.position) == Array(1...Int64(written.count)))
        #expect(Set(final.map(\.event)) == Set(written))
        #expect(read.count == 2)
        for sequence in read { #expect(sequence == final.map(\.event)) }
        #expect(try await hub.count("feed_pending") == 0)
    }
}
