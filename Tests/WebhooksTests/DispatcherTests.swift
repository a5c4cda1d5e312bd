import Events
import HTTPTypes
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Sending deliveries", .endsWhenHung)
struct DispatcherTests {
    @Test("2xx within 10 s: a success is recorded with its attempt, secrets masked", arguments: TestEngine.allCases)
    func success(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let more = #", "headers": {"Authorization": "Bearer abc", "X-Shop": "12"}"#
            let (subscription, _) = try await hub.subscribe(more: more)
            let event = try await hub.publish()[0]
            try await hub.deliveries(1, where: "state = 'delivered'")
            let request = try #require(hub.exchange.requests.elements.first)
            #expect(request.method == .post && request.url == "https://shop.example.com/in")
            #expect(request.timeout == .seconds(10) && request.responseLimit == Limits.responseBodyBytes)
            #expect(request.body == SynqEnvelope.body(of: event, .full))
            #expect(request.header("content-type") == "application/json")
            #expect(request.header("user-agent") == "Tradewind-Webhooks")
            #expect(request.header("authorization") == "Bearer abc" && request.header("x-shop") == "12")
            #expect(request.header("webhook-id") == event.id.description)
            let delivery = try #require(try await hub.deliveries(of: subscription.id).first)
            #expect(delivery.state == "delivered" && delivery.finishedAt == hub.time.now && delivery.reason == nil)
            let attempt = try #require(delivery.attempts.first)
            #expect(attempt.number == 1 && attempt.status == 200 && attempt.errorClass == nil)
            #expect(attempt.startedAt == hub.time.now && attempt.durationMicroseconds >= 0)
            #expect(attempt.responseBody == Array("answer".utf8))
            let headers = try JSONValue(parsing: attempt.requestHeaders)
            #expect(headers["Authorization"] == .string("***") && headers["X-Shop"] == .string("***"))
            #expect(headers["webhook-id"] == .string(event.id.description))
            #expect(!String(decoding: attempt.requestHeaders, as: UTF8.self).contains("Bearer"))
        }
    }

    @Test("Both live secrets of a rotation verify what is sent", arguments: TestEngine.allCases)
    func signatures(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, old) = try await hub.subscribe()
            let new = Secret("whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0IG5ldyBzZWNyZXQ=")
            let expired = Secret("an expired secret")
            for (secret, expires) in [(new, nil), (expired, hub.time.now)] as [(Secret, Timestamp?)] {
                let id: ID<SubscriptionStore.SecretRow> = hub.ids.next()
                let sealed = try hub.secrets.seal(secret, context: EndpointDirectory.context(of: id))
                try await hub.database.write { transaction in
                    try SubscriptionStore.insertSecret(
                        id, sealed: sealed, of: subscription.id, tenant: Hub.scope.tenant, now: hub.time.now,
                        in: transaction)
                    try transaction.execute(
                        "UPDATE subscription_secret SET expires_at = $2 WHERE id = $1", [.id(id), .time(expires)])
                }
            }
            try await hub.publish()
            try await hub.deliveries(1, where: "state = 'delivered'")
            let request = try #require(hub.exchange.requests.elements.first)
            func verifies(_ scheme: any SignatureScheme, _ secret: Secret) throws -> Bool {
                let key = try #require(SigningKey(secret))
                do throws(SignatureRejection) {
                    _ = try scheme.verify(
                        body: request.body, headers: request.headers, keys: [key], now: hub.time.now)
                    return true
                } catch {
                    return false
                }
            }
            #expect(try verifies(SignatureCatalog.standardV1, new))
            #expect(try verifies(SignatureCatalog.standardV1, old))
            #expect(try !verifies(SignatureCatalog.standardV1, expired))
            #expect(try verifies(SignatureCatalog.synq, new))
            #expect(try !verifies(SignatureCatalog.synq, expired))
        }
    }

    @Test("Same webhook-id on each retry: a failure is tried again when it is due", arguments: TestEngine.allCases)
    func retries(engine: TestEngine) async throws {
        let calls = Recorder<Int>()
        try await withHub(
            engine,
            answer: { _ in
                calls.record(1)
                switch calls.elements.count {
                case 1: return .status(500)
                case 2: return .fails(.timeout)
                case 3: return .status(503, [.retryAfter: "120"])
                default: return .status(204)
                }
            }
        ) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish()
            for (attempts, least, most) in [(1, 5, 6), (2, 15, 18), (3, 120, 120)] {
                try await hub.deliveries(1, where: "state = 'pending' AND attempts = \(attempts) AND claim = 0")
                let due = try #require(try await hub.due())
                #expect(due >= hub.time.now + .seconds(least) && due <= hub.time.now + .seconds(most))
                hub.time.set(due - .milliseconds(1))
                #expect(await hub.dispatcher.claimDue() == 0)
                hub.time.set(due)
                #expect(await hub.dispatcher.claimDue() == 1)
            }
            try await hub.deliveries(1, where: "state = 'delivered' AND attempts = 4")
            let delivery = try #require(try await hub.deliveries(of: subscription.id).first)
            #expect(delivery.attempts.map(\.number) == [1, 2, 3, 4])
            #expect(delivery.attempts.map(\.status) == [500, nil, 503, 204])
            #expect(delivery.attempts.map(\.errorClass) == ["status", "timeout", "status", nil])
            #expect(delivery.attempts[1].detail == "as the test says")
            let requests = hub.exchange.requests.elements
            #expect(requests.count == 4)
            #expect(Set(requests.map { $0.header("webhook-id") }).count == 1)
            #expect(Set(requests.map { $0.header("webhook-timestamp") }).count == 4)
        }
    }

    @Test("synq: after 72 h it has failed", arguments: TestEngine.allCases)
    func windowEnd(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .fails(.connect) }) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish()
            try await hub.deliveries(1, where: "attempts = 1")
            hub.time.advance(by: .seconds(72 * 3600))
            #expect(await hub.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "state = 'failed' AND attempts = 2")
            let delivery = try #require(try await hub.deliveries(of: subscription.id).first)
            #expect(delivery.reason?.contains("window") == true && delivery.nextAttemptAt == nil)
            #expect(await hub.dispatcher.claimDue() == 0)
        }
    }

    @Test("410 disables the subscription, and what waits is skipped", arguments: TestEngine.allCases)
    func gone(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .status(410) }) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(200)
            try await hub.deliveries(0, where: "state = 'pending'")
            let disabled = try await hub.subscriptions.require(subscription.id, scope: Hub.scope)
            #expect(disabled.status == .disabled && disabled.statusReason?.contains("410") == true)
            let failed = try await hub.count("delivery", where: "state = 'failed'")
            #expect(failed >= 1)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == 200 - failed)
            #expect(try await hub.count("attempt") == failed)
        }
    }

    @Test("What a subscription's end left behind is skipped with the reason", arguments: TestEngine.allCases)
    func ended(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            // Fan-out saw the subscriptions as active, and they ended before its commit was seen.
            let (deleted, _) = try await hub.subscribe()
            let (disabled, _) = try await hub.subscribe()
            let fanOut = FanOut(ids: hub.ids, dispatcher: hub.dispatcher)
            let event = OrderCreated.example.occurred(
                id: hub.ids.next(), at: hub.time.now, scope: Hub.scope, actor: .system, source: "api", causation: nil)
            let new = try await hub.database.write { try fanOut.record([event], now: hub.time.now, in: $0) }
            try await hub.database.write { transaction in
                try transaction.execute("DELETE FROM subscription WHERE id = $1", [.id(deleted.id)])
                try transaction.execute(
                    "UPDATE subscription SET status = 'disabled' WHERE id = $1", [.id(disabled.id)])
            }
            hub.dispatcher.offer(new)
            try await hub.deliveries(2, where: "state = 'skipped'")
            let reasons = try await hub.database.read { transaction in
                try transaction.all("SELECT subscription_id, reason FROM delivery") {
                    ($0.id(0, of: Subscription.self), $0.text(1))
                }
            }
            let reason = Dictionary(reasons) { first, _ in first }
            #expect(reason[deleted.id] == "the subscription was deleted")
            #expect(reason[disabled.id] == "the subscription is disabled")
            #expect(hub.exchange.requests.elements.isEmpty)
        }
    }

    @Test("An old belief that it is disabled loses no event of an active subscription", arguments: TestEngine.allCases)
    func staleBelief(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let other = try Hub(hub.database, hub.time, seed: 2)
            let (subscription, _) = try await hub.subscribe()
            _ = try await hub.subscriptions.setStatus(.disabled, of: subscription.id, scope: Hub.scope)
            let seen = try await hub.directory.endpoint(subscription.id, tenant: Hub.scope.tenant)
            #expect(seen?.isActive == false)
            _ = try await other.subscriptions.setStatus(.active, of: subscription.id, scope: Hub.scope)
            try await hub.publish()
            try await hub.deliveries(1, where: "state = 'pending' AND claim = 0")
            #expect(hub.exchange.requests.elements.isEmpty)
            hub.time.advance(by: .seconds(5))
            #expect(await hub.dispatcher.claimDue() == 1)
            try await hub.deliveries(1, where: "state = 'delivered'")
        }
    }
}
