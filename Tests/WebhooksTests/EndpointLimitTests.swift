import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

@Suite("What a subscription sets for calls to its endpoint", .endsWhenHung)
struct EndpointLimitTests {
    private func limit(_ id: SubscriptionID, rate: Int?, inFlight: Int?, in hub: Hub) async throws {
        let (rate, inFlight) = (rate.map(Int64.init), inFlight.map(Int64.init))
        try await hub.database.write { transaction in
            try transaction.execute(
                "UPDATE subscription SET rate_limit = $2, max_in_flight = $3 WHERE id = $1",
                [.id(id), .int(rate), .int(inFlight)])
        }
    }

    @Test("rate_limit: what it does not allow now goes out as time passes", arguments: TestEngine.allCases)
    func rate(engine: TestEngine) async throws {
        try await withHub(engine) { hub in
            let (subscription, _) = try await hub.subscribe()
            try await limit(subscription.id, rate: 2, inFlight: nil, in: hub)
            try await hub.publish(5)
            // Among copies all of it is in the backlog.
            await hub.dispatcher.turn()
            for count in 1...5 {
                try await hub.deliveries(count, where: "state = 'delivered' AND attempts = 1")
                await hub.dispatcher.turn()
                #expect(hub.exchange.requests.elements.count == count)
                hub.time.advance(by: .milliseconds(500))
                await hub.dispatcher.turn()
            }
            #expect(hub.places == 0)
        }
    }

    @Test("max_in_flight: no more calls run at once than it allows", arguments: TestEngine.allCases)
    func inFlight(engine: TestEngine) async throws {
        try await withGatedHub(engine) { hub, gate in
            let (subscription, _) = try await hub.subscribe()
            try await limit(subscription.id, rate: nil, inFlight: 3, in: hub)
            try await hub.publish(60)
            await hub.dispatcher.turn()
            await gate.arrivals(3)
            #expect(hub.exchange.requests.elements.count == 3)
            gate.open()
            try await hub.settle(60)
        }
    }

    @Test("The phases of a call are kept as they were told")
    func phases() {
        let whole = CallPhases(
            dns: .microseconds(12), connect: .milliseconds(3), tls: .zero, firstByte: .seconds(2), total: .seconds(10))
        #expect(AttemptPhases.text(whole) == "12,3000,0,2000000,10000000")
        #expect(AttemptPhases.phases(AttemptPhases.text(whole)) == whole)
        let kept = CallPhases(firstByte: .milliseconds(1), total: .milliseconds(2))
        #expect(AttemptPhases.text(kept) == ",,,1000,2000")
        #expect(AttemptPhases.phases(AttemptPhases.text(kept)) == kept)
        #expect(AttemptPhases.phases("") == nil)
    }
}
