import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Deliveries of a replay", .timeLimit(.minutes(15)))
struct ReplayDeliveryTests {
    @Test("They carry the same id once more and tell which replay they are of", arguments: TestEngine.allCases)
    func replays(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let events = try await hub.publish(3).map(\.id)
            try await hub.deliveries(3, where: "state = 'delivered'")
            let (replay, ids, now) = (ReplayID(high: 5, low: 5), hub.ids, hub.time.now)
            let stranger = EventID(high: 7, low: 7)
            try await hub.database.write { transaction in
                try DeliveryStore.insertReplays(
                    events: [events[0], stranger, events[2]], of: subscription.id, tenant: Hub.scope.tenant,
                    replay: replay, isOrdered: false, ids: ids, now: now, in: transaction)
            }
            #expect(await hub.dispatcher.claimDue() == 2)
            try await hub.deliveries(5, where: "state = 'delivered'")
            let requests = hub.exchange.requests.elements.map { $0.header("webhook-id") }
            #expect(Set(requests.suffix(2)) == [events[0].description, events[2].description])
            let kept = try await hub.deliveries(of: subscription.id)
            #expect(kept.map(\.replayID) == [replay, replay, nil, nil, nil])
        }
    }
}
