import Events
import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Webhooks

@Suite("How a delivery looks")
struct SynqProfileTests {
    private static let event = OrderCreated.example.occurred(
        id: ID(high: 0x0193_91C1_2C5C_7000, low: 0x8000_0000_0000_0009),
        at: Timestamp(milliseconds: 1_733_326_327_412), scope: Hub.scope,
        actor: Actor(user: ID(high: 5, low: 6), role: "member"), source: "api", causation: nil)

    @Test("The body is the DomainEvent of seed 002, and no member more")
    func body() throws {
        let body = try JSONValue(parsing: SynqEnvelope.body(of: Self.event, .full))
        let members = try #require(body.object).members
        #expect(
            members.map(\.name) == [
                "event_id", "event_type", "timestamp", "tenant_id", "org_id", "user_id", "role", "payload",
            ])
        #expect(body["event_id"] == .string("019391c1-2c5c-7000-8000-000000000009"))
        #expect(body["event_type"] == .string("order.created"))
        #expect(body["timestamp"] == .string("2024-12-04T15:32:07.412Z"))
        #expect(body["tenant_id"] == .string(Hub.scope.tenant.description))
        #expect(body["org_id"] == .string(Hub.scope.organisation.description))
        #expect(body["user_id"] == .string("00000000-0000-0005-0000-000000000006"))
        #expect(body["role"] == .string("member"))
        #expect(try body["payload"] == JSONValue(parsing: Self.event.payload))
    }

    @Test("Nothing that is withheld is in the body")
    func withheld() {
        let body = String(decoding: SynqEnvelope.body(of: Self.event, .full), as: UTF8.self)
        #expect(Self.event.withheld != nil)
        for word in ["customer_name", "customer_email", "Ann Guest", "ann@example.test"] {
            #expect(!body.contains(word))
        }
    }

    @Test("Every profile has a name of its own and is found by it")
    func catalogue() {
        #expect(Set(ProfileCatalog.all.map(\.name)).count == ProfileCatalog.all.count)
        for profile in ProfileCatalog.all { #expect(ProfileCatalog.profile(named: profile.name)?.name == profile.name) }
        #expect(ProfileCatalog.profile(named: ProfileCatalog.usual.name) != nil)
        #expect(ProfileCatalog.profile(named: "Synq") == nil)
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
