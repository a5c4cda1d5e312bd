import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Stock and orders over the wire")
struct StockStoryTests {
    /// A product's only variant.
    private func variant(_ shop: Shop, sku: String) async throws -> String {
        let product = try await shop.makeProduct("Shirt \(sku)", sku: sku)
        return try #require(product["variants"]?.array?.first).text("id")
    }

    private func level(_ shop: Shop, _ variant: String) async throws -> JSONValue {
        try #require(try await shop.api.get("/api/v1/inventory/levels?variant_id=\(variant)").page().first)
    }

    @Test("Pieces are counted, promised to an order, sent and returned", arguments: TestEngine.allCases)
    func wholeWay(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let variant = try await variant(shop, sku: "SHIRT-M")
            let counted = try await shop.api.post(
                "/api/v1/inventory/adjust",
                #"{"variant_id": "\#(variant)", "quantity_delta": 5, "reason": "adjustment", "note": "count"}"#)
            #expect(counted.status == 201 && counted["quantity_delta"]?.integer == 5, "\(counted.text)")
            #expect(counted["on_hand"]?.integer == 5 && counted["note"]?.string == "count")
            let nothing = try await shop.api.post(
                "/api/v1/inventory/adjust", #"{"variant_id": "\#(variant)", "quantity_delta": 0}"#)
            #expect(nothing.status == 200 && nothing["id"] == .null)

            let order = try await shop.api.post(
                "/api/v1/oms/orders",
                """
                {"idempotency_key": "k", "currency": "USD", "tags": ["rush"],
                 "items": [{"sku": "SHIRT-M", "quantity": 2, "unit_price": 10}]}
                """)
            #expect(order.status == 201, "\(order.text)")
            #expect(try await level(shop, variant)["available"]?.integer == 3)
            let path = "/api/v1/oms/orders/\(try order.text("id"))"
            let early = try await shop.api.post(path + "/fulfilments", "{}")
            #expect(early.status == 409 && early["allowed"]?.array?.isEmpty == false, "\(early.text)")
            for state in ["payment_authorized", "confirmed", "processing"] {
                #expect(try await shop.api.post(path + "/transition", #"{"to": "\#(state)"}"#).status == 200)
            }
            let above = try await shop.api.post(
                path + "/fulfilments", #"{"items": [{"line_id": "1", "quantity": 3}]}"#)
            #expect(above.status == 422, "\(above.text)")
            let body = #"{"external_id": "p-1", "carrier": "DHL", "tracking_number": "T-1"}"#
            let sent = try await shop.api.post(path + "/fulfilments", body)
            #expect(sent.status == 201 && sent["order"]?["status"]?.string == "fulfilled", "\(sent.text)")
            #expect(try await shop.api.post(path + "/fulfilments", body).status == 200)
            #expect(try await level(shop, variant)["on_hand"]?.integer == 3)
            #expect(
                try await shop.api.post(path + "/refunds", #"{"external_id": "r", "amount": 20.01}"#).status == 422)
            let refund = try await shop.api.post(path + "/refunds", #"{"external_id": "r", "amount": 5}"#)
            #expect(refund.status == 201 && refund["refunded_total"] == .number("5.00"), "\(refund.text)")
            #expect(try await shop.api.post(path + "/notes", #"{"text": "called"}"#).status == 201)
            #expect(try await shop.api.post(path + "/transition", #"{"to": "return_requested"}"#).status == 200)
            let back = try await shop.api.post(path + "/returns", "{}")
            #expect(back["order"]?["status"]?.string == "returned", "\(back.text)")
            #expect(try await level(shop, variant)["on_hand"]?.integer == 5)

            let story = try await shop.api.get(path)
            #expect(try story["fulfilments"]?.array?.first?.text("tracking_number") == "T-1")
            #expect(story["timeline"]?.array?.contains { $0["note"]?.string == "called" } == true)
            #expect(try await shop.api.get("/api/v1/oms/orders?tag=rush&search=k").page().count == 1)
            let reasons = try await shop.api.get("/api/v1/inventory/ledger").page().compactMap { $0["reason"]?.string }
            #expect(reasons == ["adjustment", "reservation", "sale", "return"])
        }
    }

    @Test("Hard allocation refuses calls and flags a store's order", arguments: TestEngine.allCases)
    func hard(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let variant = try await variant(shop, sku: "SHIRT-M")
            let settings = #"{"inventory_allocation_model": "HARD", "default_low_stock_threshold": 2}"#
            #expect(try await shop.api.call(.put, "/api/v1/inventory/settings", settings).status == 200)
            let taken = try await shop.api.post(
                "/api/v1/inventory/adjust", #"{"variant_id": "\#(variant)", "quantity_delta": -1}"#)
            #expect(taken.status == 409 && taken["on_hand"]?.integer == 0, "\(taken.text)")
            let placed = try await shop.api.post(
                "/api/v1/oms/orders",
                """
                {"idempotency_key": "k", "currency": "USD",
                 "items": [{"sku": "SHIRT-M", "quantity": 1, "unit_price": 10}]}
                """)
            #expect(placed.status == 409 && placed["line_id"]?.string == "1", "\(placed.text)")
            _ = try await shop.deliver(shop.orderEvent("o-1"))
            #expect(try await shop.order("o-1")["oversold"] == .bool(true))
            let level = try await level(shop, variant)
            #expect(level["available"]?.integer == -2 && level["low_stock"] == .bool(true))
        }
    }

    @Test("A store's item is mapped, listed and forgotten", arguments: TestEngine.allCases)
    func mapping(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let variant = try await variant(shop, sku: "OTHER")
            _ = try await shop.deliver(shop.orderEvent("o-1", lines: [Shop.mystery]))
            #expect(try await shop.order("o-1")["match_status"]?.string == "none")
            let path = "/api/v1/integrations/connections/\(shop.connection)/mappings"
            let body = #"{"external_id": "b", "variant_id": "\#(variant)"}"#
            #expect(try await shop.api.call(.put, path, body).status == 200)
            _ = try await eventually("the line is matched") {
                try await shop.order("o-1")["match_status"]?.string == "full" ? true : nil
            }
            #expect(try await shop.api.get(path).page().map { try $0.text("variant_id") } == [variant])
            #expect(try await shop.api.call(.delete, path + "?external_id=b").status == 204)
            #expect(try await shop.api.call(.delete, path + "?external_id=b").status == 404)
            #expect(try await shop.api.call(.delete, path).status == 422)
            #expect(try await shop.api.get(path).page().isEmpty)
        }
    }
}
