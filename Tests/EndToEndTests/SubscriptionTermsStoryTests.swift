import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("What a subscription may ask for, over the wire")
struct SubscriptionTermsStoryTests {
    private static let path = "/api/v1/webhooks/subscriptions"

    private static func pointers(_ answer: Answer) -> [String] {
        (answer["errors"]?.array ?? []).compactMap { $0["pointer"]?.string }
    }

    @Test("A subscription is made, read, changed, tested and looked at", arguments: TestEngine.allCases)
    func life(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let made = try await shop.api.post(
                    Self.path,
                    #"""
                    {"url": "\#(receiver.url)", "event_types": ["product.*"], "profile": "synctec",
                     "payload_mode": "thin", "headers": {"Authorization": "Bearer abc"}, "rate_limit": 50,
                     "max_in_flight": 4, "retry": {"delays_seconds": [1, 2]}, "filter": {"title": {"$prefix": "Cup"}}}
                    """#)
                #expect(made.status == 201, "\(made.text)")
                let one = try "\(Self.path)/\(made.text("id"))"
                let read = try await shop.api.get(one)
                #expect(read["secret"] == nil && read["headers"]?["Authorization"]?.string == "***")
                #expect(read["filter"]?["title"]?["$prefix"]?.string == "Cup")
                #expect(read["retry"]?["delays_seconds"]?.array?.count == 2)
                #expect(read["payload_mode"]?.string == "thin" && read["rate_limit"]?.integer == 50)

                try await shop.makeProduct("Shirt", sku: "SHIRT-M")
                try await shop.makeProduct("Cup", sku: "CUP-1")
                let delivery = try await eventually("the cup was told of") { receiver.deliveries.first }
                #expect(delivery.json["event"]?.string == "product.created")
                #expect(delivery.json["product"]?.object?.members.map(\.name) == ["id"])
                let states = try await eventually("both events have their delivery") {
                    let found = try await shop.api.get(one + "/deliveries").page().compactMap { $0["state"]?.string }
                    return found.sorted() == ["delivered", "skipped"] ? found : nil
                }
                #expect(states.count == 2)

                let changed = try await shop.api.call(
                    .patch, one, #"{"profile": "standard", "filter": null, "headers": {"Authorization": "***"}}"#)
                #expect(changed.status == 200 && changed["filter"] == .null, "\(changed.text)")
                #expect(try await shop.api.post(one + "/test", #"{"event_type": "order.created"}"#).status == 202)
                let test = try await eventually("the test came") {
                    receiver.deliveries.first { $0.json["type"]?.string == "order.created" }
                }
                #expect(test.headers[.authorization] == "Bearer abc")
                let stats = try await eventually("both attempts are counted") {
                    let stats = try await shop.api.get(one + "/stats")
                    return stats["successes"]?.integer == 2 ? stats : nil
                }
                #expect(stats["attempts"]?.integer == 2 && stats["pending"]?.integer == 0, "\(stats.text)")
                #expect(stats["breaker"]?["state"]?.string == "closed")
                #expect(receiver.deliveries.count == 2)
            }
        }
    }

    @Test("What can't be is answered with its place, limits with their number", arguments: TestEngine.allCases)
    func refusals(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            let url = "http://127.0.0.1:9/x"
            for (more, pointer) in [
                (#""filter": {"total": {"$gtt": 5}}"#, "/filter/total/$gtt"), (#""profile": "other""#, "/profile"),
                (#""headers": {"webhook-id": "x"}"#, "/headers/webhook-id"), (#""secret": "short""#, "/secret"),
                (#""headers": {"X-A": "1\r\nX-B: 2"}"#, "/headers/X-A"), (#""retry": {"factor": 99}"#, "/retry/factor"),
                (#""rate_limit": "fast""#, "/rate_limit"), (#""colour": "red""#, "/colour"),
            ] {
                let answer = try await api.post(Self.path, #"{"url": "\#(url)", "event_types": ["*"], \#(more)}"#)
                #expect(answer.status == 422 && Self.pointers(answer) == [pointer], "\(more): \(answer.text)")
            }
            let settings = "/api/v1/webhooks/settings"
            #expect(try await api.get(settings)["backoff_schedule"]?.array?.count == 5)
            #expect(try await api.call(.patch, settings, #"{"retention_days": 0}"#).status == 422)
            #expect(try await api.call(.patch, settings, #"{"max_subscriptions": 1}"#).status == 200)
            let member = try await server.caller(token: server.token(role: "member"))
            #expect(try await member.call(.patch, settings, #"{"max_subscriptions": 9}"#).status == 403)
            let body = #"{"url": "\#(url)", "event_types": ["*"]}"#
            let first = try await api.post(Self.path, body)
            #expect(first.status == 201)
            let second = try await api.post(Self.path, body)
            #expect(second.status == 409 && second["max_subscriptions"]?.integer == 1, "\(second.text)")
            let one = try "\(Self.path)/\(first.text("id"))"
            let moved = try await api.call(.patch, one, #"{"url": "http://169.254.169.254/latest"}"#)
            #expect(moved.status == 422 && Self.pointers(moved) == ["/url"], "\(moved.text)")
            #expect(try await api.get(one)["url"]?.string == url)
            let unknown = try await api.post(one + "/test", #"{"event_type": "order.craeted"}"#)
            #expect(unknown.status == 422 && unknown.text.contains("order.created"), "\(unknown.text)")
        }
    }
}
