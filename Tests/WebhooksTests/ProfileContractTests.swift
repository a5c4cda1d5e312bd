import Events
import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Webhooks

/// What every profile owes, and what each of them promises.
@Suite("How a delivery of each profile looks")
struct ProfileContractTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let now = Timestamp(milliseconds: 1_733_326_400_000)

    private static func event(_ type: some EventType, source: String = "api") -> DomainEvent {
        type.occurred(
            id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0009),
            at: Timestamp(milliseconds: 1_733_326_327_412), scope: Hub.scope,
            actor: Actor(user: ID(high: 5, low: 6), role: "member"), source: source, causation: nil)
    }

    private static func request(
        _ profile: Profile, _ event: DomainEvent, mode: PayloadMode = .full, secrets: [String] = [secret]
    ) -> OutgoingRequest {
        let endpoint = Endpoint(
            url: "https://shop.example.com/in",
            headers: [.init(name: "Authorization", value: Secret("Bearer abc"))], profile: profile, payloadMode: mode,
            keys: secrets.compactMap { SigningKey(Secret($0)) }, isActive: true,
            schedule: profile.schedule(under: TenantSettings()), rateLimit: nil, maxInFlight: nil, isOrdered: false,
            settings: TenantSettings())
        return DeliveryRequest(userAgent: "Tradewind/1").render(event, to: endpoint, at: now)
    }

    private static func body(_ profile: Profile, _ event: DomainEvent, _ mode: PayloadMode = .full) throws -> JSONValue
    {
        try JSONValue(parsing: request(profile, event, mode: mode).body)
    }

    private static func names(_ value: JSONValue?) -> [String] { value?.object?.members.map(\.name) ?? [] }

    // MARK: All of them

    @Test("webhook-id, webhook-timestamp, webhook-signature: on each delivery, beside its own where there is one")
    func headers() throws {
        for profile in ProfileCatalog.all {
            for mode in PayloadMode.allCases {
                let request = Self.request(profile, Self.event(OrderCreated.example), mode: mode)
                #expect(request.header("webhook-id") == "019391c1-2c5c-7000-8000-000000000009")
                #expect(request.header("webhook-timestamp") == "1733326400")
                #expect(request.header("Authorization") == "Bearer abc")
                #expect(request.header("Content-Type") == "application/json")
                #expect(request.header("webhook-test") == nil)
                let key = try #require(SigningKey(Secret(Self.secret)))
                var schemes: [any SignatureScheme] = [SignatureCatalog.standardV1]
                if let own = profile.signature { schemes.append(own) }
                for scheme in schemes {
                    let verified = try scheme.verify(
                        body: request.body, headers: request.headers, keys: [key], now: Self.now)
                    #expect(verified.body == request.body)
                    #expect(throws: SignatureRejection.self) {
                        try scheme.verify(
                            body: request.body + [0x20], headers: request.headers, keys: [key], now: Self.now)
                    }
                }
            }
        }
    }

    @Test("webhook-signature: each live secret signs, v1 or v1a; the newest shared one makes the profile's header")
    func rotation() throws {
        let older = "a-plain-secret-of-the-tenant"
        let pair = try #require(Ed25519Pair(seed: [UInt8](repeating: 3, count: 32))).secret.revealText(for: "test")
        for profile in ProfileCatalog.all {
            let request = Self.request(
                profile, Self.event(OrderCreated.example), secrets: [pair, Self.secret, older])
            for secret in [Self.secret, older] {
                let key = try #require(SigningKey(Secret(secret)))
                _ = try SignatureCatalog.standardV1.verify(
                    body: request.body, headers: request.headers, keys: [key], now: Self.now)
            }
            let key = try #require(SigningKey(Secret(pair)))
            _ = try SignatureCatalog.standardV1a.verify(
                body: request.body, headers: request.headers, keys: [key], now: Self.now)
            let list = try #require(request.header("webhook-signature")).split(separator: " ")
            #expect(list.map { $0.prefix { $0 != "," } } == ["v1", "v1", "v1a"])
            if let own = profile.signature {
                let newest = try #require(SigningKey(Secret(Self.secret)))
                _ = try own.verify(body: request.body, headers: request.headers, keys: [newest], now: Self.now)
            }
        }
    }

    @Test(
        "Synq-Signature, X-Webhook-Signature, X-StoreLink-Signature: lower-case hex HMAC-SHA256 of the raw body",
        arguments: [
            ("synq", "Synq-Signature"), ("synthesq", "X-Webhook-Signature"), ("synctec", "X-StoreLink-Signature"),
        ])
    func seedHeaders(name: String, header: String) throws {
        let profile = try #require(ProfileCatalog.profile(named: name))
        let key = HMACSHA256.Key(Array(Self.secret.utf8))
        for mode in PayloadMode.allCases {
            let request = Self.request(profile, Self.event(OrderCreated.example), mode: mode)
            let code = HMACSHA256.code(key: key, over: request.body).bytes
            let digits = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            #expect(request.header(header) == digits)
        }
    }

    @Test("A subscription with a key pair only is signed with nothing that is shared")
    func asymmetric() throws {
        let pair = try #require(Ed25519Pair(seed: [UInt8](repeating: 3, count: 32)))
        for profile in ProfileCatalog.all {
            let request = Self.request(
                profile, Self.event(OrderCreated.example), secrets: [pair.secret.revealText(for: "test")])
            #expect(request.header("webhook-signature")?.hasPrefix("v1a,") == true)
            if let own = profile.signature { #expect(request.headers[own.header] == nil) }
        }
    }

    @Test("Nothing that is withheld leaves, and a thin body has no payload at all")
    func privacy() {
        let event = Self.event(OrderCreated.example)
        #expect(event.withheld != nil)
        for profile in ProfileCatalog.all {
            for mode in PayloadMode.allCases {
                let body = String(decoding: Self.request(profile, event, mode: mode).body, as: UTF8.self)
                for word in ["customer_name", "customer_email", "Ann Guest", "ann@example.test"] {
                    #expect(!body.contains(word))
                }
                #expect(body.contains(event.entity.id.description))
                if mode == .thin { #expect(!body.contains("total") && !body.contains("line_items")) }
            }
        }
    }

    @Test("Every type of the catalogue is a JSON object without a repeated name in every profile")
    func everyType() throws {
        for type in EventCatalog.all {
            let event = Self.event(type.example)
            for profile in ProfileCatalog.all {
                for mode in PayloadMode.allCases {
                    #expect(try Self.body(profile, event, mode).object != nil, "\(type.name) in \(profile.name)")
                }
            }
        }
    }

    @Test("A test delivery says that it is one")
    func testMark() {
        for profile in ProfileCatalog.all {
            let event = Self.event(OrderCreated.example, source: SubscriptionService.testSource)
            #expect(Self.request(profile, event).header("webhook-test") == "true")
        }
    }

    @Test("A profile has a name of its own and is found by it, and synq is the default")
    func catalogue() {
        #expect(ProfileCatalog.all.map(\.name) == ["synq", "synthesq", "synctec", "standard"])
        for profile in ProfileCatalog.all { #expect(ProfileCatalog.profile(named: profile.name)?.name == profile.name) }
        #expect(ProfileCatalog.usual.name == "synq")
        #expect(ProfileCatalog.profile(named: "Synq") == nil)
    }

    // MARK: Each of them

    @Test("synq: the DomainEvent of seed 002, and no member more")
    func synq() throws {
        let event = Self.event(OrderCreated.example)
        let body = try Self.body(ProfileCatalog.synq, event)
        let envelope = ["event_id", "event_type", "timestamp", "tenant_id", "org_id", "user_id", "role"]
        #expect(Self.names(body) == envelope + ["payload"])
        #expect(try body["payload"] == JSONValue(parsing: event.payload))
        let thin = try Self.body(ProfileCatalog.synq, event, .thin)
        #expect(Self.names(thin) == envelope + ["entity_type", "entity_id"])
        #expect(Self.request(ProfileCatalog.synq, event).header("Synq-Signature")?.utf8.count == 64)
    }

    @Test("synthesq: the feed's shape of seed 003, with a ULID; thin drops the payload")
    func synthesq() throws {
        let event = Self.event(ProductCreated.example)
        let body = try Self.body(ProfileCatalog.synthesq, event)
        let thin = ["id", "event_type", "entity_type", "entity_id", "occurred_at"]
        #expect(Self.names(body) == thin + ["payload"])
        #expect(body["id"]?.string == event.id.ulid)
        #expect(body["entity_type"] == .string("product"))
        #expect(body["occurred_at"] == .string("2024-12-04T15:32:07.412Z"))
        #expect(try Self.names(Self.body(ProfileCatalog.synthesq, event, .thin)) == thin)
        #expect(Self.request(ProfileCatalog.synthesq, event).header("X-Webhook-Signature")?.utf8.count == 64)
    }

    @Test("synctec: seed 004's sample, flat, the object named after the entity")
    func synctec() throws {
        let event = Self.event(ProductSynced.example)
        let body = try Self.body(ProfileCatalog.synctec, event)
        #expect(Array(Self.names(body).prefix(4)) == ["event", "event_id", "timestamp", "product"])
        #expect(body["event"] == .string("product.synced"))
        #expect(body["event_id"]?.string == event.id.description)
        #expect(Set(["id", "title", "sku"]).isSubset(of: Self.names(body["product"])))
        for name in ["source_store", "destination_store", "status"] { #expect(body[name]?.string != nil) }
        for (type, name) in [
            (Self.event(CollectionSynced.example), "collection"), (Self.event(InventoryUpdated.example), "inventory"),
            (Self.event(SyncFailed.example), "product"), (Self.event(OrderCreated.example), "order"),
            (Self.event(CustomerCreated.example), "customer"),
        ] {
            #expect(try Self.body(ProfileCatalog.synctec, type)[name]?.object != nil, "\(type.type)")
        }
        let order = try Self.body(ProfileCatalog.synctec, Self.event(OrderCreated.example))
        #expect(Self.names(order) == ["event", "event_id", "timestamp", "order"])
        #expect(order["order"]?["id"]?.string == order["order"]?["order_id"]?.string)
        let thin = try Self.body(ProfileCatalog.synctec, event, .thin)
        #expect(Self.names(thin) == ["event", "event_id", "timestamp", "product"])
        #expect(Self.names(thin["product"]) == ["id"])
        #expect(Self.request(ProfileCatalog.synctec, event).header("X-StoreLink-Signature")?.utf8.count == 64)
    }

    @Test("standard: type, timestamp and data, and no header but those of Standard Webhooks")
    func standard() throws {
        let event = Self.event(OrderCreated.example)
        let body = try Self.body(ProfileCatalog.standard, event)
        #expect(Self.names(body) == ["type", "timestamp", "data"])
        #expect(try body["data"] == JSONValue(parsing: event.payload))
        let thin = try Self.body(ProfileCatalog.standard, event, .thin)
        #expect(Self.names(thin["data"]) == ["entity_type", "entity_id"])
        let names = Self.request(ProfileCatalog.standard, event).headers.map { $0.name.canonicalName }
        #expect(!names.contains { $0.hasSuffix("signature") && $0 != "webhook-signature" })
    }

    @Test("Headers that came twice are kept as one member, and the subscriber's own are masked")
    func shownHeaders() throws {
        var headers = HTTPFields()
        headers.append(HTTPField(name: .setCookie, value: "a=1"))
        headers.append(HTTPField(name: .contentType, value: "text/plain"))
        headers.append(HTTPField(name: .setCookie, value: "b=2"))
        headers.append(HTTPField(name: .authorization, value: "Bearer abc"))
        let masked = [Subscription.Header(name: "authorization", value: Secret("Bearer abc"))]
        let shown = try JSONValue(parsing: AttemptSender.shown(headers, masking: masked))
        #expect(shown.object?.members.count == 3)
        #expect(shown["Set-Cookie"] == .string("a=1, b=2"))
        #expect(shown["Content-Type"] == .string("text/plain"))
        #expect(shown["Authorization"] == .string("***"))
    }
}
