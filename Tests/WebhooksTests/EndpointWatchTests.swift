import Events
import Kernel
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

@Suite("Endpoints that are counted, told of and given up", .endsWhenHung)
struct EndpointWatchTests {
    /// What all endpoints of a test answer.
    private final class Answers: Sendable {
        private let current: Mutex<Int>
        init(_ status: Int) { current = Mutex(status) }
        var status: Int { current.withLock { $0 } }
        func set(_ status: Int) { current.withLock { $0 = status } }
    }

    private static func events(_ hub: Hub, _ type: any EventType.Type) async throws -> Int {
        try await hub.count("event", where: "type = '\(type.name)'")
    }

    private static func untilDisabled(_ hub: Hub, _ id: SubscriptionID) async throws {
        try await hub.database.until { transaction in
            try SubscriptionStore.fetch(id, scope: Hub.scope, in: transaction)?.status == .disabled
        }
    }

    private static func set(_ hub: Hub, _ body: String) async throws {
        let change = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { TenantSettingsChange($0) }
        _ = try await hub.subscriptions.changeSettings(change, of: Hub.scope.tenant)
    }

    private static func attempt(
        _ event: DomainEvent, at endpoint: SubscriptionID, status: Int, _ decision: DeliveryDecision, _ hub: Hub
    ) -> AttemptRecord {
        AttemptRecord(
            delivery: ReadyDelivery(
                id: hub.ids.next(), tenant: Hub.scope.tenant, subscription: endpoint, event: event, attempts: 0,
                claim: 1,
                leaseEnds: .never, createdAt: hub.time.now, orderedBy: nil),
            startedAt: hub.time.now, duration: .milliseconds(3), phases: nil,
            outcome: .answered(status: status, retryAfter: nil), detail: nil, requestHeaders: [], responseHeaders: nil,
            responseBody: nil, decision: decision)
    }

    /// Returns once another session waits for what this transaction holds; at once where there is one writer.
    private static func untilAwaited(_ transaction: any Transaction, _ engine: TestEngine) throws {
        guard engine == .postgres else { return }
        let waiting: Statement = """
            SELECT count(*) FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY(pg_blocking_pids(l.pid))
            """
        while try transaction.first(waiting, [], { $0.int(0) }) == 0 {}
    }

