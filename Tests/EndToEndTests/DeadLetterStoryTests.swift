import Kernel
import TestSupport
import Testing

@Suite("Deliveries that no order can be made of")
struct DeadLetterStoryTests {
    @Test("One is parked with its reason, listed as dead, and can be run again", arguments: TestEngine.allCases)
    func parkedAndRetried(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let line = #"{"item_id": "a", "sku": "SHIRT-M", "name": "Shirt", "unit_amount": 1}"#
            let answer = try await shop.deliver(shop.orderEvent("o-1", lines: [line]))
            #expect(answer.status == 200)
            let id = try answer.text("id")

            let entry = try await shop.settled(id)
            #expect(entry["state"]?.string == "parked")
            #expect(try entry.text("reason").contains("quantity"))
            #expect(try entry.text("payload").contains("o-1"))

            let dead = try await shop.api.get("/api/v1/workflows?state=dead").page()
            #expect(dead.compactMap { $0["id"]?.string } == [id])
            let workflow = try await shop.api.get("/api/v1/workflows/\(id)")
            #expect(workflow["state"]?.string == "dead")
            #expect(workflow["outcome"]?.string == "parked")

            for path in ["/api/v1/workflows/\(id)", "/api/v1/integrations/connections/\(shop.connection)/inbox/\(id)"] {
                let before = try await shop.api.get("/api/v1/workflows/\(id)").text("updated_at")
                let retried = try await shop.api.post(path + "/retry")
                #expect(retried.status == 202, "\(retried.text)")
                #expect(try retried.text("workflow_id") == id)
                let settled = try await eventually("\(id) was run again") {
                    let found = try await shop.api.get("/api/v1/workflows/\(id)")
                    return try found["state"]?.string == "dead" && found.text("updated_at") > before ? found : nil
                }
                #expect(settled["outcome"]?.string == "parked")
            }
        }
    }

    @Test("A bad order does not hold back the good ones around it", arguments: TestEngine.allCases)
    func neighbours(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<30 {
                    group.addTask {
                        let bad = #"{"item_id": "a", "sku": "S", "name": "S", "quantity": 0, "unit_amount": 1}"#
                        let lines = number % 5 == 0 ? [bad] : [Shop.shirt]
                        let answer = try await shop.deliver(shop.orderEvent("o-\(number)", lines: lines))
                        #expect(answer.status == 200)
                    }
                }
                try await group.waitForAll()
            }
            try await until("all entries are settled") {
                try await shop.inbox().allSatisfy { $0["state"]?.string != "queued" }
            }
            let states = try await shop.inbox().compactMap { $0["state"]?.string }
            #expect(states.count { $0 == "processed" } == 24)
            #expect(states.count { $0 == "parked" } == 6)
        }
    }

    @Test("An event of another kind is kept and ignored", arguments: TestEngine.allCases)
    func ignored(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let answer = try await shop.deliver(shop.orderEvent("o-1", event: "crm.contact.created"))
            #expect(answer.status == 200)
            let entry = try await shop.settled(answer.text("id"))
            #expect(entry["state"]?.string == "ignored")
            #expect(entry["workflow_id"] ?? .null == .null)
            let retry = "/api/v1/integrations/connections/\(shop.connection)/inbox/\(try answer.text("id"))/retry"
            #expect(try await shop.api.post(retry).status == 409)
        }
    }
}
