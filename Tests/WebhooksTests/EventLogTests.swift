import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("The event log", .endsWhenHung)
struct EventLogTests {
    private func ids(
        _ hub: Hub, limit: Int = 100, window: Int = 4000, scope: Scope = Hub.scope,
        _ change: (inout EventLog.Query) -> Void = { _ in }
    ) async throws -> [EventID] {
        var query = EventLog.Query(limit: limit)
        change(&query)
        var found: [EventID] = []
        let log = EventLog(database: hub.database, window: window)
        for _ in 0..<50 {
            let page = try await log.list(query, scope: scope)
            #expect(page.events.count <= limit)
            found += page.events.map(\.id)
            guard let next = page.next else { return found }
            query.before = next
        }
        Issue.record("the log has no end")
        return found
    }

    @Test("Newest first, page after page, also when a filter matches rarely", arguments: TestEngine.allCases)
    func pages(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            var all: [EventID] = []
            var products: [EventID] = []
            for round in 0..<6 {
                all += try await hub.publish(3).map(\.id)
                if round % 3 == 0 {
                    products += try await hub.publish(1, ProductCreated.example).map(\.id)
                    all.append(products[products.count - 1])
                }
                try await hub.publish(2, scope: Hub.neighbour)
            }
            try await hub.number()
            #expect(try await ids(hub) == all.reversed())
            #expect(try await ids(hub, limit: 3) == all.reversed())
            for window in [4, 7, 4000] {
                #expect(
                    try await ids(hub, limit: 2, window: window) { $0.pattern = .entity("product") }
                        == products.reversed())
            }
            #expect(try await ids(hub, scope: Hub.stranger).isEmpty)
        }
    }

    /// How a page behind a cursor is refused; nil where it is not.
    private func refusal(_ hub: Hub, of cursor: EventID) async throws -> Refusal? {
        do {
            _ = try await ids(hub) { $0.before = cursor }
            return nil
        } catch let refusal as Refusal {
            return refusal
        }
    }

    @Test(
        "A cursor of another's log is refused, and of what is held no longer is gone with the oldest told",
        arguments: TestEngine.allCases)
    func cursors(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let old = try await hub.publish(2).map(\.id)
            let theirs = try await hub.publish(1, scope: Hub.neighbour)[0].id
            let forged: EventID = hub.ids.next()
            try await hub.number()
            #expect(try await ids(hub) { $0.before = old[1] } == [old[0]])
            for cursor in [theirs, forged] { #expect(try await refusal(hub, of: cursor)?.kind == .invalid) }

            hub.time.advance(by: .seconds(40 * 86_400))
            let young = try await hub.publish(2).map(\.id)
            try await hub.number()
            try await RetentionKeeper(database: hub.database, policy: RetentionPolicy(), time: hub.time.source).clear()
            #expect(try await ids(hub) { $0.before = young[1] } == [young[0]])
            let gone = try #require(try await refusal(hub, of: old[0]))
            #expect(gone.kind == .gone)
            #expect(gone.fields == [Refusal.Field("oldest", .string(young[0].ulid))])
        }
    }

    @Test("The cursor of an event that has no place in the log yet is refused")
    func earlyCursor() async throws {
        try await withHub(.postgres) { hub in
            let early = try await hub.publish()[0].id
            #expect(try await refusal(hub, of: early)?.kind == .invalid)
            try await hub.number()
            #expect(try await ids(hub) { $0.before = early }.isEmpty)
        }
    }

    @Test("It can be asked by time, entity, source and what became of the deliveries", arguments: TestEngine.allCases)
    func filters(engine: TestEngine) async throws {
        try await withHub(engine, answer: { $0.url.hasSuffix("bad") ? .status(410) : .status(200) }) { hub in
            let first = try await hub.publish(2).map(\.id)
            let middle = hub.time.now + .seconds(3600)
            hub.time.advance(by: .seconds(7200))
            let good = try await hub.subscribe("https://shop.example.com/good").0.id
            let bad = try await hub.subscribe("https://shop.example.com/bad").0.id
            let second = try await hub.publish(1, ProductCreated.example).map(\.id)
            try await hub.number()
            try await hub.deliveries(2, where: "state IN ('delivered', 'failed')")
            #expect(try await ids(hub) { $0.since = middle } == second)
            #expect(try await ids(hub) { $0.until = middle } == first.reversed())
            #expect(try await ids(hub) { $0.entityType = "product" } == second)
            #expect(try await ids(hub) { $0.entity = ProductCreated.example.entityID } == second)
            #expect(try await ids(hub, limit: 1) { $0.entity = OrderCreated.example.entityID } == first.reversed())
            #expect(try await ids(hub) { $0.source = "api" } == second + first.reversed())
            #expect(try await ids(hub) { $0.source = "elsewhere" }.isEmpty)
            #expect(try await ids(hub) { $0.subscription = good } == second)
            #expect(try await ids(hub) { ($0.subscription, $0.delivery) = (bad, .failed) } == second)
            #expect(try await ids(hub) { ($0.subscription, $0.delivery) = (bad, .delivered) }.isEmpty)
            #expect(try await ids(hub) { $0.delivery = .pending }.isEmpty)
            let story = try await EventLog(database: hub.database).require(second[0], scope: Hub.scope)
            #expect(Set(story.deliveries.map(\.subscription)) == [good, bad])
            #expect(story.deliveries.map(\.summary.attempts.count) == [1, 1])
            await #expect(throws: Refusal.self) {
                _ = try await EventLog(database: hub.database).require(second[0], scope: Hub.neighbour)
            }
        }
    }

    @Test("Confidential fields are for members and admins, restricted ones for admins, and viewers see neither")
    func clearances() throws {
        func visible(_ event: DomainEvent) throws -> [Privacy: Set<String>] {
            var seen: [Privacy: Set<String>] = [:]
            for clearance in Privacy.allCases {
                seen[clearance] = Set(try event.withheld(upTo: clearance).map(\.name))
            }
            return seen
        }
        var withheldTypes = 0
        for type in EventCatalog.all {
            let event = type.example.occurred(
                id: ID(high: 1, low: 1), at: Timestamp(milliseconds: 0), scope: Hub.scope, actor: .system,
                source: "api", causation: nil)
            let classes = Dictionary(type.fields.map { ($0.name, $0.privacy) }) { first, _ in first }
            let seen = try visible(event)
            #expect(seen[.public] == [])
            for name in seen[.confidential] ?? [] { #expect(classes[name] == .confidential, "\(type.name).\(name)") }
            let all = Set(try event.withheld.flatMap { try JSONValue(parsing: $0).object }?.members.map(\.name) ?? [])
            #expect(seen[.restricted] == all)
            if !all.isEmpty { withheldTypes += 1 }
        }
        #expect(withheldTypes > 0, "no example withholds anything, so nothing was tested")
        let unknown = DomainEvent(
            id: ID(high: 1, low: 1), type: "parcel.lost", occurredAt: Timestamp(milliseconds: 0), scope: Hub.scope,
            actor: .system, entity: .init(type: "parcel", id: EventID(high: 2, low: 2)), source: "api",
            causation: nil, payload: Array("{}".utf8), withheld: Array(#"{"code": 1}"#.utf8))
        #expect(try visible(unknown) == [.public: [], .confidential: [], .restricted: ["code"]])
    }

    @Test(
        "Payloads can be erased: a tombstone stands in their place, also for deliveries that still wait",
        arguments: TestEngine.allCases)
    func erasure(engine: TestEngine) async throws {
        let refusing = Recorder<Bool>()
        try await withHub(engine, answer: { _ in .status(refusing.elements.count < 2 ? 503 : 200) }) { hub in
            _ = try await hub.subscribe()
            let erased = try await hub.publish()[0]
            let kept = try await hub.publish(1, ProductCreated.example)[0]
            try await hub.number()
            try await hub.deliveries(2, where: "state = 'pending' AND attempts = 1")
            let now = hub.time.now
            func erase(_ scope: Scope) async throws -> EventErasure.Erased {
                try await hub.database.write {
                    try EventErasure.eraseNext(
                        of: erased.entity, after: .zero, limit: 10, scope: scope, at: now, in: $0)
                }
            }
            #expect(try await erase(Hub.neighbour).events.isEmpty)
            #expect(try await erase(Hub.scope).events == [erased.id])
            let page = try await hub.feed.page(
                FeedReader.Query(after: nil, pattern: nil, entityType: nil, limit: 10), scope: Hub.scope)
            #expect(page.events.map(\.id) == [erased.id, kept.id])
            let tombstone = EventErasure.tombstone(at: now)
            #expect(page.events.map(\.payload) == [tombstone, kept.payload])
            let story = try await EventLog(database: hub.database).require(erased.id, scope: Hub.scope)
            #expect(story.event.withheld == nil)
            #expect(story.deliveries[0].summary.attempts[0].responseBody == nil)

            refusing.record(true)
            refusing.record(true)
            hub.time.advance(by: .seconds(86_400))
            _ = await hub.dispatcher.claimDue()
            try await hub.deliveries(2, where: "state = 'delivered'")
            let sent = hub.exchange.requests.elements.suffix(2).map { String(decoding: $0.body, as: UTF8.self) }
            #expect(sent.filter { $0.contains(String(decoding: tombstone, as: UTF8.self)) }.count == 1)
        }
    }
}
