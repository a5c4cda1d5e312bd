import HTTPTypes
import Kernel
import TestSupport
import Testing

/// Each call below the subscriptions, on the wire. What is bounded, set and kept is in `SubscriptionRowsTests`.
@Suite("Calls of subscriptions, row by row")
struct SubscriptionRouteRowsTests {
    private static let root = "/api/v1/webhooks/subscriptions"
    private static let body = #"{"url": "http://127.0.0.1:9/x", "event_types": ["*"]}"#

    private static func expectRefused(_ answer: Answer, at pointer: String) {
        #expect(answer.status == 422, "\(answer.text)")
        #expect(answer["errors"]?.array?.compactMap { $0["pointer"]?.string } == [pointer], "\(answer.text)")
    }

    @Test(
        "POST /api/v1/webhooks/subscriptions: each field is kept, and the secret stands in this answer alone",
        arguments: TestEngine.allCases)
    func create(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let asked = """
                "url": "http://127.0.0.1:9/x", "event_types": ["order.created", "product.*", "*"],
                "profile": "synthesq", "payload_mode": "thin", "description": "Ours",
                "retry": {"delays_seconds": [1, 2]}, "rate_limit": 5, "max_in_flight": 2, "ordered": true,
                "filter": {"total": {"$gt": 1}}
                """
            let made = try await api.post(
                Self.root, #"{\#(asked), "secret": "a secret of ours", "headers": {"X-Shop": "twelve"}}"#)
            #expect(made.status == 201 && made["secret"]?.string == "a secret of ours", "\(made.text)")
            let one = "\(Self.root)/\(try made.text("id"))"
            let read = try await api.get(one)
            for member in try JSONValue(parsing: Array("{\(asked)}".utf8)).object?.members ?? [] {
                #expect(made[member.name] == member.value && read[member.name] == member.value, "\(member.name)")
            }
            #expect(read["headers"]?["X-Shop"]?.string == "***" && read["status"]?.string == "active")

            let least = try await api.post(Self.root, Self.body)
            #expect(least["profile"]?.string == "synq" && least["payload_mode"]?.string == "full", "\(least.text)")
            #expect(least["ordered"] == .bool(false) && least["filter"] == .null && least["retry"] == .null)
            let secret = try least.text("secret")
            for path in [Self.root, one, "\(Self.root)/\(try least.text("id"))"] {
                let text = try await api.get(path).text
                for word in ["secret", secret, "twelve"] { #expect(!text.contains(word), "\(path): \(text)") }
            }
        }
    }

    @Test(
        "Patterns: exact, entity.* and * get what they ask for; an unknown type is 422 naming the nearest known one",
        arguments: TestEngine.allCases)
    func patterns(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let wanted = [
                    ("*", ["order.created", "order.updated", "product.created"]),
                    ("order.*", ["order.created", "order.updated"]), ("order.created", ["order.created"]),
                ]
                var paths: [String] = []
                for (pattern, _) in wanted {
                    let id = try await shop.subscribe(receiver.url, to: pattern).id
                    paths.append("\(Self.root)/\(id)/deliveries")
                }
                try await shop.makeProduct("Cup", sku: "CUP")
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                let order = "/api/v1/oms/orders/\(try await shop.order("o-1").text("id"))"
                #expect(try await shop.api.call(.patch, order, #"{"tags": ["gift"]}"#).status == 200)
                for ((pattern, types), path) in zip(wanted, paths) {
                    try await until("\(pattern) has got \(types)") {
                        let got = try await shop.api.get(path).page()
                        return got.allSatisfy { $0["state"]?.string == "delivered" }
                            && got.compactMap { $0["event_type"]?.string }.sorted() == types
                    }
                }
                for (unknown, nearest) in [
                    ("order.craeted", "order.created"), ("product.pricechanged", "product.price_changed"),
                    ("Product.Created", "product.created"),
                ] {
                    let refused = try await shop.api.post(
                        Self.root, #"{"url": "\#(receiver.url)", "event_types": ["*", "\#(unknown)"]}"#)
                    Self.expectRefused(refused, at: "/event_types/1")
                    #expect(refused.text.contains(nearest), "\(refused.text)")
                }
            }
        }
    }

