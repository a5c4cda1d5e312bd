import HTTPTypes
import Kernel
import Testing

@testable import Connectors

@Suite struct WooCommerceTests {
    private let connector = WooCommerceConnector()

    private func arrival(_ body: String, topic: String?) throws -> Arrival {
        var headers = HTTPFields()
        headers[try #require(HTTPField.Name("X-WC-Webhook-Topic"))] = topic
        return try connector.arrival(signed(Array(body.utf8), for: connector, headers: headers))
    }

    @Test(
        "Drafts, trash and error objects are kept and ignored; unreadable bodies go on to be parked",
        arguments: [
            (#"{"id":1,"status":"checkout-draft"}"#, "a draft of a checkout is no order yet"),
            (#"{"id":1,"status":"auto-draft"}"#, "a draft of a checkout is no order yet"),
            (#"{"id":1,"status":"trash"}"#, "the order is in the store's trash"),
            (
                #"{"code":"rest_no_route","data":500}"#,
                "the order was gone before the store could send it: it sent the error rest_no_route"
            ),
            (#"{"id":1,"status":"made-by-a-plugin"}"#, nil),
            (#"{"id":1}"#, nil), ("{}", nil), ("", nil), ("<html>", nil), ("[]", nil),
        ] as [(String, String?)])
    func dispositions(body: String, reason: String?) throws {
        for topic in ["order.created", "order.updated"] {
            let arrival = try arrival(body, topic: topic)
            #expect(arrival.event == topic)
            #expect(arrival.disposition == (reason.map { .ignored(reason: $0) } ?? .importOrder))
        }
    }

    @Test(
        "Topics outside the store's own count as one, since the signature does not cover the header",
        arguments: [
            nil, "", "order.Created", "action.woocommerce_add_to_cart", "order.created ", "order.viewed",
        ] as [String?])
    func foreignTopics(topic: String?) throws {
        let arrival = try arrival(#"{"id":1,"status":"processing"}"#, topic: topic)
        // A header's value is trimmed before it gets here.
        let isTrimmed = topic == "order.created "
        #expect(arrival.event == (isTrimmed ? "order.created" : "other"))
        #expect(arrival.dedupeMaterial == arrival.event)
    }

    @Test(
        "Only an unsigned form with a number is a ping",
        arguments: [
            ("webhook_id=1", nil, true), ("webhook_id=12345678901234567890", nil, true), ("webhook_id=", nil, false),
            ("webhook_id=1&x=2", nil, false), ("webhook_id=1", "order.created", false), ("{}", nil, false),
            ("", nil, false),
            ("webhook_id=123456789012345678901", nil, false),
        ] as [(String, String?, Bool)])
    func pings(body: String, topic: String?, isPing: Bool) throws {
        var headers = HTTPFields()
        headers[try #require(HTTPField.Name("X-WC-Webhook-Topic"))] = topic
        #expect(connector.isGreeting(headers: headers, body: Array(body.utf8)) == isPing)
    }

    @Test("What can't become an order is parked with what is wrong and where", arguments: faults)
    func parked(members: String, reason: String) throws {
        let error = #expect(throws: Untranslatable.self) {
            try connector.order(from: Array("{\(members)}".utf8), event: "order.updated")
        }
        #expect(error?.description == reason)
    }

    static let faults: [(String, String)] =
        [
            ("", "id: is missing"),
            (#""id":0,"currency":"USD","line_items":[]"#, "id: must not be 0"),
            (
                #""code":"woocommerce_rest_invalid_id","data":{"status":404}"#,
                #"id: is missing; the store sent the error "woocommerce_rest_invalid_id" instead of an order"#
            ),
            (#""id":1,"line_items":[]"#, "currency: is missing"),
            (#""id":1,"currency":"BTC","line_items":[]"#, #"currency: "BTC" is not a currency code of ISO 4217"#),
            (#""id":1,"currency":"USD""#, "line_items: is missing"),
            (#""id":1,"currency":"USD","line_items":"none""#, "line_items: must be an array, not a text"),
            (
                #""id":1,"currency":"USD","line_items":[],"total":"1.999""#,
                "total: 1.999 has more than the 2 decimals that USD has"
            ),
            (
                #""id":1,"currency":"JPY","line_items":[],"total":"1980.50""#,
                "total: 1980.50 has more than the 0 decimals that JPY has"
            ),
            (#""id":1,"currency":"USD","line_items":[],"billing":"Ann""#, "billing: must be an object, not a text"),
            (
                #""id":1,"currency":"USD","line_items":[],"date_modified_gmt":"0000-00-00""#,
                #"date_modified_gmt: "0000-00-00" is not a time of RFC 3339"#
            ),
            (
                #""id":1,"currency":"USD","line_items":[],"refunds":[{"id":2,"total":""}]"#,
                "refunds/0/total: is missing"
            ),
            (#""id":1,"currency":"USD","line_items":[],"fee_lines":[{"total":"1"}]"#, "fee_lines/0/id: is missing"),
        ]
        + [
            (#"{"quantity":1,"total":"1"}"#, "/0/id: is missing"),
            (#"{"id":5,"quantity":0,"total":"1"}"#, "/0/quantity: must be a whole number above zero, not 0"),
            (#"{"id":5,"quantity":1.5,"total":"1"}"#, "/0/quantity: must be a whole number above zero, not 1.5"),
            (#"{"id":5,"quantity":1}"#, "/0/total: is missing"),
            (
                #"{"id":5,"quantity":1,"total":5.996666666666666}"#,
                "/0/total: 5.996666666666666 has more than the 2 decimals that USD has"
            ),
            (#"{"id":5,"quantity":1,"total":"1"},{"id":5,"quantity":1,"total":"1"}"#, #": two lines have the id "5""#),
        ].map { line, reason in (#""id":1,"currency":"USD","line_items":[\#(line)]"#, "line_items\(reason)") }

    @Test(
        "A unit price is exact where the total divides and else rounded half away from zero",
        arguments: [
            ("17.99", 3, 600), ("17.98", 2, 899), ("17.99", 2, 900), ("-17.99", 2, -900), ("0.01", 3, 0),
            ("0.02", 3, 1),
            ("-0.01", 3, 0), ("0.00", 7, 0), ("10", 1, 1000),
        ] as [(String, Int64, Int64)])
    func unitPrices(total: String, quantity: Int64, price: Int64) throws {
        let body = #"{"id":1,"currency":"USD","line_items":[{"id":5,"quantity":\#(quantity),"total":"\#(total)"}]}"#
        let order = try connector.order(from: Array(body.utf8), event: "order.updated")
        #expect(order.lines.first?.unitPrice.minorUnits == price)
    }

    @Test("The store's dirty line price is never looked at")
    func dirtyPrice() throws {
        let line = #"{"id":5,"quantity":3,"total":"17.99","price":"not even a number"}"#
        let body = #"{"id":1,"currency":"USD","line_items":[\#(line)],"billing":[],"meta_data":{"a":[{}]}}"#
        let order = try connector.order(from: Array(body.utf8), event: "order.updated")
        #expect(order.lines.first?.total.decimalText == "17.99")
        #expect(order.customer == OrderSnapshot.Customer())
    }

    @Test(
        "A list of refunds without any says that nothing was refunded; without a list nothing is said",
        arguments: [
            ("", false), (#","refunds":null"#, false), (#","refunds":[]"#, true),
            (#","refunds":[{"id":2,"total":"0.00"}]"#, true),
        ])
    func noRefunds(list: String, tells: Bool) throws {
        let body = #"{"id":1,"currency":"USD","line_items":[]\#(list)}"#
        let order = try connector.order(from: Array(body.utf8), event: "order.updated")
        #expect(order.refunds.isEmpty && order.tellsRefunds == tells)
    }

    @Test("A dollar order told without decimals is read as the text stands")
    func switchedDecimals() throws {
        let body = #"{"id":26,"currency":"USD","line_items":[],"total":"101","refunds":[{"id":27,"total":"-90"}]}"#
        let order = try connector.order(from: Array(body.utf8), event: "order.updated")
        #expect(order.total?.minorUnits == 10_100)
        #expect(order.refunds.first?.amount.minorUnits == 9000)
    }

    @Test(
        "Statuses are translated where they are known and kept where not",
        arguments: [
            ("pending", .pendingPayment), ("on-hold", .pendingPayment), ("processing", .processing),
            ("completed", .completed), ("cancelled", .cancelled), ("refunded", .refunded), ("failed", .failed),
            ("checkout-draft", .draft), ("wc-custom", nil),
        ] as [(String, OrderStatus?)])
    func statuses(text: String, status: OrderStatus?) throws {
        let body = #"{"id":1,"currency":"USD","status":"\#(text)","line_items":[]}"#
        let order = try connector.order(from: Array(body.utf8), event: "order.created")
        #expect(order.sourceStatus == text)
        #expect(order.status == status)
    }
}