    @Test(
        "min_deliveries_for_disable: the tenth failure of ten disables, tells of it once; activation counts anew",
        arguments: TestEngine.allCases)
    func disabling(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(503) }) { hub in
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            try await hub.publish(9)
            try await hub.deliveries(9, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.subscriptions.require(subscription.id, scope: Hub.scope).status == .active)
            try await hub.publish(4)
            try await Self.untilDisabled(hub, subscription.id)
            let ended = try await hub.subscriptions.require(subscription.id, scope: Hub.scope)
            let reason = try #require(ended.statusReason)
            #expect(reason.hasSuffix("attempts failed within 24 hours"))
            let skipped = try await hub.count(
                "delivery", where: "state = 'skipped' AND reason = '\(reason)' AND claim = 0")
            #expect(skipped == 13)
            #expect(try await Self.events(hub, WebhookFailing.self) == 1)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 1)
            let event = try await hub.feedEvents().last
            #expect(event?.type == WebhookDisabled.name && event?.entity.id == subscription.id.cast())
            let payload = try JSONValue(parsing: event?.payload ?? [])
            #expect(payload["host"]?.string == "shop.example.com" && payload["url"] == nil)
            #expect(payload["last_success_at"] == .null && payload["reason"]?.string == reason + ".")

            // The breaker that opened here meanwhile is dropped, since it is of a disabled subscription.
            for _ in 1...2 { _ = await hub.dispatcher.claimDue() }
            _ = try await hub.subscriptions.setStatus(.active, of: subscription.id, scope: Hub.scope)
            #expect(try await hub.count("endpoint_minute") == 0)
            #expect(try await hub.count("breaker") == 0)
            try await hub.publish(9)
            try await hub.deliveries(9, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.subscriptions.require(subscription.id, scope: Hub.scope).status == .active)
            try await hub.publish(1)
            try await Self.untilDisabled(hub, subscription.id)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 2)
        }
    }

    @Test("What two copies see is one count, and one of them disables", arguments: TestEngine.allCases)
    func copies(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(500) }) { hub in
            let other = try Hub(hub.database, hub.time, seed: 2, isWatched: true) { _ in .status(500) }
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            try await hub.publish(5)
            try await hub.deliveries(5, where: "state = 'pending' AND attempts = 1")
            try await other.publish(4)
            try await hub.deliveries(9, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.count("endpoint_minute") == 2)
            try await other.publish(1)
            try await Self.untilDisabled(hub, subscription.id)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 1)
        }
    }

    @Test("failure_window: what is older than 24 h does not count, and is removed", arguments: TestEngine.allCases)
    func window(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(500) }) { hub in
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            try await hub.publish(9)
            try await hub.deliveries(9, where: "state = 'pending' AND attempts = 1")
            hub.time.advance(by: .seconds(86_400))
            try await hub.publish(1)
            try await hub.deliveries(10, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.subscriptions.require(subscription.id, scope: Hub.scope).status == .active)
            #expect(try await hub.database.write { try EndpointHealthStore.removeOld(limit: 10, in: $0) } == 1)
            #expect(try await hub.database.write { try EndpointHealthStore.removeOld(limit: 10, in: $0) } == 0)
            let left = try await hub.database.read { transaction in
                try EndpointHealthStore.windows(of: [(subscription.id, Hub.scope.tenant)], in: transaction)
            }
            #expect(left.map(\.health.attempts) == [1])
        }
    }

    @Test(
        "failure_window, min_deliveries_for_disable: a tenant's own hours and number count in place of ours",
        arguments: TestEngine.allCases)
    func ownWindow(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(500) }) { hub in
            try await Self.set(hub, #"{"failure_window": 1, "min_deliveries_for_disable": 3}"#)
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            try await hub.publish(2)
            try await hub.deliveries(2, where: "state = 'pending' AND attempts = 1")
            hub.time.advance(by: .seconds(3600))
            try await hub.publish(2)
            try await hub.deliveries(4, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.subscriptions.require(subscription.id, scope: Hub.scope).status == .active)
            try await hub.publish(1)
            try await Self.untilDisabled(hub, subscription.id)
            let ended = try await hub.subscriptions.require(subscription.id, scope: Hub.scope)
            #expect(ended.statusReason?.hasPrefix("3 of 3 attempts failed") == true)
        }
    }

    @Test("failure_threshold: one success in ten keeps it, as the tenant's settings do", arguments: TestEngine.allCases)
    func kept(engine: TestEngine) async throws {
        let answers = Answers(200)
        try await withHub(engine, isWatched: true, answer: { _ in .status(answers.status) }) { hub in
            let (subscription, _) = try await hub.subscribe(types: "order.*")
            try await hub.publish(1)
            try await hub.deliveries(1, where: "state = 'delivered'")
            answers.set(500)
            try await hub.publish(9)
            try await hub.deliveries(9, where: "state = 'pending' AND attempts = 1")
            #expect(try await hub.subscriptions.require(subscription.id, scope: Hub.scope).status == .active)
            try await Self.set(hub, #"{"failure_threshold": 89}"#)
            hub.time.advance(by: .seconds(6))
            _ = await hub.dispatcher.claimDue()
            try await Self.untilDisabled(hub, subscription.id)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 1)
        }
    }

    @Test("webhook.disabled: an endpoint that says it is gone is told of, once", arguments: TestEngine.allCases)
    func gone(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(410) }) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(3)
            try await Self.untilDisabled(hub, subscription.id)
            let event = try #require(try await hub.feedEvents().last)
            #expect(event.type == WebhookDisabled.name)
            let payload = try JSONValue(parsing: event.payload)
            #expect(payload["reason"]?.string == "The endpoint answered 410 Gone.")
            #expect(try await Self.events(hub, WebhookDisabled.self) == 1)
            #expect(try await Self.events(hub, WebhookFailing.self) == 0)
        }
    }

    @Test(
        "An opening is told of once, however often it is tried in vain, and its end as well",
        arguments: TestEngine.allCases)
    func recovery(engine: TestEngine) async throws {
        let answers = Answers(503)
        try await withHub(engine, isWatched: true, answer: { _ in .status(answers.status) }) { hub in
            try await Self.set(hub, #"{"failure_threshold": 100}"#)
            // It asks for events about itself, too.
            _ = try await hub.subscribe()
            try await hub.publish(40)
            try await hub.untilOpen()
            #expect(try await Self.events(hub, WebhookFailing.self) == 1)
            hub.time.advance(by: .seconds(33))
            _ = await hub.dispatcher.claimDue()
            try await hub.deliveries(1, where: "attempts = 2 AND claim = 0")
            while try await hub.count("breaker", where: "trips = 2") == 0 {
                await hub.dispatcher.turn()
                await Task.yield()
            }
            #expect(try await Self.events(hub, WebhookFailing.self) == 1)

            answers.set(200)
            hub.time.advance(by: .seconds(66))
            _ = await hub.dispatcher.claimDue()
            try await hub.settle(42)
            #expect(try await Self.events(hub, WebhookFailing.self) == 1)
            #expect(try await Self.events(hub, WebhookRecovered.self) == 1)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 0)
            let sent = Set(hub.exchange.requests.elements.compactMap { $0.header("webhook-id") })
            #expect(sent.count == 42)
        }
    }

    @Test("Failing to tell of failures leads to nothing more to tell", arguments: TestEngine.allCases)
    func noLoop(engine: TestEngine) async throws {
        try await withHub(engine, isWatched: true, answer: { _ in .status(500) }) { hub in
            let (first, _) = try await hub.subscribe(types: "*")
            let (second, _) = try await hub.subscribe(types: "webhook.*")
            try await hub.publish(10)
            try await Self.untilDisabled(hub, first.id)
            // Both events about the first wait for the second, whose endpoint takes nothing either.
            for attempts in 1...4 {
                _ = await hub.dispatcher.claimDue()
                try await hub.deliveries(2, where: "state = 'pending' AND attempts = \(attempts) AND claim = 0")
                hub.time.advance(by: .seconds(500))
            }
            _ = await hub.dispatcher.claimDue()
            try await Self.untilDisabled(hub, second.id)
            _ = await hub.dispatcher.claimDue()
            #expect(try await Self.events(hub, WebhookFailing.self) == 2)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 2)
            #expect(try await hub.count("delivery", where: "state = 'pending'") == 0)
        }
    }

    @Test("Five hundred successes of two endpoints cost one statement and two rows", arguments: TestEngine.allCases)
    func cheapSuccess(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let event = try #require(try await hub.publish(1).first)
            let endpoints: [SubscriptionID] = [hub.ids.next(), hub.ids.next()]
            let records = (0..<500).map { number in
                Self.attempt(event, at: endpoints[number % 2], status: 200, .delivered, hub)
            }
            let watch = EndpointWatch(ids: hub.ids, time: hub.time.source, writer: 7)
            let database = hub.database
            let cost = try await database.write { transaction in
                let before = database.statementCount
                let news = try watch.recorded(.init(attempts: records), in: transaction)
                #expect(news?.scopes == nil)
                return database.statementCount - before
            }
            #expect(cost == 1)
            #expect(try await hub.count("endpoint_minute", where: "attempts = 250 AND failures = 0") == 2)
        }
    }

    @Test(
        "A breaker that opens while another copy disables its subscription is told of once",
        arguments: TestEngine.allCases)
    func disabledWhileOpening(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let event = try #require(try await hub.publish(1).first)
            let now = hub.time.now
            let records = (0..<10).map { _ in
                Self.attempt(event, at: subscription.id, status: 500, .retry(at: now + .seconds(5)), hub)
            }
            let opened = DispatchState.Turned(
                subscription: subscription.id, tenant: Hub.scope.tenant, turn: .opened(trips: 1, wait: .seconds(30)),
                isOperational: false)
            let copies = (1...2).map { EndpointWatch(ids: hub.ids, time: hub.time.source, writer: $0) }
            let hasOpened = Gate()
            hasOpened.open()
            let opening = Task {
                try await hub.database.write(.interactive) { transaction in
                    let told = try BreakerStore.write([opened], now: now, in: transaction)
                    _ = try copies[0].turned(told, in: transaction)
                    Task { await hasOpened.pass() }
                    try Self.untilAwaited(transaction, engine)
                }
            }
            await hasOpened.arrivals(1)
            try await hub.database.write(.background) { transaction in
                _ = try copies[1].recorded(.init(attempts: records), in: transaction)
            }
            try await opening.value
            #expect(try await Self.events(hub, WebhookFailing.self) == 1)
            #expect(try await Self.events(hub, WebhookDisabled.self) == 1)
            #expect(try await hub.count("breaker") == 0)
        }
    }

    @Test(
        "An opening by an operational event's own delivery is not told of, a later one by another is",
        arguments: TestEngine.allCases)
    func quietOpenings(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let now = hub.time.now
            func write(_ turn: Breaker.Turn, isOperational: Bool) async throws -> [DispatchState.Turned] {
                let turned = DispatchState.Turned(
                    subscription: subscription.id, tenant: Hub.scope.tenant, turn: turn, isOperational: isOperational)
                return try await hub.database.write { try BreakerStore.write([turned], now: now, in: $0) }
            }
            let opened = Breaker.Turn.opened(trips: 1, wait: .seconds(30))
            #expect(try await write(opened, isOperational: true).isEmpty)
            #expect(try await write(.closed, isOperational: false).isEmpty)
            #expect(try await write(opened, isOperational: true).isEmpty)
            #expect(try await write(.opened(trips: 2, wait: .seconds(60)), isOperational: false).count == 1)
            #expect(try await write(.opened(trips: 3, wait: .seconds(60)), isOperational: false).isEmpty)
            #expect(try await write(.closed, isOperational: true).count == 1)
            #expect(try await write(.closed, isOperational: false).isEmpty)
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            #expect(try await write(opened, isOperational: false).isEmpty)
            #expect(try await hub.count("breaker") == 0)
        }
    }
}

extension Hub {
    /// All events of the organisation, oldest first.
    fileprivate func feedEvents() async throws -> [DomainEvent] {
        try await database.read { transaction in
            try transaction.all(
                Statement(composed: "SELECT \(EventStore.columns) FROM event e ORDER BY e.id")
            ) { EventStore.decode($0) }
        }
    }
}
