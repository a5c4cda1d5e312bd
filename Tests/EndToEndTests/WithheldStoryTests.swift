import HTTPTypes
import Kernel
import TestSupport
import Testing

/// What is pushed at once is looked at by `WithheldTests`, feed and log by `EventRowsTests`.
@Suite("What is withheld, where events are followed and sent again")
struct WithheldStoryTests {
    /// What the events of `happen` hold and must not tell.
    private static let secrets = ["Ada Lovelace", "ada@example.com", "Two were found wet", "Ann Guest"]
    private static let last = "This is the last one"

    /// Has things happen of which a part is withheld: an order, a move of stock, and events of the tenant's own type,
    /// the last of which says that it is the last.
    private static func happen(_ shop: Shop) async throws {
        let buyer = #" "customer": {"id": "buyer-1", "name": "Ada Lovelace", "email": "ada@example.com"},"#
        _ = try await shop.deliver(shop.orderEvent("o-1", more: buyer))
        _ = try await shop.order("o-1")
        let made = try await shop.makeProduct("Cup", sku: "CUP")
        let variant = try #require(made["variants"]?.array?.first).text("id")
        let note = #""quantity_delta": 3, "note": "Two were found wet""#
        let counted = try await shop.api.post("/api/v1/inventory/adjust", #"{"variant_id": "\#(variant)", \#(note)}"#)
        #expect(counted.status == 201, "\(counted.text)")
        let type = try await shop.api.post(
            "/api/v1/webhooks/event-types",
            """
            {"name": "ticket.opened", "summary": "A ticket was opened.", "schema": {"type": "object", "properties": {
               "subject": {"type": "string"}, "caller": {"x-privacy": "confidential"}}}}
            """)
        #expect(type.status == 201, "\(type.text)")
        for subject in ["Wet", last] {
            let payload = #"{"subject": "\#(subject)", "caller": "Ann Guest"}"#
            let told = try await shop.api.post(
                "/api/v1/events", #"{"event_type": "ticket.opened", "payload": \#(payload)}"#)
            #expect(told.status == 201, "\(told.text)")
        }
    }

    /// Waits until the endpoint has got each of the events that many times.
    private static func arrived(_ events: [String], times: Int, at receiver: Receiver) async throws {
        try await until("each event has come \(times) times") {
            let came = receiver.deliveries.map(\.eventID)
            return events.allSatisfy { event in came.filter { $0 == event }.count >= times }
        }
    }

    @Test("None of it is in the stream, in a replay or in a single resend", arguments: TestEngine.allCases)
    func laterExits(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                // One stream is there as things happen, the other reads of them later.
                let live = try await RawConnection.get(RawConnection.stream, of: shop, at: server)
                try await until("the stream begins") { live.text.contains(": connected") }
                try await Self.happen(shop)
                let late = try await RawConnection.get(RawConnection.stream, of: shop, at: server)
                for stream in [live, late] {
                    try await until("the stream shows the last event") {
                        stream.events.last?["payload"]?["subject"]?.string == Self.last
                    }
                    let types = Set(stream.events.compactMap { $0["event_type"]?.string })
                    #expect(types.isSuperset(of: ["order.created", "inventory.adjusted", "ticket.opened"]))
                }
                let log = try await shop.api.get("/api/v1/events?limit=100")
                for secret in Self.secrets { #expect(log.text.contains(secret), "there is no \(secret) to withhold") }
                let events = try log.page().map { try $0.text("event_id") }

                // Nothing was pushed so far, so all that comes is sent again.
                let id = try await shop.subscribe(receiver.url, to: "*").id
                let subscription = #""subscription_id": "\#(id)""#
                let since = TimeSource.system.now() - .seconds(3600)
                let replay = try await shop.api.post(
                    "/api/v1/webhooks/replays", #"{\#(subscription), "since": "\#(since)"}"#)
                #expect(replay.status == 202, "\(replay.text)")
                try await Self.arrived(events, times: 1, at: receiver)
                for event in events {
                    let resent = try await shop.api.post("/api/v1/events/\(event)/replay", "{\(subscription)}")
                    #expect(resent.status == 202, "\(resent.text)")
                }
                try await Self.arrived(events, times: 2, at: receiver)

                let sent = receiver.deliveries.map { String(decoding: $0.body, as: UTF8.self) }
                for secret in Self.secrets {
                    for text in [live.text, late.text] + sent { #expect(!text.contains(secret), "\(secret): \(text)") }
                }
                for stream in [live, late] { await stream.close() }
            }
        }
    }
}
