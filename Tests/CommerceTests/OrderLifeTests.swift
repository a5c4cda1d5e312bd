import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Orders after they were placed")
struct OrderLifeTests {
    private func place(
        _ shop: Shop, items: String = #"{"sku":"A","quantity":3,"unit_price":10}"#, more: String = "",
        key: String = "k"
    ) async throws -> Order {
        let body = #"{"idempotency_key":"\#(key)","currency":"USD",\#(more)"items":[\#(items)]}"#
        return try await shop.orders.place(
            request(body) { NewOrder($0) }, scope: Shop.scope, actor: Shop.actor
        ).order
    }

    @discardableResult
    private func move(_ shop: Shop, _ order: Order, _ states: OrderStatus...) async throws -> Order {
        var order = order
        for state in states {
            order = try await shop.orders.move(order.id, to: state, scope: Shop.scope, actor: Shop.actor)
        }
        return order
    }

    private func record(
        _ shop: Shop, _ kind: Parcel.Kind, _ order: Order, _ body: String = "{}", scope: Scope = Shop.scope
    ) async throws -> (order: Order, parcel: Parcel, isNew: Bool) {
        try await shop.orders.record(
            request(body) { ParcelRequest(kind, $0) }, on: order.id, scope: scope, actor: Shop.actor)
    }

    private func refund(_ shop: Shop, _ order: Order, _ id: String, _ amount: String) async throws -> (Order, Bool) {
        try await shop.orders.refund(
            order.id, request(#"{"external_id":"\#(id)","amount":\#(amount)}"#) { RefundRequest($0) },
            scope: Shop.scope, actor: Shop.actor)
    }

    private func edit(_ shop: Shop, _ order: Order, _ body: String) async throws -> Order {
        try await shop.orders.edit(
            order.id, request(body) { OrderEdit($0, in: order.currency) }, scope: Shop.scope, actor: Shop.actor)
    }

    // MARK: The whole way

    @Test("An order is reserved, sent in two parcels, returned in part and refunded", arguments: TestEngine.allCases)
    func wholeWay(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            try await shop.stock(variant, 10)
            var order = try await place(shop)
            #expect(try await shop.balance(variant) == Balance(onHand: 10, reserved: 3))
            order = try await move(shop, order, .paymentAuthorized, .confirmed, .processing)
            let body = """
                {"external_id":"p1","carrier":"DHL","tracking_number":"T1","items":[{"line_id":"1","quantity":1}]}
                """
            let first = try await record(shop, .fulfilment, order, body)
            #expect(first.isNew && first.order.status == .partiallyFulfilled)
            #expect(first.order.lines[0].quantityFulfilled == 1)
            #expect(try await shop.balance(variant) == Balance(onHand: 9, reserved: 2))
            let again = try await record(shop, .fulfilment, order, body)
            #expect(!again.isNew && again.parcel == first.parcel && again.order.version == first.order.version)
            order = try await record(shop, .fulfilment, order).order
            #expect(order.status == .fulfilled)
            #expect(try await shop.balance(variant) == Balance(onHand: 7))
            order = try await move(shop, order, .delivered, .returnRequested)
            order = try await record(shop, .returned, order, #"{"items":[{"line_id":"1","quantity":1}]}"#).order
            #expect(order.status == .partiallyReturned)
            #expect(try await shop.balance(variant) == Balance(onHand: 8))
            order = try await record(shop, .returned, order).order
            #expect(order.status == .returned)
            #expect(try await shop.balance(variant) == Balance(onHand: 10))
            order = try await refund(shop, order, "r1", "12.50").0
            #expect(order.status == .returned && order.refunded == usd(1250))
            order = try await refund(shop, order, "r2", "17.5").0
            #expect(order.status == .refunded && order.refunded == usd(3000))
            try await shop.expectLedgerAddsUp()
            let story = try await shop.orders.require(order.id, scope: Shop.scope, withSource: false)
            #expect(story.order == order)
            #expect(story.parcels.map(\.kind) == [.fulfilment, .fulfilment, .returned, .returned])
            #expect(story.parcels[0] == first.parcel && story.parcels[0].trackingNumber == "T1")
            #expect(try await shop.ledger().allSatisfy { $0.order == order.id || $0.reason == .adjustment })
        }
    }

    @Test("A cancelled order gives its claim back, a failed one too", arguments: TestEngine.allCases)
    func cancelled(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            for (key, end) in [("a", OrderStatus.cancelled), ("b", .failed)] {
                let order = try await place(shop, key: key)
                #expect(try await shop.balance(variant) == Balance(reserved: 3))
                try await move(shop, order, end)
                #expect(try await shop.balance(variant) == Balance())
            }
        }
    }

