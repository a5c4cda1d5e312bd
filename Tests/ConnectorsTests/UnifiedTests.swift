import HTTPTypes
import Kernel
import Testing

@testable import Connectors

@Suite struct UnifiedTests {
    @Test(
        "The envelope is read without its data",
        arguments: [
            (#"{"connection_id":"c","event":"e","data":{"a":1}}"#, #"{"a":1}"#),
            (#" { "data" : [ 1 ] , "event":"e","connection_id" : "c" } "#, "[ 1 ]"),
            (#"{"connection_id":"c","event":"e","data":null,"more":[{}]}"#, "null"),
            (#"{"connection_id":"\u0063","event":"e"}"#, nil),
        ])
    func envelope(text: String, data: String?) throws {
        let body = Array(text.utf8)
        let envelope = try UnifiedEnvelope.scan(body)
        #expect(envelope.connectionID == "c")
        #expect(envelope.event == "e")
        #expect(envelope.data.map { String(decoding: body[$0], as: UTF8.self) } == data)
    }

    @Test(
        "What is no envelope is refused with the reason",
        arguments: [
            ("", "The body can't be read as JSON: the body is empty."),
            ("webhook_id=1", "The body can't be read as JSON: unexpected \"w\" at byte 0."),
            ("[]", "The body can't be read as JSON: the body is not a JSON object."),
            (#"{"event":"e"}"#, #"The body has no "connection_id", or it is not a text."#),
            (#"{"event":"e","connection_id":7}"#, #"The body has no "connection_id", or it is not a text."#),
            (#"{"event":"e","connection_id":" "}"#, #"The body has no "connection_id", or it is not a text."#),
            (#"{"connection_id":"c"}"#, #"The body has no "event", or it is not a text."#),
            (#"{"connection_id":"c","event":null}"#, #"The body has no "event", or it is not a text."#),
            (
                #"{"connection_id":"c","event":"e","connection_id":"d"}"#,
                #"The body can't be read as JSON: the name "connection_id" stands twice in one object, at byte 33."#
            ),
        ])
    func refusals(text: String, reason: String) throws {
        let request = try signed(Array(text.utf8), for: UnifiedConnector())
        let refusal = #expect(throws: ArrivalRefusal.self) { try UnifiedConnector().arrival(request) }
        #expect(refusal?.description == reason)
    }

    @Test("A name of an event that is absurdly long is cut, not refused")
    func longEvent() throws {
        let name = String(repeating: "é", count: 4000)
        let body = Array(#"{"connection_id":"c","event":"\#(name)"}"#.utf8)
        let arrival = try UnifiedConnector().arrival(signed(body, for: UnifiedConnector()))
        #expect(arrival.event == String(repeating: "é", count: 255))
        #expect(arrival.disposition == .ignored(reason: "no workflow handles this event"))
    }

    @Test("What can't become an order is parked with what is wrong and where", arguments: faults)
    func parked(data: String, reason: String) throws {
        let body = Array(#"{"connection_id":"c","event":"order.created","data":\#(data)}"#.utf8)
        let error = #expect(throws: Untranslatable.self) {
            try UnifiedConnector().order(from: body, event: "order.created")
        }
        #expect(error?.description == reason)
    }

    static let faults: [(String, String)] =
        [
            ("null", "data: is missing"),
            ("7", "data: must be an object, not a number"),
            ("[]", "data: must be one order, not 0"),
            ("[{},{}]", "data: must be one order, not 2"),
            ("[7]", "data/0: must be an object, not a number"),
            (#"{"line_items":[]}"#, "data/id: is missing"),
            (#"[{"line_items":[]}]"#, "data/0/id: is missing"),
            (#"{"id":"","line_items":[]}"#, "data/id: is missing"),
            (#"{"id":1.0,"line_items":[]}"#, "data/id: must be a text or a plain whole number, not 1.0"),
            (#"{"id":1e400,"line_items":[]}"#, "data/id: must be a text or a plain whole number, not 1e400"),
            (#"{"id":{},"line_items":[]}"#, "data/id: must be a text or a number, not an object"),
            (#"{"id":"1"}"#, "data/line_items: is missing"),
            (#"{"id":"1","line_items":{}}"#, "data/line_items: must be an array, not an object"),
            (#"{"id":"1","lineitems":[7]}"#, "data/lineitems/0: must be an object, not a number"),
            (
                #"{"id":"1","currency":"XBT","line_items":[]}"#,
                #"data/currency: "XBT" is not a currency code of ISO 4217"#
            ),
            (#"{"id":"1","currency":840,"line_items":[]}"#, "data/currency: must be a text, not a number"),
            (
                #"{"id":"1","updated_at":"yesterday","line_items":[]}"#,
                #"data/updated_at: "yesterday" is not a time of RFC 3339"#
            ),
            (#"{"id":"1","updated_at":17,"line_items":[]}"#, "data/updated_at: must be a time as text, not a number"),
            (#"{"id":"1","total":"12,50","line_items":[]}"#, #"data/total: "12,50" is not a decimal number"#),
            (#"{"id":"1","shipping":[],"line_items":[]}"#, "data/shipping: must be an amount, not an array"),
            (#"{"id":"1","refunds":[{"id":"r"}],"line_items":[]}"#, "data/refunds/0/amount: is missing"),
            (
                #"{"id":"1","refunds":[{"id":"r","amount":1},{"id":"r","amount":1}],"line_items":[]}"#,
                #"data/refunds: two refunds have the id "r""#
            ),
            (#"{"id":"1","id":"2","line_items":[]}"#, #"body: the name "id" stands twice in one object, at byte 71"#),
            ("\"\u{1}\"", "body: unescaped control character in a text at byte 53"),
            (
                String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
                "body: nested deeper than 64 levels at byte 115"
            ),
        ] + lineFaults

    /// One line that is wrong, behind two that are right.
    static let lineFaults: [(String, String)] = [
        (#"{"unit_amount":1}"#, "quantity: is missing"),
        (#"{"quantity":null,"unit_amount":1}"#, "quantity: is missing"),
        (#"{"quantity":1.5,"unit_amount":1}"#, "quantity: must be a whole number above zero, not 1.5"),
        (#"{"quantity":0,"unit_amount":1}"#, "quantity: must be a whole number above zero, not 0"),
        (#"{"quantity":-2,"unit_amount":1}"#, "quantity: must be a whole number above zero, not -2"),
        (#"{"quantity":"two","unit_amount":1}"#, "quantity: must be a whole number above zero, not two"),
        (#"{"quantity":[1],"unit_amount":1}"#, "quantity: must be a whole number above zero, not an array"),
        (#"{"quantity":1e400,"unit_amount":1}"#, "quantity: 1e400 is more than 1000000000"),
        (#"{"quantity":-1e400,"unit_amount":1}"#, "quantity: must be a whole number above zero, not -1e400"),
        (#"{"unit_quantity":0.5,"unit_amount":1}"#, "unit_quantity: must be a whole number above zero, not 0.5"),
        (#"{"quantity":1}"#, "unit_amount: is missing"),
        (#"{"quantity":1,"unit_amount":74.999}"#, "unit_amount: 74.999 has more than the 2 decimals that USD has"),
        (#"{"quantity":1,"unit_amount":1e400}"#, "unit_amount: 1e400 is out of range"),
        (#"{"quantity":1,"unit_amount":true}"#, "unit_amount: must be an amount, not a boolean"),
        (
            #"{"quantity":1000000000,"unit_amount":1000000000}"#,
            "unit_amount: times the quantity is more than can be held"
        ),
        (#"{"quantity":1,"unit_amount":1,"sku":["a"]}"#, "sku: must be a text or a number, not an array"),
        (#"{"quantity":1,"unit_amount":1,"name":7}"#, "name: must be a text, not a number"),
        (
            #"{"quantity":1,"unit_amount":1,"sku":"\#(String(repeating: "s", count: 256))"}"#,
            "sku: is longer than 255 characters"
        ),
        (
            #"{"quantity":1,"unit_amount":1,"name":"\#(String(repeating: "n", count: 4097))"}"#,
            "name: is longer than 4096 characters"
        ),
    ].map { line, reason in
        let good = #"{"sku":"A","quantity":1,"unit_amount":1}"#
        return (#"{"id":"1","line_items":[\#(good),\#(good),\#(line)]}"#, "data/line_items/2/\(reason)")
    }

    @Test(
        "Refunds are told as a list, as amounts on lines or not at all; a list that holds some comes before the lines",
        arguments: [
            ("", "", [], false), (#","refund_amount":0"#, "", [], true),
            (#","refund_amount":5"#, "", ["line:7 500"], true),
            ("", #","refunds":[]"#, [], true), (#","refund_amount":5"#, #","refunds":[]"#, ["line:7 500"], true),
            (#","refund_amount":5"#, #","refunds":[{"id":"r","amount":-5}]"#, ["r 500"], true),
            ("", #","refunds":[{"amount":5},{"amount":0},{"amount":1}]"#, ["#1 500", "#3 100"], true),
        ] as [(String, String, [String], Bool)])
    func refunds(line: String, list: String, refunds: [String], tells: Bool) throws {
        let item = #"{"id":7,"sku":"A","quantity":1,"unit_amount":9\#(line)}"#
        let body = Array(#"{"data":{"id":"1","line_items":[\#(item)]\#(list)}}"#.utf8)
        let order = try UnifiedConnector().order(from: body, event: "order.updated")
        #expect(order.refunds.map { "\($0.externalID) \($0.amount.minorUnits)" } == refunds)
        #expect(order.tellsRefunds == tells)
    }

    @Test("Amounts that only together are too large are parked")
    func overflow() throws {
        let line = #"{"quantity":1,"unit_amount":40000000000000000}"#
        let body = Array(#"{"data":{"id":"1","line_items":[\#(line),\#(line),\#(line)]}}"#.utf8)
        #expect(throws: Untranslatable(path: "data/total", detail: "the amounts add up to more than can be held")) {
            try UnifiedConnector().order(from: body, event: "order.created")
        }
    }

    @Test("Ten thousand lines are an order, one more is not")
    func lineLimit() throws {
        func body(_ count: Int) -> [UInt8] {
            let line = #"{"sku":"A","quantity":1,"unit_amount":1}"#
            let lines = Array(repeating: line, count: count).joined(separator: ",")
            return Array(#"{"data":{"id":"1","line_items":[\#(lines)]}}"#.utf8)
        }
        let order = try UnifiedConnector().order(from: body(Limits.orderLines), event: "order.created")
        #expect(order.lines.count == Limits.orderLines)
        #expect(order.lines.last?.key == "#10000")
        #expect(order.total?.minorUnits == 1_000_000)
        #expect(throws: Untranslatable(path: "data/line_items", detail: "has more than 10000 elements")) {
            try UnifiedConnector().order(from: body(Limits.orderLines + 1), event: "order.created")
        }
    }

    @Test("Malformed UTF-8 is parked")
    func badUTF8() throws {
        let body = Array(#"{"data":{"id":""#.utf8) + [0xE9] + Array(#"","line_items":[]}}"#.utf8)
        #expect(throws: Untranslatable(path: "body", detail: "the text is not UTF-8 at byte 15")) {
            try UnifiedConnector().order(from: body, event: "order.created")
        }
    }

    @Test(
        "Statuses are translated where they are known and kept where not",
        arguments: [
            ("DRAFT", .draft), ("OPEN", .pendingPayment), ("SUBMITTED", .pendingPayment),
            ("PARTIALLY_PAID", .pendingPayment), ("AUTHORIZED", .paymentAuthorized), ("PAID", .confirmed),
            ("COMPLETED", .completed), ("VOIDED", .cancelled), ("DELETED", .cancelled), ("CANCELED", .cancelled),
            ("cancelled", .cancelled), ("REFUNDED", .refunded), ("PARTIALLY_REFUNDED", .partiallyRefunded),
            ("fulfilled", .fulfilled), ("awaiting_pickup", nil),
        ] as [(String, OrderStatus?)])
    func statuses(text: String, status: OrderStatus?) throws {
        let body = Array(#"{"data":{"id":"1","status":"\#(text)","line_items":[]}}"#.utf8)
        let order = try UnifiedConnector().order(from: body, event: "order.updated")
        #expect(order.sourceStatus == text)
        #expect(order.status == status)
    }
}
