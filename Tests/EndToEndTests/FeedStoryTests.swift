import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Following, looking up and sending again what happened")
struct FeedStoryTests {
    /// The ids that a stream has shown so far.
    private static func ids(_ stream: RawConnection) -> [String] { stream.events.compactMap { $0["id"]?.string } }

    private static func open(_ server: TestServer, _ shop: Shop, _ more: String) async throws -> RawConnection {
        try await RawConnection.get(RawConnection.stream, of: shop, at: server, more)
    }

    @Test(
        "GET /api/v1/webhooks/events/stream: what is there and comes, on from Last-Event-ID, until the server ends",
        arguments: TestEngine.allCases)
    func stream(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.deliver(shop.orderEvent("o-1"))
            _ = try await shop.order("o-1")
            let stream = try await Self.open(server, shop, "")
            try await until("the first event is shown") { Self.ids(stream).count == 1 }
            _ = try await shop.deliver(shop.orderEvent("o-2"))
            try await until("the second event is shown") { Self.ids(stream).count == 2 }
            let feed = try await shop.feed().compactMap { $0["id"]?.string }
            #expect(Self.ids(stream) == feed)
            let again = try await Self.open(server, shop, "Last-Event-ID: \(feed[0])\r\n")
            try await until("only the second event is shown") { Self.ids(again) == [feed[1]] }
            let forged = try await Self.open(server, shop, "Last-Event-ID: 7ZZZZZZZZZZZZZZZZZZZZZZZZZ\r\n")
            #expect(try await forged.outcome() == 422)
            let waiting = Task { try await shop.api.get("/api/v1/webhooks/events?wait=30&after=\(feed[1])") }

            let end = await server.stop()

            #expect(end.exit == .code(0), "\(server.logText.suffix(2000))")
            #expect(end.time < .seconds(6), "\(server.logText.suffix(2000))")
            #expect(stream.text.hasSuffix("0\r\n\r\n"), "the stream was cut off and not ended")
            _ = await waiting.result
            for peer in [stream, again, forged] { await peer.close() }
        }
    }

    @Test(
        "GET /api/v1/webhooks/events with wait: a page that waits is answered by the event that comes meanwhile",
        arguments: TestEngine.allCases)
    func longPoll(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            try await shop.makeProduct("Cup", sku: "CUP")
            let last = try await eventually("it is in the feed") { try await shop.feed().first?.text("id") }
            let page = "/api/v1/webhooks/events?after=\(last)"
            let waiting = try await RawConnection.get(page + "&wait=30", of: shop, at: server)
            // Those who ask after it have long been answered that there is nothing; so would it be, if it did not wait.
            for _ in 0..<10 { #expect(try await shop.api.get(page).page().isEmpty) }
            #expect(waiting.text.isEmpty)
            try await shop.makeProduct("Bowl", sku: "BOWL")
            #expect(try await waiting.outcome() == 200)
            let feed = try await shop.feed()
            #expect(feed.count == 2)
            let bowl = try #require(feed.last).text("id")
            try await until("it holds the bowl: \(waiting.text)") { waiting.text.contains(#""id":"\#(bowl)""#) }
            await waiting.close()
        }
    }

    @Test(
        "GET /api/v1/webhooks/events/stream: only what its filters name, and behind the event of ?after",
        arguments: TestEngine.allCases)
    func filteredStream(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            func happen(_ number: Int) async throws {
                try await shop.makeProduct("Cup \(number)", sku: "CUP-\(number)")
                _ = try await shop.deliver(shop.orderEvent("o-\(number)"))
                _ = try await shop.order("o-\(number)")
            }
            // Some of it is there before the streams begin, some comes later. The last event that a stream has to show
            // comes behind others that it must not: what it lets through wrongly has come by then.
            try await happen(1)
            let filters = [
                ("event_type=order.*", "order"), ("event_type=order.created", "order"), ("entity_type=order", "order"),
                ("event_type=product.*", "product"), ("event_type=product.created", "product"),
                ("entity_type=product", "product"), ("event_type=order.*&entity_type=order", "order"),
            ]
            var streams: [(query: String, noun: String, connection: RawConnection)] = []
            for (query, noun) in filters {
                let path = "\(RawConnection.stream)?\(query)"
                streams.append((query, noun, try await RawConnection.get(path, of: shop, at: server)))
            }
            try await happen(2)
            try await shop.makeProduct("Cup 3", sku: "CUP-3")
            let feed = try await eventually("all of it is in the feed") {
                let feed = try await shop.feed()
                return feed.count == 5 ? feed : nil
            }
            for (query, noun, stream) in streams {
                let wanted = feed.filter { $0["entity_type"]?.string == noun }
                try await until("\(query) shows what it names: \(stream.text)") { stream.events == wanted }
                await stream.close()
            }
            let ids = try feed.map { try $0.text("id") }
            let places: [(query: String, fields: String, wanted: [JSONValue])] = [
                ("after=\(ids[1])", "", Array(feed[2...])), ("after=\(ids[1])&event_type=order.*", "", [feed[3]]),
                // A browser that comes back asks with its first address, and says how far it has got beside it.
                ("after=\(ids[0])", "Last-Event-ID: \(ids[3])\r\n", [feed[4]]),
            ]
            for (query, fields, wanted) in places {
                let path = "\(RawConnection.stream)?\(query)"
                let stream = try await RawConnection.get(path, of: shop, at: server, fields)
                try await until("\(query) goes on there: \(stream.text)") { stream.events == wanted }
                await stream.close()
            }
        }
    }

    @Test(
        "POST /api/v1/webhooks/replays: what a dead endpoint missed is counted, sent with the same ids, looked up",
        arguments: TestEngine.allCases)
    func replay(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                for number in 0..<5 { _ = try await shop.deliver(shop.orderEvent("o-\(number)")) }
                for number in 0..<5 { _ = try await shop.order("o-\(number)") }
                let subscription = try await shop.subscribe(receiver.url)
                func ask(_ more: String) async throws -> Answer {
                    try await shop.api.post(
                        "/api/v1/webhooks/replays",
                        #"{"subscription_id": "\#(subscription.id)", "since": "\#(Self.anHourAgo)"\#(more)}"#)
                }
                #expect(try await ask(#", "dry_run": true"#)["total"]?.integer == 5)
                let begun = try await ask(#", "only": "missed""#)
                #expect(begun.status == 202, "\(begun.text)")
                let path = "/api/v1/webhooks/replays/\(try begun.text("id"))"
                try await until("all have arrived") { Set(receiver.deliveries.map(\.externalID)).count == 5 }
                try await until("the replay tells so") {
                    let replay = try await shop.api.get(path)
                    return replay["state"]?.string == "completed"
                        && replay.json["deliveries"]?["delivered"]?.integer == 5
                }
                #expect(try await ask(#", "only": "missed", "dry_run": true"#)["total"]?.integer == 0)
                let old = try await ask(#", "until": "2020-01-01T00:00:00Z""#)
                #expect(old.status == 422 && old.text.contains("/until"))
                #expect(try await shop.api.post(path + "/pause").status == 409)

                let events = try await shop.api.get("/api/v1/events?event_type=order.*&limit=2")
                #expect(try events.page().count == 2 && events["next_cursor"]?.string != nil)
                let id = try events.page()[0].text("event_id")
                let story = try await shop.api.get("/api/v1/events/\(id)")
                #expect(story.json["deliveries"]?.array?.first?["replay_id"]?.string == (try begun.text("id")))
                let once = try await shop.api.post("/api/v1/events/\(id)/replay")
                #expect(once.status == 202, "\(once.text)")
                try await until("it came again") { receiver.deliveries.count == 6 }

                let entity = try story.text("entity_id")
                let erased = try await shop.api.post(
                    "/api/v1/events/erase", #"{"entity_type": "order", "entity_id": "\#(entity)"}"#)
                #expect(erased["events_erased"]?.integer == 1 && erased["inbox_entries_erased"]?.integer == 1)
                #expect(try await shop.api.get("/api/v1/events/\(id)").json["payload"]?["erased"]?.bool == true)
            }
        }
    }

    @Test("Viewers may look and not touch, and no stranger sees anything", arguments: TestEngine.allCases)
    func walls(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.deliver(shop.orderEvent("o-1"))
            _ = try await shop.order("o-1")
            let id = try await eventually("it is in the feed") { try await shop.feed().first?.text("id") }
            let viewer = try await server.caller(token: server.token(role: "viewer"))
            #expect(try await viewer.get("/api/v1/events/\(id)").status == 200)
            for (path, body) in [
                ("/api/v1/events/\(id)/replay", "{}"), ("/api/v1/webhooks/replays", "{}"),
                ("/api/v1/events/erase", #"{"entity_type": "order", "entity_id": "\#(id)"}"#),
            ] {
                #expect(try await viewer.post(path, body).status == 403, "\(path)")
            }
            let other = "0190a000-0000-7000-8000-0000000000ff"
            let stranger = try await server.caller(token: server.token(tenant: other), tenant: other)
            #expect(try await stranger.get("/api/v1/events").page().isEmpty)
            for path in ["/api/v1/events/\(id)", "/api/v1/webhooks/replays/\(id)"] {
                #expect(try await stranger.get(path).status == 404, "\(path)")
            }
            #expect(try await stranger.post("/api/v1/events/\(id)/replay").status == 404)
            #expect(try await stranger.get("/api/v1/webhooks/events?after=\(id)").status == 410)
            #expect(try await shop.api.get("/api/v1/webhooks/events?after=nonsense").status == 422)
        }
    }

    private static var anHourAgo: Timestamp { TimeSource.system.now() - .seconds(3600) }
}
