import Events
import Kernel
import ServiceLifecycle
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Readers that stay with the feed", .endsWhenHung)
struct FeedFollowerTests {
    private static let query = FeedReader.Query(after: nil, pattern: nil, entityType: nil, limit: 3)

    /// Waits until that many readers are registered: they then hear of everything that is published.
    private func visits(_ count: Int, _ hub: Hub) async {
        while hub.sequencer.watch.visitCount != count { await Task.yield() }
    }

    @Test("A page that would be empty waits for its first event", arguments: TestEngine.allCases)
    func longPoll(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let waiting = Task {
                try await hub.follower.page(Self.query, scope: Hub.scope, wait: .seconds(60))
            }
            await visits(1, hub)
            try await hub.publish(1, scope: Hub.neighbour)
            let mine = try await hub.publish(2).map(\.id)
            try await hub.number()
            let page = try await waiting.value
            #expect(page.events.map(\.id) == mine)
            #expect(page.next == mine.last && !page.hasMore)
            await visits(0, hub)
        }
    }

    @Test("What is there is answered at once, and a wait that is over answers an empty page")
    func noWait() async throws {
        try await withHub(.sqlite) { hub in
            let none = try await hub.follower.page(Self.query, scope: Hub.scope, wait: .milliseconds(1))
            #expect(none.events.isEmpty && none.next == nil && !none.hasMore)
            let events = try await hub.publish(1)
            let one = try await hub.follower.page(Self.query, scope: Hub.scope, wait: .seconds(60))
            #expect(one.events.map(\.id) == events.map(\.id))
        }
    }

    @Test("Another copy's events wake readers through the sequencer's look")
    func otherCopy() async throws {
        let time = ManualTime()
        try await withStore(.postgres, time: time) { store in
            let databases = try [store.open(), store.open()]
            _ = try await databases[0].migrate(time: time.source)
            try await addOwners(databases[0])
            let hubs = try databases.enumerated().map {
                try Hub(ObservedDatabase($0.element), time, seed: UInt64($0.offset + 1))
            }
            let reader = hubs[1]
            let waiting = Task {
                try await reader.follower.page(Self.query, scope: Hub.scope, wait: .seconds(60))
            }
            await visits(1, reader)
            let event = try await hubs[0].publish()[0]
            // The writer's own copy numbers it; the reader's one finds at its next turn that it was not it.
            try await hubs[0].number()
            _ = try await reader.sequencer.numberPending()
            #expect(try await waiting.value.events.map(\.id) == [event.id])
            for database in databases { await database.shutdown() }
        }
    }

    @Test("A slow reader is given every event in order, page by page", arguments: TestEngine.allCases)
    func slowReader(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            var published = try await hub.publish(5).map(\.id)
            try await hub.number()
            let visit = try hub.sequencer.watch.enter(Hub.scope)
            var seen: [EventID] = []
            var pages: [Int] = []
            try await hub.follower.follow(Self.query, scope: Hub.scope, visit: visit, heartbeat: .seconds(60)) {
                signal in
                guard case .page(let page) = signal else { return false }
                seen += page.events.map(\.id)
                pages.append(page.events.count)
                // While it is busy with this page, more is written than a page holds.
                if published.count < 20 {
                    published += try await hub.publish(5).map(\.id)
                    try await hub.number()
                }
                return seen.count < published.count
            }
            #expect(seen == published)
            #expect(pages.allSatisfy { $0 <= 3 })
        }
    }

    @Test("A quiet stream shows a sign of life, with the place that the reader has come to")
    func heartbeat() async throws {
        try await withHub(.sqlite) { hub in
            let events = try await hub.publish(2, ProductCreated.example)
            let visit = try hub.sequencer.watch.enter(Hub.scope)
            let query = FeedReader.Query(after: nil, pattern: .entity("order"), entityType: nil, limit: 3)
            var next: EventID?
            try await hub.follower.follow(query, scope: Hub.scope, visit: visit, heartbeat: .milliseconds(1)) {
                signal in
                if case .idle(let cursor) = signal { next = cursor }
                return false
            }
            #expect(next == events[1].id)
        }
    }

    @Test("Readers leave when the server stops")
    func stop() async throws {
        struct Following: Service {
            let hub: Hub

            func run() async throws {
                let visit = try hub.sequencer.watch.enter(Hub.scope)
                try await hub.follower.follow(
                    FeedFollowerTests.query, scope: Hub.scope, visit: visit, heartbeat: .seconds(600)
                ) { _ in true }
            }
        }
        try await withHub(.sqlite) { hub in
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: Following(hub: hub), successTerminationBehavior: .ignore)],
                    logger: Hub.quiet))
            let run = Task { try await group.run() }
            await visits(1, hub)
            await group.triggerGracefulShutdown()
            try await run.value
        }
    }

    @Test("A tenant can't have more than a hundred readers waiting; another one still can")
    func crowd() async throws {
        let watch = FeedWatch()
        var visits = try (0..<FeedWatch.visitsMost).map { _ in try watch.enter(Hub.scope) }
        #expect(throws: Refusal.self) { try watch.enter(Hub.neighbour) }
        _ = try watch.enter(Hub.stranger)
        visits.removeLast()
        _ = try watch.enter(Hub.neighbour)
        #expect(watch.visitCount == FeedWatch.visitsMost - 1)
    }
}
