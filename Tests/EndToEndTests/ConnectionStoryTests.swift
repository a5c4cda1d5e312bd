import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("A connection's life")
struct ConnectionStoryTests {
    private static func set(_ status: String, _ shop: Shop) async throws -> Int {
        let path = "/api/v1/integrations/connections/\(shop.connection)"
        return try await shop.api.call(.patch, path, #"{"status": "\#(status)"}"#).status
    }

    @Test("A paused or disconnected connection takes nothing, a resumed one does", arguments: TestEngine.allCases)
    func pauseResumeDisconnect(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            #expect(try await shop.deliver(shop.orderEvent("o-1")).status == 200)

            #expect(try await Self.set("paused", shop) == 200)
            #expect(try await shop.deliver(shop.orderEvent("o-2")).status == 403)

            #expect(try await Self.set("active", shop) == 200)
            #expect(try await shop.deliver(shop.orderEvent("o-2")).status == 200)

            let path = "/api/v1/integrations/connections/\(shop.connection)"
            #expect(try await shop.api.call(.delete, path).status == 204)
            #expect(try await shop.deliver(shop.orderEvent("o-3")).status == 403)
            #expect(try await Self.set("active", shop) == 409)
            let active = try await shop.api.get("/api/v1/integrations/connections")
            #expect(active["connections"]?.array?.isEmpty == true)
            let all = try await shop.api.get("/api/v1/integrations/connections?status=all")
            #expect(all["connections"]?.array?.first?["status"]?.string == "disconnected")
        }
    }

    @Test("Connected again, it has a new secret and takes the old one for a while", arguments: TestEngine.allCases)
    func connectAgain(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let first = try await Shop.open(server)
            let second = try await Shop.open(first.api, externalID: first.externalID)

            #expect(second.connection == first.connection)
            #expect(second.secret != first.secret)
            #expect(try await second.deliver(second.orderEvent("o-1")).status == 200)
            #expect(try await first.deliver(first.orderEvent("o-2")).status == 200)
        }
    }

    @Test("A rotation without overlap ends the old secret at once", arguments: TestEngine.allCases)
    func rotation(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let answer = try await shop.api.post(
                "/api/v1/integrations/connections/\(shop.connection)/rotate-secret", #"{"overlap_hours": 0}"#)
            let renewed = Shop(
                api: shop.api, connection: shop.connection, externalID: shop.externalID,
                secret: try answer.text("webhook_secret"))

            #expect(try await shop.deliver(shop.orderEvent("o-1")).status == 401)
            #expect(try await renewed.deliver(shop.orderEvent("o-1")).status == 200)
        }
    }

    @Test("Whether a connection exists can't be told from a refusal")
    func noOracle() async throws {
        try await withServer(.sqlite) { server in
            let shop = try await Shop.open(server)
            let stranger = Shop(api: shop.api, connection: "", externalID: "unknown", secret: shop.secret)
            let body = shop.orderEvent("o-1")

            let unsigned = try await shop.api.bare.send(.post, "/unified/webhook", body, [:])
            let unknown = try await stranger.deliver(stranger.orderEvent("o-1"))
            var headers = try shop.signature(of: body)
            if let name = headers.first?.name { headers[name] = String(repeating: "0", count: 64) }
            let wrong = try await shop.api.bare.send(.post, "/unified/webhook", body, headers)

            for answer in [unsigned, unknown, wrong] {
                #expect(answer.status == 401)
                #expect(answer["error"] == unsigned["error"])
            }
            #expect(try await shop.inbox().isEmpty)
        }
    }
}
