import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("What the record tells of secrets and of what was erased")
struct AuditSecretStoryTests {
    @Test("A rotation tells how many secrets are live and until when, and no secret", arguments: TestEngine.allCases)
    func rotations(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let subscriptions = "/api/v1/webhooks/subscriptions"
            let made = try await shop.api.post(
                subscriptions, #"{"url": "https://example.com/in", "event_types": ["*"]}"#)
            var secrets = [try made.text("secret"), shop.secret]

            for (path, action) in [
                ("\(subscriptions)/\(try made.text("id"))/rotate-secret", "rotateSubscriptionSecret"),
                ("/api/v1/integrations/connections/\(shop.connection)/rotate-secret", "rotateConnectionSecret"),
                ("/api/v1/integrations/workspace/rotate-secret", "rotateWorkspaceSecret"),
            ] {
                for _ in 1...2 {
                    let rotated = try await shop.api.post(path, #"{"overlap_hours": 2}"#)
                    #expect(rotated.status == 200, "\(rotated.text)")
                    secrets += ["secret", "webhook_secret"].compactMap { rotated[$0]?.string }
                }
                let told = try await shop.api.get("/api/v1/audit?action=\(action)")
                let last = try #require(try told.page().first)
                try expectOverlap(last, action)
                for secret in secrets { #expect(!told.text.contains(secret), "\(action)") }
            }
            #expect(secrets.count == 8)
            let first = try await shop.api.get("/api/v1/audit?action=rotateWorkspaceSecret").page().last
            #expect(first?["before"] == .null && first?["after"]?["live_secrets"]?.integer == 1)
        }
    }

    /// The newest of the live secrets is new; the one before it ends two hours later, and was endless before.
    private func expectOverlap(_ row: JSONValue, _ action: String) throws {
        let before = try #require(row["before"]?["secrets"]?.array, "\(action): \(row)")
        let after = try #require(row["after"]?["secrets"]?.array, "\(action): \(row)")
        #expect(row["after"]?["live_secrets"]?.integer == Int64(after.count))
        let newest = try #require(before.first)
        #expect(newest["expires_at"] == .null, "\(action): \(row)")
        #expect(after.count >= 2 && after[0]["expires_at"] == .null && after[1]["id"] == newest["id"])
        let end = try #require(Timestamp(after[1].text("expires_at")))
        let made = try #require(Timestamp(row.text("created_at")))
        #expect(abs((made + .seconds(7200)).milliseconds - end.milliseconds) < 60_000, "\(action): \(row)")
    }

    @Test("A key's end and an erasure of events tell how it was before and after", arguments: TestEngine.allCases)
    func keysAndEvents(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let key = try await shop.api.post("/api/v1/api-keys", #"{"label": "robot", "role": "viewer"}"#)
            let id = try key.text("id")
            #expect(try await shop.api.call(.delete, "/api/v1/api-keys/\(id)").status == 204)
            let revoked = try await shop.api.get("/api/v1/audit?resource=api_key&resource_id=\(id)")
            let rows = try revoked.page()
            #expect(rows.compactMap { $0["action"]?.string } == ["revokeAPIKey", "createAPIKey"])
            #expect(rows[0]["before"]?["revoked_at"] == .null && rows[0]["after"]?["revoked_at"]?.string != nil)
            #expect(rows[1]["before"] == .null && rows[1]["after"]?["label"]?.string == "robot")
            #expect(!revoked.text.contains(try key.text("key")))

            _ = try await shop.deliver(shop.orderEvent("o1"))
            let order = try await shop.order("o1").text("id")
            let body = #"{"entity_type": "order", "entity_id": "\#(order)"}"#
            for _ in 1...2 { #expect(try await shop.api.post("/api/v1/events/erase", body).status == 200) }
            let erased = try await shop.api.get("/api/v1/audit?action=eraseEvents&resource_id=\(order)").page()
            let states = erased.map { row in
                ["before", "after"].map { "\(row[$0]?["erased"]?.integer ?? -1)/\(row[$0]?["events"]?.integer ?? -1)" }
            }
            #expect(states == [["1/1", "1/1"], ["0/1", "1/1"]])
        }
    }
}
