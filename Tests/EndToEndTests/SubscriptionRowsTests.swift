import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("What subscriptions promise, row by row")
struct SubscriptionRowsTests {
    private static let root = "/api/v1/webhooks/subscriptions"
    private static let body = #"{"url": "http://127.0.0.1:9/x", "event_types": ["*"]}"#

    @Test(
        "GET and PATCH /api/v1/webhooks/settings: a tenant's are those of the table until it changes them",
        arguments: TestEngine.allCases)
    func settings(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let defaults = """
                {"retention_days": 30, "max_subscriptions": 25, "max_retry_attempts": 5,
                 "backoff_schedule": [0, 1, 5, 30, 120], "failure_threshold": 95, "failure_window": 24,
                 "min_deliveries_for_disable": 10}
                """
            let path = "/api/v1/webhooks/settings"
            #expect(try await api.get(path).json == JSONValue(parsing: Array(defaults.utf8)))
            #expect(try await api.call(.patch, path, #"{"failure_threshold": 90}"#).status == 200)
            let changed = try await api.get(path)
            #expect(changed["failure_threshold"]?.integer == 90 && changed["failure_window"]?.integer == 24)
        }
    }

    @Test(
        "POST /api/v1/webhooks/subscriptions/{id}/rotate-secret: 0 to 168 hours, 24 unless named; shown only there",
        arguments: TestEngine.allCases)
    func secrets(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let made = try await api.post(Self.root, Self.body)
            let secret = try made.text("secret")
            #expect(secret.hasPrefix("whsec_"))
            let one = "\(Self.root)/\(try made.text("id"))"
            let rotated = try await api.post(one + "/rotate-secret")
            #expect(rotated["overlap_hours"]?.integer == 24, "a day where none is named")
            #expect(try rotated.text("secret") != secret)
            #expect(try await api.post(one + "/rotate-secret", #"{"overlap_hours": 168}"#).status == 200)
            #expect(try await api.post(one + "/rotate-secret", #"{"overlap_hours": 0}"#).status == 200)
            for hours in ["169", "-1", "1.5"] {
                let refused = try await api.post(one + "/rotate-secret", #"{"overlap_hours": \#(hours)}"#)
                #expect(refused.status == 422, "\(hours)")
            }
            for path in [Self.root, one, one + "/deliveries", one + "/stats", one + "/keys", "/api/v1/audit"] {
                let seen = try await api.get(path)
                #expect(seen.status == 200 && !seen.text.contains("whsec_"), "\(path): \(seen.text)")
            }
            #expect(try await api.call(.delete, one).status == 204)
            #expect(try await api.get(one).status == 404)
        }
    }

    @Test(
        "max_subscriptions: 25 are active at most, 409 tells the limit, and one that is disabled makes room",
        arguments: TestEngine.allCases)
    func most(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            var ids: [String] = []
            for _ in 0..<25 { ids.append(try await api.post(Self.root, Self.body).text("id")) }
            let refused = try await api.post(Self.root, Self.body)
            #expect(refused.status == 409 && refused["max_subscriptions"]?.integer == 25, "\(refused.text)")
            #expect(try await api.post("\(Self.root)/\(ids[0])/disable").status == 200)
            #expect(try await api.post(Self.root, Self.body).status == 201)
            let again = try await api.post("\(Self.root)/\(ids[0])/activate")
            #expect(again.status == 409 && again["max_subscriptions"]?.integer == 25, "\(again.text)")
        }
    }

    @Test(
        "An attempt keeps time, status, duration and its parts, masked headers, the answer's headers and 16 KiB of it",
        arguments: TestEngine.allCases)
    func attempts(_ engine: TestEngine) async throws {
        let body = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
        let reply = ReceiverServer.Reply(status: 400, headers: [.contentType: "text/plain"], body: body)
        try await ReceiverServer.run({ _ in reply }) { port in
            try await withServer(engine) { server in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe("http://127.0.0.1:\(port)/in").id
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                let path = "\(Self.root)/\(subscription)/deliveries"
                let delivery = try await eventually("there was an attempt") {
                    try await shop.api.get(path).page().first { $0["attempts"]?.array?.isEmpty == false }
                }
                #expect(delivery["state"]?.string == "pending" && delivery["next_attempt_at"]?.string != nil)
                let attempt = try #require(delivery["attempts"]?.array?.first)
                #expect(attempt["number"]?.integer == 1 && attempt["status"]?.integer == 400)
                #expect(attempt["started_at"]?.string?.hasSuffix("Z") == true)
                #expect(attempt["duration_us"]?.integer ?? 0 > 0)
                let phases = try #require(attempt["phases"])
                let (first, total) = (phases["first_byte_us"]?.integer ?? 0, phases["total_us"]?.integer ?? 0)
                #expect(first > 0 && first <= total && total == attempt["duration_us"]?.integer, "\(phases)")
                // An address needs no resolver, and plain text no handshake.
                #expect(phases["connect_us"]?.integer ?? 0 > 0 && phases["tls_us"] == .null, "\(phases)")
                #expect(phases["dns_us"] == .null, "\(phases)")
                #expect(attempt["error_class"]?.string == "status")
                #expect(attempt["request_headers"]?["X-Subscriber"]?.string == "***")
                let headers = attempt["response_headers"]?.object?.members ?? []
                #expect(headers.first { $0.name.lowercased() == "content-type" }?.value.string == "text/plain")
                #expect(attempt["response_body"]?.string?.utf8.count == 16 << 10)
            }
        }
    }
}