    // MARK: Parcels

    @Test("More than is open, strange lines and wrong states are refused", arguments: TestEngine.allCases)
    func badParcels(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let order = try await place(shop)
            let early = await #expect(throws: Refusal.self) { _ = try await record(shop, .fulfilment, order) }
            let states = JSONValue.array([.string("payment_authorized"), .string("failed"), .string("cancelled")])
            #expect(early?.kind == .conflict && early?.fields == [Refusal.Field("allowed", states)])
            try await move(shop, order, .paymentAuthorized, .confirmed, .processing)
            let bad = #"{"items":[{"line_id":"1","quantity":4},{"line_id":"9","quantity":1}]}"#
            let invalid = await #expect(throws: InvalidDocument.self) {
                _ = try await record(shop, .fulfilment, order, bad)
            }
            #expect(invalid?.faults.map(\.pointer) == ["/items/0/quantity", "/items/1/line_id"])
            await #expect(throws: Refusal.notFound("order")) {
                _ = try await record(shop, .fulfilment, order, scope: Shop.sister)
            }
            let returned = await #expect(throws: Refusal.self) { _ = try await record(shop, .returned, order) }
            #expect(returned?.kind == .conflict)
            #expect(try await shop.orders.require(order.id, scope: Shop.scope, withSource: false).parcels.isEmpty)
        }
    }

    @Test(
        "Bad bodies of parcels and refunds are refused with the field's name",
        arguments: [
            (#"{"items":[{"line_id":"1","quantity":0}]}"#, "/items/0/quantity"),
            (#"{"items":[{"line_id":"1","quantity":1.5}]}"#, "/items/0/quantity"),
            (#"{"items":[{"line_id":"1","quantity":-1}]}"#, "/items/0/quantity"),
            (#"{"items":[{"line_id":"1","quantity":"1"}]}"#, "/items/0/quantity"),
            (#"{"items":[{"quantity":1}]}"#, "/items/0/line_id"), (#"{"items":[]}"#, "/items"),
            (#"{"items":[{"line_id":"1","quantity":1},{"line_id":"1","quantity":1}]}"#, "/items/1/line_id"),
            (#"{"carrier":5}"#, "/carrier"), (#"{"tracking":"x"}"#, "/tracking"),
            (#"{"external_id":""}"#, "/external_id"),
        ])
    func parcelBodies(_ row: (body: String, pointer: String)) throws {
        let invalid = #expect(throws: InvalidDocument.self) {
            _ = try request(row.body) { ParcelRequest(.fulfilment, $0) }
        }
        #expect(invalid?.faults.map(\.pointer) == [row.pointer])
    }

    @Test(
        "A partly returned order is moved by what comes back, and by no call for a move", arguments: TestEngine.allCases
    )
    func partlyReturned(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let placed = try await place(shop)
            try await move(shop, placed, .paymentAuthorized, .confirmed, .processing)
            _ = try await record(shop, .fulfilment, placed)
            try await move(shop, placed, .returnRequested)
            let piece = #"{"items":[{"line_id":"1","quantity":1}]}"#
            let first = try await record(shop, .returned, placed, piece).order
            #expect(first.status == .partiallyReturned)
            let refusal = await #expect(throws: Refusal.self) { _ = try await move(shop, first, .returned) }
            #expect(refusal?.kind == .conflict && refusal?.fields == [Refusal.Field("allowed", .array([]))])
            #expect(refusal?.sentence.hasSuffix("a return of what is still outside moves it.") == true)
            #expect(try await record(shop, .returned, placed, piece).order.status == .partiallyReturned)
            #expect(try await record(shop, .returned, placed, piece).order.status == .returned)
        }
    }

    // MARK: Refunds

    @Test("A refund is known by its id and never above what was paid", arguments: TestEngine.allCases)
    func refunds(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let order = try await place(shop)
            for amount in ["1", "-1", "0", "1.001", "1e400", "\"x\"", "true"] {
                let invalid = await #expect(throws: InvalidDocument.self) {
                    _ = try await refund(shop, order, "r", amount)
                }
                #expect(invalid?.faults.map(\.pointer) == ["/amount"], "\(amount)")
            }
            try await move(shop, order, .paymentAuthorized, .confirmed)
            let (first, isNew) = try await refund(shop, order, "r", "20.00")
            #expect(isNew && first.refunded == usd(2000) && first.status == .confirmed)
            let (again, isNewAgain) = try await refund(shop, order, "r", "20")
            #expect(!isNewAgain && again == first)
            let other = await #expect(throws: Refusal.self) { _ = try await refund(shop, order, "r", "5") }
            #expect(other?.kind == .conflict)
            await #expect(throws: InvalidDocument.self) { _ = try await refund(shop, order, "s", "10.01") }
            #expect(try await refund(shop, order, "s", "10").0.refunded == usd(3000))
            #expect(try await shop.events().last?.payload["changed"] == .array([.string("refunded_total")]))
            let bad = await #expect(throws: InvalidDocument.self) {
                _ = try await shop.orders.refund(
                    order.id,
                    request(#"{"external_id":"t","amount":1,"currency":"EUR"}"#) { RefundRequest($0) },
                    scope: Shop.scope, actor: Shop.actor)
            }
            #expect(bad?.faults.map(\.pointer) == ["/currency"])
        }
    }

    // MARK: Versions

    @Test(
        "A change happens to the version that is meant; a parcel that is known is answered for any",
        arguments: TestEngine.allCases)
    func versions(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let placed = try await place(shop)
            let order = try await move(shop, placed, .paymentAuthorized, .confirmed, .processing)
            let parcel = try request(#"{"external_id":"p"}"#) { ParcelRequest(.fulfilment, $0) }
            let money = try request(#"{"external_id":"r","amount":5}"#) { RefundRequest($0) }
            func send(_ version: Int64) async throws -> (order: Order, parcel: Parcel, isNew: Bool) {
                try await shop.orders.record(
                    parcel, on: order.id, ifMatch: .oneOf([version]), scope: Shop.scope, actor: Shop.actor)
            }
            func refund(_ version: Int64) async throws -> (order: Order, isNew: Bool) {
                try await shop.orders.refund(
                    order.id, money, ifMatch: .oneOf([version]), scope: Shop.scope, actor: Shop.actor)
            }
            let early = await #expect(throws: Refusal.self) { _ = try await send(placed.version) }
            #expect(early?.kind == .stale)
            #expect(early?.fields == [Refusal.Field("etag", .string(VersionMatch.etag(order.version)))])
            let sent = try await send(order.version)
            #expect(sent.isNew && sent.order.version == order.version + 1)
            let again = try await send(order.version)
            #expect(!again.isNew && again.parcel == sent.parcel && again.order == sent.order)
            let late = await #expect(throws: Refusal.self) { _ = try await refund(order.version) }
            #expect(late?.kind == .stale)
            let refunded = try await refund(sent.order.version)
            #expect(refunded.isNew && refunded.order.refunded == usd(500))
            #expect(try await refund(sent.order.version).order == refunded.order)
        }
    }

    // MARK: Edits

    @Test(
        "order.updated: lines, tags and notes are edited, with the totals and the stock",
        arguments: TestEngine.allCases)
    func edits(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (a, b) = (try await shop.variant("A").id, try await shop.variant("B").id)
            let order = try await place(shop)
            var edited = try await edit(
                shop, order,
                """
                {"lines":[{"line_id":"1","quantity":5}],"tags":["rush"," rush ","gift"],"note":"call first",
                 "add_lines":[{"sku":"B","quantity":2,"unit_price":1.5,"tax":0.3},
                    {"custom":true,"title":"Gift wrap","quantity":1,"unit_price":2}]}
                """)
            #expect(edited.lines.map(\.key) == ["1", "2", "custom:3"] && edited.lines[0].quantityOrdered == 5)
            #expect(edited.total == usd(5530) && edited.tax == usd(30) && edited.matchStatus == .full)
            #expect(edited.tags == ["rush", "gift"])
            let names = ["line_items", "total", "tax_total", "tags", "notes"].map { JSONValue.string($0) }
            let updated = try await shop.events().last { $0.type == "order.updated" }
            #expect(updated?.payload["changed"] == .array(names))
            #expect(try await shop.balance(a) == Balance(reserved: 5))
            #expect(try await shop.balance(b) == Balance(reserved: 2))
            let story = try await shop.orders.require(order.id, scope: Shop.scope, withSource: false)
            #expect(story.order == edited && story.notes.map(\.text) == ["call first"])
            edited = try await edit(shop, order, #"{"lines":[{"line_id":"2","quantity":0}],"tags":[]}"#)
            #expect(edited.total == usd(5200) && edited.tags.isEmpty)
            #expect(try await shop.balance(b) == Balance())
            #expect(try await edit(shop, order, "{}") == edited)
            let fault = await #expect(throws: InvalidDocument.self) {
                _ = try await edit(shop, order, #"{"lines":[{"line_id":"8","quantity":1}]}"#)
            }
            #expect(fault?.faults.map(\.pointer) == ["/lines/0/line_id"])
            try await move(shop, order, .paymentAuthorized, .confirmed, .processing, .fulfilled)
            let late = await #expect(throws: Refusal.self) {
                _ = try await edit(shop, order, #"{"lines":[{"line_id":"1","quantity":1}]}"#)
            }
            #expect(late?.kind == .conflict)
            #expect(try await edit(shop, order, #"{"tags":["late"]}"#).tags == ["late"])
            try await shop.expectLedgerAddsUp()
        }
    }

    @Test(
        "A new line that names another tenant's variant or location is refused at its place",
        arguments: TestEngine.allCases)
    func foreignVariants(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let foreign = try await shop.variant("B", scope: Shop.stranger).id
            let own = try await shop.variant("B").id
            let order = try await place(shop)
            func addition(_ variant: VariantID, more: String = "") -> String {
                """
                {"note":"one more","add_lines":[{"sku":"A","quantity":1,"unit_price":1},
                    {"variant_id":"\(variant)","sku":"B","quantity":1,"unit_price":1\(more)}]}
                """
            }
            await #expect(throws: Refusal.notFound("variant", at: ["/add_lines/1/variant_id"])) {
                _ = try await edit(shop, order, addition(foreign))
            }
            let elsewhere = try await shop.location("Theirs", scope: Shop.stranger).id
            await #expect(throws: Refusal.notFound("location", at: ["/add_lines/1/location_id"])) {
                _ = try await edit(shop, order, addition(own, more: #","location_id":"\#(elsewhere)""#))
            }
            let story = try await shop.orders.require(order.id, scope: Shop.scope, withSource: false)
            #expect(story.order == order && story.notes.isEmpty)
            let edited = try await edit(shop, order, addition(own))
            #expect(edited.lines.map(\.variant) == [nil, nil, own] && edited.lines[2].match == .item)
        }
    }

    @Test("The lines of a store's order are the store's; its tags are not", arguments: TestEngine.allCases)
    func importedEdits(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("a", at: 1)])
            let order = try await shop.order("a")
            let refusal = await #expect(throws: Refusal.self) {
                _ = try await edit(shop, order, #"{"lines":[{"line_id":"1","quantity":2}]}"#)
            }
            #expect(refusal?.kind == .conflict)
            _ = try await edit(shop, order, #"{"tags":["vip"]}"#)
            try await shop.take([snapshot("a", at: 2, status: .completed)])
            #expect(try await shop.order("a").tags == ["vip"])
        }
    }

    @Test(
        "Bad edits are refused with the field's name",
        arguments: [
            (#"{"lines":[{"line_id":"1","quantity":-1}]}"#, "/lines/0/quantity"),
            (#"{"lines":[{"line_id":"1","quantity":0.5}]}"#, "/lines/0/quantity"),
            (#"{"lines":[{"line_id":"1"}]}"#, "/lines/0/quantity"), (#"{"tags":["a\nb"]}"#, "/tags/0"),
            (#"{"tags":[""]}"#, "/tags/0"), (#"{"tags":[1]}"#, "/tags/0"), (#"{"tags":"a"}"#, "/tags"),
            (#"{"note":""}"#, "/note"), (#"{"status":"cancelled"}"#, "/status"),
            (#"{"add_lines":[{"custom":true,"quantity":1,"unit_price":1}]}"#, "/add_lines/0/title"),
            (
                #"{"add_lines":[{"custom":true,"title":"t","sku":"A","quantity":1,"unit_price":1}]}"#,
                "/add_lines/0/custom"
            ),
            (#"{"add_lines":[{"sku":"A","quantity":1,"unit_price":1,"discount":2}]}"#, "/add_lines/0/discount"),
            (#"{"add_lines":[{"sku":"A","quantity":1,"unit_price":1,"tax":-1}]}"#, "/add_lines/0/tax"),
        ])
    func badEdits(_ row: (body: String, pointer: String)) throws {
        let invalid = #expect(throws: InvalidDocument.self) {
            _ = try request(row.body) { OrderEdit($0, in: .usd) }
        }
        #expect(invalid?.faults.map(\.pointer) == [row.pointer])
    }

    // MARK: What a caller may tell when placing

    @Test("A caller's order has shipping, tax, discounts, two moneys and a guest", arguments: TestEngine.allCases)
    func placing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let order = try await place(
                shop, items: #"{"sku":"A","quantity":3,"unit_price":10,"discount":2.5,"tax":1.1}"#,
                more: """
                    "external_id":"web-7","number":"#7","shipping_total":4.9,"total":33,
                    "presentment":{"currency":"JPY","total":5000,"tax_total":165},
                    "customer":{"name":"Bea","email":"Bea@Example.test"},"tags":["new"],"note":"ring twice",
                    """)
            #expect(order.subtotal == usd(2750) && order.discount == usd(250) && order.tax == usd(110))
            #expect(order.total == usd(3300) && order.totalDifference == usd(-50))
            #expect(order.presentment?.total.decimalText == "5000" && order.externalID == "web-7")
            #expect(order.customer.externalID == nil && order.number == "#7")
            let story = try await shop.orders.require(order.id, scope: Shop.scope, withSource: false)
            #expect(story.order == order && story.notes.map(\.text) == ["ring twice"])
            func find(_ narrow: (inout OrderQuery) -> Void) async throws -> [OrderID] {
                var query = OrderQuery(limit: 10)
                narrow(&query)
                return try await shop.orders.list(query, scope: Shop.scope).map(\.id)
            }
            try await shop.take([snapshot("other", at: 1)])
            for text in ["web-7", "#7", "bea@example.TEST"] {
                #expect(try await find { $0.search = text } == [order.id], "\(text)")
            }
            #expect(try await find { $0.search = "bea@example" }.isEmpty)
            #expect(try await find { $0.tag = "new" } == [order.id])
            #expect(try await find { $0.externalID = "web-7" } == [order.id])
            #expect(try await find { $0.match = Order.MatchStatus.none }.count == 2)
            let buyer = try #require(try await shop.order("other").customerID)
            #expect(try await find { $0.customer = buyer } != [order.id])
            let second = try await place(
                shop, items: #"{"sku":"A","quantity":1,"unit_price":1}"#,
                more: #""customer_id":"\#(buyer)","#, key: "k2")
            #expect(second.customerID == buyer)
            #expect(try await find { $0.customer = buyer }.count == 2)
            await #expect(throws: Refusal.notFound("customer", at: ["/customer_id"])) {
                _ = try await place(shop, more: #""customer_id":"\#(order.id)","#, key: "k3")
            }
            var query = OrderQuery(limit: 10)
            query.search = "web-7"
            #expect(try await shop.orders.list(query, scope: Shop.sister).isEmpty)
        }
    }
}
