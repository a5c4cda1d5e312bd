import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("A customer is forgotten by the whole hub")
struct CustomerErasureStoryTests {
    private static let traces = ["lovelace", "ada@example.com", "buyer-815", "engine row"]

    /// What an order of the store tells of its buyer.
    private static let buyer = """
        "customer": {"id": "buyer-815", "name": "Ada Lovelace", "email": "Ada@example.com"},
        "shipping_address": {"address1": "12 Engine Row"},
        """

    @Test(
        "Orders, notes, events, feed, answers and inbox are empty in the end, though the server dies in between",
        arguments: TestEngine.allCases)
    func forgotten(_ engine: TestEngine) async throws {
        try await withCopies(1, of: engine, environment: TestServer.shortLease) { servers in
            try await servers[0].start()
            try await Receiver.run { receiver in
                // The endpoint says what it has read, in letters of its own.
                receiver.answer(200, saying: "Thank you, ADA LOVELACE of 12 ENGINE ROW!")
                let shop = try await Shop.open(servers[0])
                // Not to events about other things: those are not erased, whatever an endpoint answers to them.
                let types = #""event_types": ["order.*", "customer.*"]"#
                let subscription = try await shop.api.post(
                    "/api/v1/webhooks/subscriptions", #"{"url": "\#(receiver.url)", \#(types)}"#
                ).text("id")
                let customer = try await fill(shop)
                let places = try await places(of: shop, subscription)
                #expect(try await tellers(places, at: shop).count >= 5, "there is little to be erased")

                let path = "/api/v1/crm/customers/\(customer)"
                try await dieWhileErasing(servers[0], shop, path)
                let after = shop.at(servers[0].address)
                let done = try await eventually("the erasure is done") {
                    // Its workflow has the customer's own id.
                    let told = try await after.api.get("/api/v1/workflows/\(customer)")
                    return told["state"]?.string == "completed" ? told : nil
                }
                #expect(done["progress"]?["phase"]?.string == "done", "\(done.text)")
                #expect(done["progress"]?["orders"]?.integer == 3 && done["progress"]?["inbox_entries"]?.integer == 3)

                let left = try await tellers(places + [path], at: after)
                #expect(left.isEmpty, "still told by \(left)")
                #expect(try await after.api.get(path)["erased_at"]?.string != nil)
                let feed = try await after.feed()
                #expect(feed.filter { $0["payload"]?["erased"]?.bool == true }.count >= 4)
                #expect(try await after.api.get("/api/v1/oms/orders?limit=100").page().count == 3)
            }
        }
    }

    /// Brings in orders of one buyer, with notes, and waits until all is delivered; returns the customer.
    private func fill(_ shop: Shop) async throws -> String {
        try await shop.makeProduct("Shirt", sku: "SHIRT-M")
        for number in 1...3 {
            let sent = try await shop.deliver(shop.orderEvent("o\(number)", more: Self.buyer))
            #expect(sent.status == 202 || sent.status == 200, "\(sent.text)")
        }
        for number in 1...3 {
            let order = try await shop.order("o\(number)").text("id")
            let noted = try await shop.api.call(
                .patch, "/api/v1/oms/orders/\(order)", #"{"note": "Mrs LOVELACE rang."}"#)
            #expect(noted.status == 200, "\(noted.text)")
        }
        return try #require(try await shop.order("o1")["customer"]).text("id")
    }

    /// Every address at which somebody of the tenant could read of the buyer.
    private func places(of shop: Shop, _ subscription: String) async throws -> [String] {
        let deliveries = "/api/v1/webhooks/subscriptions/\(subscription)/deliveries?limit=100"
        try await until("all was delivered") {
            let all = try await shop.api.get(deliveries).page()
            return all.count >= 5 && all.allSatisfy { $0["state"]?.string == "delivered" }
        }
        let orders = try await shop.api.get("/api/v1/oms/orders?limit=100").page()
        let events = try await shop.api.get("/api/v1/events?limit=100").page()
        return try [
            deliveries, "/api/v1/oms/orders?limit=100", "/api/v1/crm/customers?limit=100",
            "/api/v1/integrations/connections/\(shop.connection)/inbox?limit=100", "/api/v1/events?limit=100",
            "/api/v1/webhooks/events?limit=1000", "/api/v1/audit?limit=100",
        ] + orders.map { "/api/v1/oms/orders/\(try $0.text("id"))" }
            + events.map { "/api/v1/events/\(try $0.text("event_id"))" }
    }

    /// Those of the addresses that tell anything of the buyer.
    private func tellers(_ places: [String], at shop: Shop) async throws -> [String] {
        var found: [String] = []
        for place in places {
            let answer = try await shop.api.get(place)
            #expect(answer.status == 200, "\(place): \(answer.text)")
            let text = answer.text.lowercased()
            for trace in Self.traces where text.contains(trace) { found.append("\(place): \(trace)") }
        }
        return found
    }

    /// Asks for the erasure of a server that dies in the middle of it, and starts another.
    private func dieWhileErasing(_ server: TestServer, _ shop: Shop, _ path: String) async throws {
        _ = await server.stop()
        let doomed = try await server.start(["TRADEWIND_CRASH_AT": "mid_erasure:3"])
        // It may die before the answer is out.
        if let asked = try? await shop.at(server.address).api.post(path + "/erase") {
            #expect(asked.status == 202, "\(asked.text)")
            #expect(asked["first_name"] == .null && asked["email"] == .null)
            #expect(path.hasSuffix(try asked.text("workflow_id")))
        }
        #expect(await doomed.exit() == .signal(Int(SIGKILL)))
        try await server.start()
    }
}
