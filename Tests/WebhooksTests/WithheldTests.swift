import Durable
import Events
import Kernel
import TestSupport
import Testing

@testable import Webhooks

@Suite("What is withheld")
struct WithheldTests {
    /// The texts and digits of all that an event withholds.
    private func secrets(of event: DomainEvent) throws -> [String] {
        guard let withheld = event.withheld else { return [] }
        return try JSONValue(parsing: withheld).object?.members.compactMap { $0.value.decimalText } ?? []
    }

    /// Expects that many calls to endpoints, and in none of them anything that the events withhold.
    private func expectNone(of events: [DomainEvent], in hub: Hub, calls: Int) throws {
        let bodies = hub.exchange.requests.elements.map { String(decoding: $0.body, as: UTF8.self) }
        #expect(bodies.count == calls)
        let secrets = try events.flatMap { try self.secrets(of: $0) }
        #expect(Set(secrets).isSuperset(of: ["Ann Guest", "ann@example.test", "12045.50", "Two were found wet."]))
        for secret in secrets { #expect(!bodies.contains { $0.contains(secret) }, "\(secret)") }
    }

    @Test("No confidential or restricted field of any type leaves by any profile", arguments: TestEngine.allCases)
    func profiles(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            for profile in ProfileCatalog.all {
                _ = try await hub.subscribe(more: #", "profile": "\#(profile.name)""#)
            }
            var events: [DomainEvent] = []
            for type in EventCatalog.all { events += try await hub.publish(1, type.example) }
            let expected = events.count * ProfileCatalog.all.count
            try await hub.deliveries(expected, where: "state = 'delivered'")
            try expectNone(of: events, in: hub, calls: expected)
        }
    }

    @Test(
        "Nor does one leave when its event is sent again, by a replay or alone, by any profile",
        arguments: TestEngine.allCases)
    func sentAgain(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let replays = Replays(hub)
            var events: [DomainEvent] = []
            for type in EventCatalog.all { events += try await hub.publish(1, type.example) }
            // Nobody had subscribed when they happened: whatever is sent is sent again.
            for profile in ProfileCatalog.all {
                let subscription = try await hub.subscribe(more: #", "profile": "\#(profile.name)""#).0
                _ = try await replays.begin(subscription.id)
            }
            let expected = events.count * ProfileCatalog.all.count
            async let running: Void = replays.runner.drain()
            try await replays.arrived(expected)
            await running
            try expectNone(of: events, in: hub, calls: expected)
            for event in events {
                let targets = try await replays.service.resend(event.id, to: nil, scope: Hub.scope)
                #expect(targets.count == ProfileCatalog.all.count)
            }
            try await replays.arrived(2 * expected)
            try expectNone(of: events, in: hub, calls: 2 * expected)
        }
    }

    @Test("No confidential or restricted field of any type is in the feed", arguments: TestEngine.allCases)
    func feed(_ engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            var secrets: [String] = []
            for type in EventCatalog.all {
                for event in try await hub.publish(1, type.example) { secrets += try self.secrets(of: event) }
            }
            try await hub.number()
            let page = try await hub.feed.page(
                FeedReader.Query(after: nil, pattern: nil, entityType: nil, limit: 100), scope: Hub.scope)
            #expect(page.events.map(\.type) == EventCatalog.names)
            let payloads = page.events.map { String(decoding: $0.payload, as: UTF8.self) }
            for secret in secrets { #expect(!payloads.contains { $0.contains(secret) }, "\(secret)") }
        }
    }
}
