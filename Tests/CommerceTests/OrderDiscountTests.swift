import Events
import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("Discounts of orders that are edited")
struct OrderDiscountTests {
    private func edit(_ shop: Shop, _ order: Order, _ body: String) async throws -> Order {
        try await shop.orders.edit(
            order.id, request(body) { OrderEdit($0, in: order.currency) }, scope: Shop.scope, actor: Shop.actor)
    }

    private func expect(
        _ shop: Shop, _ order: Order, _ total: Int64, _ discount: Int64, _ changed: [String]
    ) async throws {
        let full = order.lines.reduce(Int64(0)) { $0 + $1.unitPrice.minorUnits * $1.quantityCurrent }
        #expect(order.total == usd(total) && order.discount == usd(discount))
        #expect(order.totalDifference == usd(100) && order.subtotal == usd(full - discount))
        let event = try #require(try await shop.events().last)
        #expect(event.payload["changed"] == .array(changed.map { .string($0) }))
        #expect(try await shop.orders.require(order.id, scope: Shop.scope, withSource: false).order == order)
    }

    @Test(
        "A discount comes and goes with its line, is never more than the line costs, and the totals add up",
        arguments: TestEngine.allCases)
    func discounts(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let new = try request(
                """
                {"idempotency_key":"k","currency":"USD","shipping_total":4,"total":30,
                 "items":[{"sku":"A","quantity":3,"unit_price":10,"discount":6,"tax":1}]}
                """
            ) { NewOrder($0) }
            var order = try await shop.orders.place(new, scope: Shop.scope, actor: Shop.actor).order
            #expect(order.discount == usd(600) && order.totalDifference == usd(100))
            order = try await edit(
                shop, order,
                """
                {"add_lines":[{"sku":"B","quantity":2,"unit_price":5,"discount":2.5},
                    {"sku":"C","quantity":5,"unit_price":1,"discount":4}]}
                """)
            try await expect(shop, order, 3850, 1250, ["line_items", "total", "discount_total"])
            order = try await edit(shop, order, #"{"lines":[{"line_id":"1","quantity":0}]}"#)
            try await expect(shop, order, 1350, 650, ["line_items", "total", "discount_total", "tax_total"])
            order = try await edit(shop, order, #"{"lines":[{"line_id":"3","quantity":2}]}"#)
            try await expect(shop, order, 1250, 450, ["line_items", "total", "discount_total"])
            order = try await edit(shop, order, #"{"lines":[{"line_id":"2","quantity":4}]}"#)
            try await expect(shop, order, 2250, 450, ["line_items", "total"])
        }
    }
}
