import Events
import Kernel
import ServiceLifecycle
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("The feed of events", .endsWhenHung)
struct FeedTests {
    private func page(
        _ hub: Hub, after: EventID? = nil, pattern: EventPattern? = nil, entityType: String? = nil, limit: Int = 100,
        scope: Scope = Hub.scope
    ) async throws -> FeedReader.Page {
        try await hub.feed.page(
            FeedReader.Query(after: after, pattern: pattern, entityType: entityType, limit: limit), scope: scope)
    }

    @Test("Events come in the order of their commits, page after page", arguments: TestEngine.allCases)
    func pages(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            var events: [EventID] = []
            for count in [1, 3, 1, 2] { events += try await hub.publish(count).map(\.id) }
            try await hub.number()
            var read: [EventID] = []
            var pages: [Int] = []
            while true {
                let page = try await page(hub, after: read.last, limit: 3)
                read += page.events.map(\.id)
                pages.append(page.events.count)
                #expect(page.hasMore == (read.count < events.count))
                if !page.hasMore { break }
            }
            #expect(read == events)
            #expect(pages == [3, 3, 1])
            let end = try await page(hub, after: read.last)
            #expect(end.events.isEmpty && !end.hasMore)
        }
    }

    @Test("The feed can be asked for types and for entities", arguments: TestEngine.allCases)
    func patterns(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await hub.publish(1, OrderCreated.example)
            try await hub.publish(1, ProductCreated.example)
            try await hub.publish(1, OrderUpdated.example)
            try await hub.publish(1, ProductPriceChanged.example)
            try await hub.number()
            func types(_ pattern: EventPattern?, _ entityType: String? = nil) async throws -> [String] {
                try await page(hub, pattern: pattern, entityType: entityType).events.map(\.type)
            }
            let all = ["order.created", "product.created", "order.updated", "product.price_changed"]
            #expect(try await types(nil) == all)
            #expect(try await types(.all) == all)
            #expect(try await types(.entity("order")) == ["order.created", "order.updated"])
            #expect(try await types(.exactly("product.created")) == ["product.created"])
            #expect(try await types(nil, "product") == ["product.created", "product.price_changed"])
            #expect(try await types(.exactly("order.created"), "product") == [])
            let limited = try await page(hub, pattern: .entity("order"), limit: 1)
            #expect(limited.events.map(\.type) == ["order.created"] && limited.hasMore)
            let rest = try await page(hub, after: limited.events.last?.id, pattern: .entity("order"), limit: 1)
            #expect(rest.events.map(\.type) == ["order.updated"] && !rest.hasMore)
        }
    }

    @Test("Other tenants and organisations see nothing of it", arguments: TestEngine.allCases)
    func owners(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let first = try await hub.publish()[0]
            let others = try await hub.publish(1, scope: Hub.neighbour)[0]
            try await hub.number()
            #expect(try await page(hub, scope: Hub.stranger).events.isEmpty)
            #expect(try await page(hub, scope: Hub.neighbour).events.map(\.id) == [others.id])
            let feed = hub.feed
            await #expect(throws: Refusal.self) {
                _ = try await feed.page(
                    FeedReader.Query(after: first.id, pattern: nil, entityType: nil, limit: 10), scope: Hub.stranger)
            }
        }
    }

    @Test("A cursor that is no longer kept is gone, and the oldest is told", arguments: TestEngine.allCases)
    func goneCursor(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let others = try await hub.publish(1, scope: Hub.neighbour)[0]
            let events = try await hub.publish(2)
            try await hub.number()
            func oldest(_ scope: Scope) async throws -> JSONValue? {
                do {
                    _ = try await page(hub, after: EventID(high: 5, low: 5), scope: scope)
                    return nil
                } catch let error as Refusal {
                    #expect(error.kind == .gone)
                    return error.fields.first { $0.name == "oldest" }?.value
                }
            }
            #expect(try await oldest(Hub.scope) == .string(events[0].id.ulid))
            #expect(try await oldest(Hub.neighbour) == .string(others.id.ulid))
            #expect(try await oldest(Hub.stranger) == .null)
        }
    }

    @Test("The cursor of an event that was pushed before it was numbered waits, and skips nothing")
    func earlyCursor() async throws {
        try await withHub(.postgres) { hub in
            let early = try await hub.publish()[0]
            let before = try await page(hub, after: early.id)
            #expect(before.events.isEmpty && !before.hasMore)
            let next = try await hub.publish()[0]
            try await hub.number()
            #expect(try await page(hub, after: early.id).events.map(\.id) == [next.id])
        }
    }

    @Test("The sequencer numbers what is published while it runs", arguments: TestEngine.allCases)
    func sequencer(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let group = ServiceGroup(services: [hub.sequencer], logger: Hub.quiet)
            let run = Task { try await group.run() }
            let events = try await hub.publish(5).map(\.id)
            try await hub.database.until { try Hub.count("feed", where: "1 = 1", in: $0) == 5 }
            await group.triggerGracefulShutdown()
            try await run.value
            #expect(try await page(hub).events.map(\.id) == events)
        }
    }

    @Test(
        "A filter that matches rarely looks at a bounded part of the feed, and still gets on",
        arguments: TestEngine.allCases)
    func rareMatches(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let reader = FeedReader(database: hub.database, window: 4)
            var orders: [EventID] = []
            for round in 0..<3 {
                try await hub.publish(5, ProductCreated.example)
                try await hub.publish(2, OrderCreated.example, scope: Hub.neighbour)
                if round > 0 { orders += try await hub.publish(1, OrderCreated.example).map(\.id) }
            }
            try await hub.number()
            var read: [EventID] = []
            var query = FeedReader.Query(after: nil, pattern: .entity("order"), entityType: nil, limit: 2)
            var pages = 0
            while true {
                let page = try await reader.page(query, scope: Hub.scope)
                read += page.events.map(\.id)
                pages += 1
                if page.hasMore { #expect(page.next != query.after) }
                query.after = page.next
                if !page.hasMore { break }
            }
            #expect(read == orders)
            // 17 events of this organisation, four at a time.
            #expect(pages == 5)
            #expect(query.after == orders.last)
        }
    }

    @Test("A cursor that never was of this feed is refused as such", arguments: TestEngine.allCases)
    func forgedCursor(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            try await hub.publish(2)
            let theirs = try await hub.publish(1, scope: Hub.neighbour)[0]
            try await hub.number()
            let forged: EventID = hub.ids.next()
            for cursor in [theirs.id, forged] {
                let error = await #expect(throws: Refusal.self) { _ = try await page(hub, after: cursor) }
                #expect(error?.kind == .invalid)
            }
        }
    }
}
