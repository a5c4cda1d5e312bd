import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// Events on the wire: pushed, fed, looked up and sent again. Parameters are in `EventRowsTests`.
@Suite("Calls of events, row by row")
struct EventRouteRowsTests {
    private static let feed = "/api/v1/webhooks/events"
    private static let log = "/api/v1/events"
    private static let replays = "/api/v1/webhooks/replays"

    private static func names(_ value: JSONValue?) -> [String] { value?.object?.members.map(\.name) ?? [] }

    private static func ids(_ answer: Answer) throws -> [String] { try answer.page().map { try $0.text("id") } }

    @Test(
        "DomainEvent: what a push tells of a caller's change and of the system's, and what the log keeps beside it",
        arguments: TestEngine.allCases)
    func envelope(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                _ = try await shop.subscribe(receiver.url, to: "*")
                let product = try await shop.makeProduct("Cup", sku: "CUP").text("id")
                let entry = try await shop.deliver(shop.orderEvent("o-1")).text("id")
                let order = try await shop.order("o-1").text("id")
                let nobody = "00000000-0000-0000-0000-000000000000"
                let wanted = [
                    [
                        "event_type": "product.created", "user_id": TestServer.tenant, "role": "admin",
                        "entity_type": "product", "entity_id": product, "source": "api",
                    ],
                    [
                        "event_type": "order.created", "user_id": nobody, "role": "system", "entity_type": "order",
                        "entity_id": order, "source": "connection:\(shop.connection)", "causation_id": entry,
                    ],
                ]
                for members in wanted {
                    let told = try await eventually("\(members) is told of") {
                        receiver.deliveries.first { $0.eventType == members["event_type"] }
                    }
                    let envelope = ["event_id", "event_type", "timestamp", "tenant_id", "org_id", "user_id", "role"]
                    #expect(Self.names(told.json) == envelope + ["payload"])
                    let kept = try await shop.api.get("\(Self.log)/\(told.eventID)")
                    for name in envelope + ["payload"] { #expect(kept[name] == told.json[name], "\(name)") }
                    for name in ["tenant_id", "org_id"] { #expect(told.json[name]?.string == TestServer.tenant) }
                    for (name, value) in members { #expect(kept[name]?.string == value, "\(name)") }
                    #expect(kept["causation_id"]?.string == members["causation_id"])
                }
            }
        }
    }

    @Test(
        "GET /api/v1/webhooks/events: oldest first, behind after, each with its members; 410 tells the oldest held",
        arguments: TestEngine.allCases)
    func feed(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            for number in 0..<4 { try await shop.makeProduct("Cup \(number)", sku: "CUP-\(number)") }
            try await until("all stand in the feed") { try await shop.feed().count == 4 }
            let page = try await shop.api.get(Self.feed)
            #expect(Self.names(page.json) == ["data", "next_cursor", "has_more"])
            for (number, event) in try page.page().enumerated() {
                #expect(
                    Self.names(event) == ["id", "event_type", "entity_type", "entity_id", "occurred_at", "payload"])
                #expect(event["payload"]?["title"]?.string == "Cup \(number)")
            }
            let ids = try Self.ids(page)
            #expect(ids.count == 4 && page["next_cursor"]?.string == ids[3] && page["has_more"] == .bool(false))
            for (number, id) in ids.enumerated() {
                let behind = try await shop.api.get("\(Self.feed)?after=\(id)")
                #expect(try Self.ids(behind) == Array(ids[(number + 1)...]))
            }
            let expired = "00000000-0000-7000-8000-000000000001"
            let gone = try await shop.api.get("\(Self.feed)?after=\(expired)")
            #expect(gone.status == 410 && gone["oldest"]?.string == ids[0], "\(gone.text)")
            let stream = try await RawConnection.get(
                RawConnection.stream, of: shop, at: server, "Last-Event-ID: \(expired)\r\n")
            #expect(try await stream.outcome() == 410)
            await stream.close()
        }
    }

    @Test(
        "GET /api/v1/events/{id}: with its deliveries and attempts; POST /api/v1/events/{id}/replay: sent once more",
        arguments: TestEngine.allCases)
    func one(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let id = try await shop.subscribe(receiver.url).id
                let other = try await shop.subscribe(receiver.url, to: "product.*").id
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                let first = try #require(try await receiver.deliveries(of: "order.created", order: "o-1").first)
                let path = "\(Self.log)/\(first.eventID)"
                // Newest first.
                func deliveries(_ count: Int) async throws -> [JSONValue] {
                    try await eventually("\(count) deliveries are done") {
                        let found = try await shop.api.get(path)["deliveries"]?.array ?? []
                        let isDone = found.allSatisfy { $0["state"]?.string == "delivered" }
                        return isDone && found.count == count ? found : nil
                    }
                }
                let told = try #require(try await deliveries(1).first)
                #expect(told["subscription_id"]?.string == id && told["replay_id"] == .null)
                #expect(told["attempts"]?.array?.compactMap { $0["status"]?.integer } == [200])
                // To all that ask for it, or to the one that is named.
                for (body, target, count) in [("{}", id, 2), (#"{"subscription_id": "\#(other)"}"#, other, 3)] {
                    let again = try await shop.api.post(path + "/replay", body)
                    #expect(again.status == 202 && again["status"]?.string == "queued", "\(again.text)")
                    #expect(again["subscription_ids"] == .array([.string(target)]))
                    let newest = try #require(try await deliveries(count).first)
                    #expect(newest["subscription_id"]?.string == target && newest["replay_id"]?.string != nil)
                }
                let sent = receiver.deliveries.map { $0.headers[StandardWebhooks.idHeader] }
                #expect(sent == [first.eventID, first.eventID, first.eventID])
            }
        }
    }

    @Test(
        "POST /api/v1/webhooks/replays: dry_run counts what only and event_types choose; pause, resume and cancel",
        arguments: TestEngine.allCases)
    func replays(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                for number in 0..<12 { try await shop.makeProduct("Cup \(number)", sku: "CUP-\(number)") }
                let id = try await shop.subscribe(receiver.url, to: "*").id
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                _ = try await receiver.deliveries(of: "order.created", order: "o-1")
                func ask(_ more: String, days: Int64 = 1) async throws -> Answer {
                    let since = TimeSource.system.now() - .seconds(days * 86_400)
                    return try await shop.api.post(
                        Self.replays, #"{"subscription_id": "\#(id)", "since": "\#(since)"\#(more)}"#)
                }
                for (more, total) in [
                    ("", 13), (#", "only": "all""#, 13), (#", "only": "missed""#, 12), (#", "only": "failed""#, 0),
                    (#", "event_types": ["order.*"]"#, 1), (#", "event_types": ["order.*"], "only": "missed""#, 0),
                ] {
                    let counted = try await ask(more + #", "dry_run": true"#)
                    #expect(counted.status == 200 && counted["total"]?.integer == Int64(total), "\(counted.text)")
                }
                #expect(try await shop.api.get(Self.replays).page().isEmpty)
                let old = try await ask("", days: 31)
                #expect(old.status == 422 && old["errors"]?.array?.first?["pointer"]?.string == "/since", "\(old.text)")

                // One event a second: enough time to move it about.
                let begun = try await ask(#", "rate": 1"#)
                #expect(begun.status == 202 && begun["state"]?.string == "running", "\(begun.text)")
                #expect(begun["total"]?.integer == 13)
                let one = "\(Self.replays)/\(try begun.text("id"))"
                for (move, state) in [("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")] {
                    let moved = try await shop.api.post("\(one)/\(move)")
                    #expect(moved.status == 200 && moved["state"]?.string == state, "\(moved.text)")
                    #expect(try await shop.api.get(one)["state"]?.string == state)
                }
                #expect(try await shop.api.post(one + "/resume").status == 409)
                #expect(try await shop.api.get(one)["queued"]?.integer ?? 13 < 13)
            }
        }
    }
}