    @Test(
        "GET /api/v1/webhooks/subscriptions lists in pages, GET /api/v1/webhooks/subscriptions/{id} tells one",
        arguments: TestEngine.allCases)
    func list(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            var ids: [String] = []
            for _ in 0..<3 { ids.append(try await api.post(Self.root, Self.body).text("id")) }
            #expect(try await api.post("\(Self.root)/\(ids[0])/disable").status == 200)
            let first = try await api.get(Self.root + "?limit=2")
            let second = try await api.get("\(Self.root)?limit=2&cursor=\(first.text("next_cursor"))")
            #expect(try first.page().map { try $0.text("id") } == [ids[0], ids[1]])
            #expect(try second.page().map { try $0.text("id") } == [ids[2]] && second["next_cursor"] == .null)
            for listed in try await api.get(Self.root).page() {
                #expect(try await api.get("\(Self.root)/\(listed.text("id"))").json == listed)
            }
            for query in ["limit=0", "limit=101", "cursor=x"] {
                #expect(try await api.get("\(Self.root)?\(query)").status == 422, "\(query)")
            }
        }
    }

    @Test(
        "PATCH /api/v1/webhooks/subscriptions/{id}: what is named changes, null takes away, the rest stays",
        arguments: TestEngine.allCases)
    func change(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let made = try await api.post(
                Self.root,
                """
                {"url": "http://127.0.0.1:9/x", "event_types": ["*"], "description": "Ours", "rate_limit": 5,
                 "ordered": true}
                """)
            let one = "\(Self.root)/\(try made.text("id"))"
            let changed = try await api.call(
                .patch, one,
                """
                {"url": "http://127.0.0.1:9/y", "event_types": ["order.*"], "profile": "standard", "rate_limit": null}
                """)
            #expect(changed.status == 200 && changed["secret"] == nil, "\(changed.text)")
            #expect(changed["url"]?.string == "http://127.0.0.1:9/y" && changed["profile"]?.string == "standard")
            #expect(changed["event_types"] == .array([.string("order.*")]) && changed["rate_limit"] == .null)
            #expect(changed["description"]?.string == "Ours" && changed["ordered"] == .bool(true))
            #expect(try await api.get(one).json == changed.json)
            for (body, pointer) in [
                (#"{"event_types": ["order.craeted"]}"#, "/event_types/0"), (#"{"url": null}"#, "/url"),
                (#"{"secret": "a secret of ours"}"#, "/secret"), (#"{"status": "disabled"}"#, "/status"),
            ] {
                Self.expectRefused(try await api.call(.patch, one, body), at: pointer)
            }
        }
    }

    @Test(
        "DELETE /api/v1/webhooks/subscriptions/{id}: it is 404 from then on, and what waited is skipped",
        arguments: TestEngine.allCases)
    func delete(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                receiver.answer(500)
                let more = #""event_types": ["order.*"], "retry": {"delays_seconds": [3600]}"#
                let made = try await shop.api.post(Self.root, #"{"url": "\#(receiver.url)", \#(more)}"#)
                let one = "\(Self.root)/\(try made.text("id"))"
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                let delivery = try await eventually("there was an attempt") {
                    try await shop.api.get(one + "/deliveries").page()
                        .first { $0["attempts"]?.array?.isEmpty == false }
                }
                #expect(try await shop.api.call(.delete, one).status == 204)
                for path in ["", "/deliveries", "/stats", "/keys"] {
                    #expect(try await shop.api.get(one + path).status == 404, "\(path)")
                }
                #expect(try await shop.api.call(.delete, one).status == 404)
                #expect(try await shop.api.get(Self.root).page().isEmpty)
                let event = "/api/v1/events/\(try delivery.text("event_id"))"
                let skipped = try await eventually("what waited is skipped") {
                    try await shop.api.get(event)["deliveries"]?.array?.first { $0["state"]?.string == "skipped" }
                }
                #expect(skipped["reason"]?.string == "the subscription was deleted")
                #expect(receiver.deliveries.count == 1)
            }
        }
    }

    @Test(
        "POST /api/v1/webhooks/subscriptions/{id}/disable ends, /api/v1/webhooks/subscriptions/{id}/activate begins",
        arguments: TestEngine.allCases)
    func turn(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let id = try await shop.subscribe(receiver.url).id
                let disabled = try await shop.api.post("\(Self.root)/\(id)/disable")
                #expect(disabled.status == 200 && disabled["status"]?.string == "disabled", "\(disabled.text)")
                #expect(disabled["status_reason"]?.string == "disabled by a caller")
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                _ = try await shop.order("o-1")
                let active = try await shop.api.post("\(Self.root)/\(id)/activate")
                #expect(active["status"]?.string == "active" && active["status_reason"] == .null, "\(active.text)")
                _ = try await shop.deliver(shop.orderEvent("o-2"))
                _ = try await receiver.deliveries(of: "order.created", order: "o-2")
                #expect(receiver.deliveries.map(\.externalID) == ["o-2"])

                // What came meanwhile is kept, and a replay brings it.
                let since = TimeSource.system.now() - .seconds(3600)
                let replay = try await shop.api.post(
                    "/api/v1/webhooks/replays",
                    #"{"subscription_id": "\#(id)", "since": "\#(since)", "only": "missed"}"#)
                #expect(replay.status == 202 && replay["total"]?.integer == 1, "\(replay.text)")
                _ = try await receiver.deliveries(of: "order.created", order: "o-1")
            }
        }
    }

    @Test(
        "POST /api/v1/webhooks/subscriptions/{id}/test: one example of the type asked for, there and nowhere else",
        arguments: TestEngine.allCases)
    func test(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url)
                _ = try await shop.subscribe(receiver.url, to: "*")
                let one = "\(Self.root)/\(subscription.id)"
                for (body, type) in [
                    ("{}", "webhook.test"), (#"{"event_type": "product.created"}"#, "product.created"),
                ] {
                    let asked = try await shop.api.post(one + "/test", body)
                    #expect(asked.status == 202 && asked["status"]?.string == "queued", "\(asked.text)")
                    let id = try asked.text("delivery_id")
                    try await until("\(type) is delivered") {
                        try await shop.api.get(one + "/deliveries").page().contains {
                            $0["id"]?.string == id && $0["event_type"]?.string == type
                                && $0["state"]?.string == "delivered"
                        }
                    }
                }
                let mark = try #require(HTTPField.Name("webhook-test"))
                #expect(receiver.deliveries.map(\.eventType) == ["webhook.test", "product.created"])
                for delivery in receiver.deliveries {
                    #expect(delivery.isSigned(with: subscription.secret) && delivery.headers[mark] == "true")
                }
                #expect(try await shop.feed().isEmpty)
                let unknown = try await shop.api.post(one + "/test", #"{"event_type": "order.craeted"}"#)
                Self.expectRefused(unknown, at: "/event_type")
                #expect(unknown.text.contains("order.created"), "\(unknown.text)")
            }
        }
    }

    @Test(
        "GET /api/v1/webhooks/subscriptions/{id}/deliveries lists, GET /api/v1/webhooks/subscriptions/{id}/stats sums",
        arguments: TestEngine.allCases)
    func looks(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let one = "\(Self.root)/\(try await shop.subscribe(receiver.url).id)"
                for number in 0..<3 {
                    _ = try await shop.deliver(shop.orderEvent("o-\(number)"))
                    _ = try await receiver.deliveries(of: "order.created", order: "o-\(number)")
                }
                let stats = try await eventually("all attempts are counted") {
                    let stats = try await shop.api.get(one + "/stats")
                    return stats["successes"]?.integer == 3 ? stats : nil
                }
                #expect(stats["attempts"]?.integer == 3 && stats["failures"] == .object(.empty), "\(stats.text)")
                #expect(stats["success_rate"] == .number("100.0") && stats["breaker"]?["state"]?.string == "closed")
                #expect(stats["pending"]?.integer == 0 && stats["delivering"]?.integer == 0)
                let first = try await shop.api.get(one + "/deliveries?limit=2")
                let second = try await shop.api.get("\(one)/deliveries?limit=2&cursor=\(first.text("next_cursor"))")
                let listed = try first.page() + second.page()
                let sent = receiver.deliveries.reversed().map(\.eventID)
                #expect(try listed.map { try $0.text("event_id") } == sent && second["next_cursor"] == .null)
                for delivery in listed {
                    #expect(delivery["state"]?.string == "delivered" && delivery["reason"] == .null, "\(delivery)")
                    #expect(delivery["attempts"]?.array?.compactMap { $0["status"]?.integer } == [200])
                }
            }
        }
    }
}
