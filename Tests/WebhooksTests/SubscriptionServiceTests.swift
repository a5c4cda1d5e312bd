import Events
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Subscriptions in the store", .endsWhenHung)
struct SubscriptionServiceTests {
    @Test("A subscription is found as it was made, and only by its owner", arguments: TestEngine.allCases)
    func roundTrip(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let more = #", "description": "Ours", "headers": {"Authorization": "Bearer abc"}"#
            let (made, secret) = try await hub.subscribe(types: "order.*", more: more)
            let found = try await hub.subscriptions.require(made.id, scope: Hub.scope)
            #expect(found.url == "https://shop.example.com/in" && found.patterns == [.entity("order")])
            #expect(found.profile == "synq" && found.description == "Ours" && found.status == .active)
            #expect(found.headers == [Subscription.Header(name: "Authorization", value: Secret("Bearer abc"))])
            #expect(found.createdAt == hub.time.now && found.scope == Hub.scope && found.statusReason == nil)
            #expect(secret.revealText(for: "the test").hasPrefix("whsec_"))
            for scope in [Hub.stranger, Hub.neighbour] {
                let service = hub.subscriptions
                await #expect(throws: Refusal.notFound("subscription")) {
                    _ = try await service.require(made.id, scope: scope)
                }
                await #expect(throws: Refusal.notFound("subscription")) {
                    try await service.delete(made.id, scope: scope)
                }
                await #expect(throws: Refusal.notFound("subscription")) {
                    _ = try await service.setStatus(.disabled, of: made.id, scope: scope)
                }
                await #expect(throws: Refusal.notFound("subscription")) {
                    _ = try await service.deliveries(of: made.id, scope: scope, before: nil, limit: 10)
                }
                #expect(try await service.list(scope: scope, after: nil, limit: 10).isEmpty)
            }
            #expect(try await hub.subscriptions.require(made.id, scope: Hub.scope).status == .active)
        }
    }

    @Test("Subscriptions are listed in pages, oldest first", arguments: TestEngine.allCases)
    func pages(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            var made: [SubscriptionID] = []
            for _ in 0..<5 { made.append(try await hub.subscribe().0.id) }
            let first = try await hub.subscriptions.list(scope: Hub.scope, after: nil, limit: 3)
            #expect(first.map(\.id) == Array(made.prefix(3)))
            let second = try await hub.subscriptions.list(scope: Hub.scope, after: first.last?.id, limit: 3)
            #expect(second.map(\.id) == Array(made.suffix(2)))
        }
    }

    @Test(
        "Checked at save: a name that leads where no delivery may go is refused, one that leads nowhere yet is not",
        arguments: TestEngine.allCases)
    func addresses(engine: TestEngine) async throws {
        let check = AddressCheck { url throws(ExchangeError) in
            if url.contains("inside") {
                throw ExchangeError(.refusedAddress, "The address 10.0.0.7 is not a public one.")
            }
            if url.contains("nowhere") { throw ExchangeError(.dns, "nowhere.example.com has no address") }
        }
        try await withHub(engine, addresses: check) { hub in
            let refused = InvalidDocument(pointer: "/url", detail: "The address 10.0.0.7 is not a public one.")
            await #expect(throws: refused) { _ = try await hub.subscribe("https://inside.example.com/in") }
            #expect(try await hub.count("subscription") == 0)
            let (made, _) = try await hub.subscribe("https://nowhere.example.com/in")
            func change(_ body: String) async throws -> Subscription {
                let change = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
                    SubscriptionChange($0, rules: Hub.rules)
                }
                return try await hub.subscriptions.change(made.id, change, scope: Hub.scope)
            }
            await #expect(throws: refused) { _ = try await change(#"{"url": "https://inside.example.com/in"}"#) }
            #expect(try await change(#"{"description": "Same"}"#).url == "https://nowhere.example.com/in")
            #expect(try await change(#"{"url": "https://shop.example.com/"}"#).url == "https://shop.example.com/")
        }
    }

    @Test("Neither a secret nor a header's value stands in the store in plain", arguments: TestEngine.allCases)
    func sealed(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let more = #", "secret": "a secret of ours", "headers": {"X-Key": "a header value"}"#
            let (made, secret) = try await hub.subscribe(more: more)
            #expect(secret == Secret("a secret of ours"))
            let kept = try await hub.database.read { transaction in
                try transaction.all("SELECT sealed FROM subscription_secret") { $0.bytes(0) }
                    + transaction.all("SELECT headers FROM subscription") { $0.bytes(0) }
            }
            #expect(kept.count == 2)
            for bytes in kept {
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(!text.contains("secret") && !text.contains("header") && !text.contains("X-Key"))
            }
            let sealed = try await hub.database.read {
                try SubscriptionStore.secrets(of: made.id, tenant: Hub.scope.tenant, now: hub.time.now, in: $0)
            }
            let row = try #require(sealed.first)
            #expect(try hub.secrets.open(row.sealed, context: EndpointDirectory.context(of: row.id)) == secret)
        }
    }

    @Test(
        "max_subscriptions: a tenant has 25 active ones at most, also when all come at once",
        arguments: TestEngine.allCases)
    func limit(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let outcomes = await withTaskGroup(of: Result<SubscriptionID, any Error>.self) { group in
                for _ in 0..<30 {
                    group.addTask { await Result { try await hub.subscribe().0.id } }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let made = outcomes.compactMap { try? $0.get() }
            let refused = outcomes.compactMap { outcome -> Refusal? in
                if case .failure(let error) = outcome { return error as? Refusal }
                return nil
            }
            #expect(made.count == 25 && refused.count == 5)
            #expect(refused.allSatisfy { $0.kind == .conflict })
            #expect(refused.allSatisfy { $0.fields == [Refusal.Field("max_subscriptions", .number("25"))] })
            // A disabled one makes room, and can come back only while there is room.
            let service = hub.subscriptions
            _ = try await service.setStatus(.disabled, of: made[0], scope: Hub.scope)
            _ = try await hub.subscribe()
            await #expect {
                _ = try await service.setStatus(.active, of: made[0], scope: Hub.scope)
            } throws: { ($0 as? Refusal)?.kind == .conflict }
            // Another tenant is not concerned.
            _ = try await hub.subscribe(scope: Hub.stranger)
        }
    }

    @Test("skipped, disabled: disabling ends what waits, says why, and can be undone", arguments: TestEngine.allCases)
    func disabling(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .status(500) }) { hub in
            let (made, _) = try await hub.subscribe()
            try await hub.publish(3)
            try await hub.deliveries(3, where: "state = 'pending' AND attempts = 1")
            let disabled = try await hub.subscriptions.setStatus(.disabled, of: made.id, scope: Hub.scope)
            #expect(disabled.status == .disabled && disabled.statusReason == "disabled by a caller")
            let skipped = try await hub.deliveries(of: made.id)
            #expect(skipped.map(\.state) == ["skipped", "skipped", "skipped"])
            #expect(skipped.allSatisfy { $0.reason == "disabled by a caller" && $0.finishedAt == hub.time.now })
            try await hub.publish()
            #expect(try await hub.deliveries(of: made.id).count == 3)
            let active = try await hub.subscriptions.setStatus(.active, of: made.id, scope: Hub.scope)
            #expect(active.status == .active && active.statusReason == nil)
            try await hub.publish()
            #expect(try await hub.deliveries(of: made.id).count == 4)
            try await hub.deliveries(1, where: "state = 'pending' AND attempts = 1")
        }
    }

    @Test("Deleting ends what waits and takes the secrets along", arguments: TestEngine.allCases)
    func deleting(engine: TestEngine) async throws {
        try await withHub(engine, answer: { _ in .status(500) }) { hub in
            let (made, _) = try await hub.subscribe()
            try await hub.publish(2)
            try await hub.deliveries(2, where: "state = 'pending' AND attempts = 1")
            try await hub.subscriptions.delete(made.id, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == 2)
            #expect(try await hub.count("subscription") == 0)
            #expect(try await hub.count("subscription_secret") == 0)
            let service = hub.subscriptions
            await #expect(throws: Refusal.notFound("subscription")) {
                try await service.delete(made.id, scope: Hub.scope)
            }
        }
    }

    @Test("Deliveries are listed newest first, in pages", arguments: TestEngine.allCases)
    func deliveries(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe()
            let events = try await hub.publish(3)
            try await hub.deliveries(3, where: "state = 'delivered'")
            let all = try await hub.deliveries(of: made.id)
            #expect(all.map(\.eventID.description) == events.reversed().map(\.id.description))
            #expect(all.allSatisfy { $0.attempts.count == 1 && $0.eventType == "order.created" })
            let next = try await hub.subscriptions.deliveries(
                of: made.id, scope: Hub.scope, before: all[0].id, limit: 1)
            #expect(next.map(\.id) == [all[1].id])
        }
    }
}

extension Result where Failure == any Error, Success: Sendable {
    /// What the body gives or throws.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
