import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Ending a large backlog of a subscription that takes nothing more", .endsWhenHung)
struct EndingBacklogTests {
    /// Three transactions' worth and a little.
    private static let count = 3 * DeliveryStore.skippedMost + 10

    /// A subscription with that many deliveries, none of them answered before the gate opens.
    private func withBacklog(
        _ engine: TestEngine, _ body: (Hub, SubscriptionID, Gate) async throws -> Void
    ) async throws {
        try await withGatedHub(engine) { hub, gate in
            let (subscription, _) = try await hub.subscribe()
            try await hub.publish(Self.count)
            await gate.arrivals(EndpointQueue.windowStart)
            try await body(hub, subscription.id, gate)
        }
    }

    @Test("Disabling ends a bounded part in its transaction, and the rest follows", arguments: TestEngine.allCases)
    func disabling(engine: TestEngine) async throws {
        try await withBacklog(engine) { hub, id, gate in
            _ = try await hub.subscriptions.setStatus(.disabled, of: id, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == DeliveryStore.skippedMost)

            gate.open()
            try await hub.settle(0, where: "state = 'pending'")
            let ended = "state = 'skipped' AND reason = 'disabled by a caller' AND claim = 0"
            #expect(try await hub.count("delivery", where: ended) == Self.count)
        }
    }

    @Test("Deleting ends a bounded part in its transaction, and the rest follows", arguments: TestEngine.allCases)
    func deleting(engine: TestEngine) async throws {
        try await withBacklog(engine) { hub, id, gate in
            try await hub.subscriptions.delete(id, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == DeliveryStore.skippedMost)

            gate.open()
            try await hub.settle(0, where: "state = 'pending'")
            let ended = "state = 'skipped' AND reason = 'the subscription was deleted'"
            #expect(try await hub.count("delivery", where: ended) == Self.count)
        }
    }

    @Test("Activating brings nothing back of what was not ended yet", arguments: TestEngine.allCases)
    func activating(engine: TestEngine) async throws {
        try await withBacklog(engine) { hub, id, gate in
            _ = try await hub.subscriptions.setStatus(.disabled, of: id, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'pending'") > 0)
            _ = try await hub.subscriptions.setStatus(.active, of: id, scope: Hub.scope)
            #expect(try await hub.count("delivery", where: "state = 'skipped'") == Self.count)
            gate.open()
        }
    }
}
