import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("Deliveries of a replay", .endsWhenHung)
struct ReplayDeliveryTests {
    @Test("They carry the same id once more and tell which replay they are of", arguments: TestEngine.allCases)
    func replays(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            let events = try await hub.publish(3).map(\.id)
            try await hub.deliveries(3, where: "state = 'delivered'")
            let (replay, now) = (ReplayID(high: 5, low: 5), hub.time.now)
            let fanOut = ReplayFanOut(ids: hub.ids, dispatcher: hub.dispatcher)
            let stranger = EventID(high: 7, low: 7)
            let new = try await hub.database.write { transaction in
                try fanOut.record(
                    [events[0], stranger, events[2]], of: replay, to: subscription.id, tenant: Hub.scope.tenant,
                    isOrdered: false, now: now, in: transaction)
            }
            #expect(new.ready.count == 2 && new.backlogs.isEmpty, "there is room for both")
            hub.dispatcher.offer(new)
            try await hub.deliveries(5, where: "state = 'delivered'")
            let requests = hub.exchange.requests.elements.map { $0.header("webhook-id") }
            #expect(Set(requests.suffix(2)) == [events[0].description, events[2].description])
            let kept = try await hub.deliveries(of: subscription.id)
            #expect(kept.map(\.replayID) == [replay, replay, nil, nil, nil])
        }
    }
}
