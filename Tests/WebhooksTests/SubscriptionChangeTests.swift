import Events
import Kernel
import Signing
import Storage
import TestSupport
import Testing

@testable import Webhooks

/// A key pair whose public half belongs to another.
private let unlikeHalves = "whsk_" + Base64.encode([UInt8](repeating: 1, count: 64))

@Suite("Subscriptions that are changed, rotated, tested and looked at")
struct SubscriptionChangeTests {
    private static func change(
        _ hub: Hub, _ id: SubscriptionID, _ body: String, scope: Scope = Hub.scope
    ) async throws -> Subscription {
        let change = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
            SubscriptionChange($0, rules: Hub.rules)
        }
        return try await hub.subscriptions.change(id, change, scope: scope)
    }

    private static func rotation(_ body: String) throws -> SecretRotation {
        try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { SecretRotation($0) }
    }

    private static func keys(_ secrets: Secret...) throws -> [SigningKey] {
        try secrets.map { try #require(SigningKey($0)) }
    }

    private static func isSigned(_ request: OutgoingRequest, _ secret: Secret, at now: Timestamp) throws -> Bool {
        let keys = try keys(secret)
        let schemes: [any SignatureScheme] = [SignatureCatalog.standardV1, SignatureCatalog.standardV1a]
        return schemes.contains { scheme in
            (try? scheme.verify(body: request.body, headers: request.headers, keys: keys, now: now)) != nil
        }
    }

    @Test("What is asked for at the start is kept and reaches the endpoint", arguments: TestEngine.allCases)
    func kept(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe(
                more: #"""
                    , "profile": "synthesq", "payload_mode": "thin", "retry": {"delays_seconds": [7]}, "rate_limit": 5,
                    "max_in_flight": 2, "ordered": true, "filter": {"total": {"$gt": 1.50}}
                    """#)
            let read = try await hub.subscriptions.require(made.id, scope: Hub.scope)
            #expect(read.profile == "synthesq" && read.payloadMode == .thin && read.signature == .hmac)
            #expect(read.retry == made.retry && read.retry != nil)
            #expect(read.rateLimit == 5 && read.maxInFlight == 2 && read.isOrdered)
            #expect(read.filter == made.filter && read.filter != nil)
            let endpoint = try #require(try await hub.directory.endpoint(made.id, tenant: Hub.scope.tenant))
            #expect(endpoint.schedule == RetrySchedule(table: [.seconds(7)]))
            #expect(endpoint.rateLimit == 5 && endpoint.maxInFlight == 2 && endpoint.isOrdered)
            #expect(endpoint.settings == TenantSettings() && endpoint.profile.name == "synthesq")
        }
    }

    @Test(
        "A change touches what it names, null takes away, and the next delivery sees it", arguments: TestEngine.allCases
    )
    func changed(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe(
                more: #"""
                    , "headers": {"Authorization": "Bearer abc", "X-Shop": "1"}, "rate_limit": 5, "description": "Ours",
                    "retry": {"max_attempts": 2}, "filter": {"total": 1}
                    """#)
            let first = try await Self.change(
                hub, made.id,
                #"""
                {"url": "https://other.example.com/in", "event_types": ["product.*"], "profile": "standard",
                 "headers": {"authorization": "***", "X-New": "2"}, "rate_limit": null, "filter": null, "retry": null}
                """#)
            #expect(first.url == "https://other.example.com/in" && first.patterns == [.entity("product")])
            #expect(first.rateLimit == nil && first.filter == nil && first.retry == nil)
            #expect(first.description == "Ours" && first.updatedAt == hub.time.now)
            let second = try await Self.change(hub, made.id, #"{"description": null, "payload_mode": "thin"}"#)
            #expect(second.description == nil && second.payloadMode == .thin && second.profile == "standard")
            try await hub.publish()
            try await hub.publish(1, ProductCreated.example)
            try await hub.deliveries(1, where: "state = 'delivered'")
            let request = try #require(hub.exchange.requests.elements.first)
            #expect(hub.exchange.requests.elements.count == 1)
            #expect(request.url == "https://other.example.com/in")
            #expect(request.header("Authorization") == "Bearer abc")
            #expect(request.header("X-New") == "2" && request.header("X-Shop") == nil)
            #expect(request.header("Synq-Signature") == nil)
            #expect(try JSONValue(parsing: request.body)["data"]?["entity_type"] == .string("product"))
        }
    }

    struct Refused: Sendable {
        let body: String
        let pointer: String

        init(_ body: String, _ pointer: String) {
            self.body = body
            self.pointer = pointer
        }
    }

    @Test(
        "What can't be changed so is refused at its place",
        arguments: [
            Refused(#"{"url": "http://shop.example.com/"}"#, "/url"), Refused(#"{"url": "https://10.0.0.1/"}"#, "/url"),
            Refused(#"{"url": null}"#, "/url"), Refused(#"{"url": ""}"#, "/url"),
            Refused(#"{"event_types": []}"#, "/event_types"), Refused(#"{"ordered": null}"#, "/ordered"),
            Refused(#"{"event_types": ["order.craeted"]}"#, "/event_types/0"), Refused(#"{"colour": 1}"#, "/colour"),
            Refused(#"{"secret": "0123456789abcdef"}"#, "/secret"), Refused(#"{"status": "disabled"}"#, "/status"),
            Refused(#"{"signature": "ed25519"}"#, "/signature"), Refused(#"{"profile": "x"}"#, "/profile"),
            Refused(#"{"headers": {"X-None": "***"}}"#, "/headers/X-None"),
            Refused(#"{"filter": {"a": {"$x": 1}}}"#, "/filter/a/$x"), Refused(#"{"rate_limit": 0}"#, "/rate_limit"),
            Refused(#"{"retry": {"factor": 0}}"#, "/retry/factor"),
            Refused(#"{"max_in_flight": 1000}"#, "/max_in_flight"),
            Refused(#"{"max_in_flight": 129}"#, "/max_in_flight"), Refused(#"{"max_in_flight": 0}"#, "/max_in_flight"),
        ])
    func refused(_ refused: Refused) async throws {
        try await withHub(.sqlite) { hub in
            let (made, _) = try await hub.subscribe()
            await #expect {
                _ = try await Self.change(hub, made.id, refused.body)
            } throws: { error in
                (error as? InvalidDocument)?.faults.map(\.pointer) == [refused.pointer]
            }
        }
    }

    @Test("A window may have one call, and 128 at most", arguments: [1, 128])
    func windows(_ calls: Int) async throws {
        try await withHub(.sqlite) { hub in
            let (made, _) = try await hub.subscribe(more: #", "max_in_flight": \#(calls)"#)
            #expect(made.maxInFlight == calls)
            let (other, _) = try await hub.subscribe()
            #expect(try await Self.change(hub, other.id, #"{"max_in_flight": \#(calls)}"#).maxInFlight == calls)
        }
    }

    @Test("Another tenant's subscription is not there for any of the calls", arguments: TestEngine.allCases)
    func strangers(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe()
            let service = hub.subscriptions
            let test = try FieldReader.read(JSONValue.object(.empty)) { TestRequest($0) }
            for scope in [Hub.stranger, Hub.neighbour] {
                let calls: [@Sendable () async throws -> Void] = [
                    { _ = try await Self.change(hub, made.id, "{}", scope: scope) },
                    { _ = try await service.rotateSecret(of: made.id, try Self.rotation("{}"), scope: scope) },
                    { _ = try await service.publicKeys(of: made.id, scope: scope) },
                    { _ = try await service.sendTest(test, to: made.id, scope: scope, actor: .system) },
                    { _ = try await service.stats(of: made.id, scope: scope) },
                ]
                for call in calls { await #expect(throws: Refusal.notFound("subscription")) { try await call() } }
            }
            #expect(try await hub.count("event") == 0)
        }
    }

    // MARK: Secrets

    @Test("After a rotation both secrets sign until the overlap is over", arguments: TestEngine.allCases)
    func rotation(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, first) = try await hub.subscribe()
            let rotated = try await hub.subscriptions.rotateSecret(
                of: made.id, try Self.rotation(#"{"overlap_hours": 2}"#), scope: Hub.scope)
            #expect(rotated.secret != first)
            #expect(rotated.previousUntil == hub.time.now + .seconds(7200))
            try await hub.publish()
            try await hub.deliveries(1, where: "state = 'delivered'")
            hub.time.advance(by: .seconds(7200))
            try await hub.publish()
            try await hub.deliveries(2, where: "state = 'delivered'")
            let requests = hub.exchange.requests.elements
            let before = hub.time.now - .seconds(7200)
            #expect(try Self.isSigned(requests[0], first, at: before))
            #expect(try Self.isSigned(requests[0], rotated.secret, at: before))
            #expect(try !Self.isSigned(requests[1], first, at: hub.time.now))
            #expect(try Self.isSigned(requests[1], rotated.secret, at: hub.time.now))
        }
    }

    @Test("Ten secrets sign at once, the eleventh waits, and no overlap makes room", arguments: TestEngine.allCases)
    func tenSecrets(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let service = hub.subscriptions
            let (made, first) = try await hub.subscribe()
            for _ in 0..<9 {
                _ = try await service.rotateSecret(
                    of: made.id, try Self.rotation(#"{"overlap_hours": 168}"#), scope: Hub.scope)
            }
            await #expect {
                _ = try await service.rotateSecret(of: made.id, try Self.rotation("{}"), scope: Hub.scope)
            } throws: { error in
                (error as? Refusal)?.fields == [Refusal.Field("max_secrets", .number("10"))]
            }
            try await hub.publish()
            try await hub.deliveries(1, where: "state = 'delivered'")
            let request = try #require(hub.exchange.requests.elements.first)
            #expect(request.header("webhook-signature")?.split(separator: " ").count == 10)
            #expect(try Self.isSigned(request, first, at: hub.time.now))
            let last = try await service.rotateSecret(
                of: made.id, try Self.rotation(#"{"overlap_hours": 0}"#), scope: Hub.scope)
            #expect(last.previousUntil == nil)
            #expect(try await hub.count("subscription_secret") == 1)
        }
    }

    @Test("Key pairs sign as v1a, and their public halves can be had", arguments: TestEngine.allCases)
    func keyPairs(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, secret) = try await hub.subscribe(more: #", "signature": "ed25519""#)
            #expect(made.signature == .ed25519)
            let pair = try #require(Ed25519Pair(secret))
            var keys = try await hub.subscriptions.publicKeys(of: made.id, scope: Hub.scope)
            #expect(keys.map(\.publicKey) == [pair.publicText])
            try await hub.publish()
            try await hub.deliveries(1, where: "state = 'delivered'")
            let request = try #require(hub.exchange.requests.elements.first)
            #expect(request.header("webhook-signature")?.hasPrefix("v1a,") == true)
            #expect(try Self.isSigned(request, secret, at: hub.time.now))
            #expect(request.header("Synq-Signature") == nil)
            let rotated = try await hub.subscriptions.rotateSecret(
                of: made.id, try Self.rotation("{}"), scope: Hub.scope)
            #expect(rotated.subscription.signature == .ed25519)
            keys = try await hub.subscriptions.publicKeys(of: made.id, scope: Hub.scope)
            #expect(keys.count == 2 && keys[0].expiresAt == nil && keys[1].expiresAt == rotated.previousUntil)
            let (shared, _) = try await hub.subscribe()
            #expect(try await hub.subscriptions.publicKeys(of: shared.id, scope: Hub.scope).isEmpty)
        }
    }

    @Test(
        "Secrets that nobody should sign with are refused",
        arguments: [
            #"{"secret": "0123456789abcde"}"#, #"{"secret": "whsec_"}"#,
            #"{"secret": "whsec_AAECAwQFBgcICQoLDA0ODw=="}"#,
            #"{"secret": "whsec_not base64 at all, but long enough"}"#, #"{"secret": "whsk_AAAA"}"#,
            #"{"secret": "\#(unlikeHalves)"}"#,
            #"{"secret": "0123456789abcdef", "signature": "ed25519"}"#, #"{"secret": 5}"#, #"{"signature": "rsa"}"#,
            #"{"overlap_hours": 169}"#, #"{"overlap_hours": -1}"#, #"{"overlap_hours": "1"}"#, #"{"hours": 1}"#,
        ])
    func badSecrets(body: String) throws {
        #expect(throws: InvalidDocument.self) { try Self.rotation(body) }
    }

    // MARK: Tests and stats

    @Test(
        "A test goes to one subscription, whatever it wants, and to nobody else or the feed",
        arguments: TestEngine.allCases)
    func test(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, secret) = try await hub.subscribe(
                types: "order.*", more: #", "filter": {"total": {"$lt": 0}}"#)
            _ = try await hub.subscribe("https://other.example.com/in")
            for (body, type) in [("{}", "webhook.test"), (#"{"event_type": "product.created"}"#, "product.created")] {
                let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { TestRequest($0) }
                let id = try await hub.subscriptions.sendTest(request, to: made.id, scope: Hub.scope, actor: .system)
                try await hub.database.until {
                    try Hub.count("delivery", where: "state = 'pending'", in: $0) == 0
                }
                let delivery = try #require(try await hub.deliveries(of: made.id).first)
                #expect(delivery.id == id && delivery.eventType == type && delivery.state == "delivered")
            }
            try await hub.number()
            #expect(try await hub.count("feed") == 0)
            let requests = hub.exchange.requests.elements
            #expect(requests.map(\.url) == ["https://shop.example.com/in", "https://shop.example.com/in"])
            #expect(requests.allSatisfy { $0.header("webhook-test") == "true" })
            #expect(try Self.isSigned(requests[0], secret, at: hub.time.now))
            let service = hub.subscriptions
            _ = try await service.setStatus(.disabled, of: made.id, scope: Hub.scope)
            let request = try FieldReader.read(JSONValue.object(.empty)) { TestRequest($0) }
            await #expect {
                _ = try await service.sendTest(request, to: made.id, scope: Hub.scope, actor: .system)
            } throws: { ($0 as? Refusal)?.kind == .conflict }
            #expect(throws: InvalidDocument.self) {
                try FieldReader.read(JSONValue(parsing: Array(#"{"event_type": "order.craeted"}"#.utf8))) {
                    TestRequest($0)
                }
            }
        }
    }

    @Test("A type of the tenant's own is shown by its example, without what it withholds")
    func ownTest() throws {
        func own(_ example: String) throws -> OwnType {
            OwnType(
                id: ID(high: 1, low: 2), name: "ticket.opened", summary: "A ticket.",
                schema: try JSONValue(parsing: Array(#"{"properties": {"pin": {"x-privacy": "restricted"}}}"#.utf8)),
                example: try JSONValue(parsing: Array(example.utf8)), version: 1, createdAt: Timestamp(milliseconds: 0),
                updatedAt: Timestamp(milliseconds: 0))
        }
        let body = try JSONValue(parsing: Array(#"{"event_type": "ticket.opened"}"#.utf8))
        let shown = try own(#"{"subject": "Wet", "pin": "1234"}"#)
        let request = try FieldReader.read(body) { TestRequest($0, own: [shown]) }
        let event = request.event(
            id: ID(high: 3, low: 4), at: Timestamp(milliseconds: 0), scope: Hub.scope, actor: .system,
            subscription: ID(high: 5, low: 6))
        #expect(event.type == "ticket.opened" && event.entity.type == "ticket")
        #expect(String(decoding: event.payload, as: UTF8.self) == #"{"subject":"Wet"}"#)
        let hidden = try own("null")
        #expect(throws: InvalidDocument.self) { try FieldReader.read(body) { TestRequest($0, own: [hidden]) } }
    }

    @Test(
        "skipped, filtered: a refused event leaves its delivery with the reason, and no call",
        arguments: TestEngine.allCases)
    func filtered(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (made, _) = try await hub.subscribe(more: #", "filter": {"total": {"$gt": 100000}}"#)
            let (open, _) = try await hub.subscribe(
                "https://open.example.com/in", more: #", "filter": {"line_items.sku": {"$prefix": "SHIRT"}}"#)
            try await hub.publish(2)
            try await hub.deliveries(2, where: "state = 'delivered'")
            let skipped = try await hub.deliveries(of: made.id)
            #expect(skipped.map(\.state) == ["skipped", "skipped"])
            #expect(skipped.allSatisfy { $0.reason == "filtered" && $0.attempts.isEmpty && $0.finishedAt != nil })
            #expect(try await hub.deliveries(of: open.id).map(\.state) == ["delivered", "delivered"])
            #expect(hub.exchange.requests.elements.allSatisfy { $0.url == "https://open.example.com/in" })
        }
    }

    @Test("Stats tell attempts, failures by class, and what waits", arguments: TestEngine.allCases)
    func stats(engine: TestEngine) async throws {
        try await withHub(engine, answer: { request in request.url.contains("bad") ? .status(500) : .status(200) }) {
            hub in
            let (good, _) = try await hub.subscribe()
            let (bad, _) = try await hub.subscribe("https://bad.example.com/in")
            let empty = try await hub.subscriptions.stats(of: good.id, scope: Hub.scope)
            #expect(empty.attempts == 0 && empty.successRate == nil && empty.medianDuration == nil)
            try await hub.publish(3)
            try await hub.deliveries(3, where: "state = 'delivered'")
            try await hub.deliveries(3, where: "state = 'pending' AND attempts = 1")
            let fine = try await hub.subscriptions.stats(of: good.id, scope: Hub.scope)
            #expect(fine.attempts == 3 && fine.successes == 3 && fine.failures.isEmpty && fine.successRate == "100.0")
            #expect(fine.waiting == SubscriptionStats.Waiting() && fine.breaker == nil && !fine.isSampled)
            let failing = try await hub.subscriptions.stats(of: bad.id, scope: Hub.scope)
            #expect(failing.attempts == 3 && failing.failures == ["status": 3] && failing.successRate == "0.0")
            #expect(failing.waiting.pending == 3 && failing.waiting.oldest == hub.time.now)
            let due = try #require(failing.waiting.nextDue)
            #expect(due >= hub.time.now + .seconds(5))
            #expect(failing.medianDuration != nil && failing.duration95 != nil)
        }
    }

    @Test("Ranks are values that were measured")
    func ranks() {
        func stats(_ durations: [Int64]) -> SubscriptionStats {
            SubscriptionStats(
                of: durations.map { .init(duration: $0, errorClass: $0 > 900 ? "timeout" : nil) },
                since: Timestamp(milliseconds: 0), isSampled: false)
        }
        #expect(stats([7]).medianDuration == 7 && stats([7]).duration95 == 7)
        #expect(stats([4, 1, 3, 2]).medianDuration == 2 && stats([4, 1, 3, 2]).duration95 == 4)
        #expect(stats(Array(1...100).reversed()).duration95 == 95)
        #expect(stats([1, 2, 1000]).failures == ["timeout": 1] && stats([1, 2, 1000]).successRate == "66.6")
    }
}
