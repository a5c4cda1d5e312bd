import Kernel
import Testing

@testable import Commerce

@Suite("Bodies of orders, products and variants")
struct RequestTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let body: String
        let faults: [String]

        init(_ body: String, _ faults: String...) {
            self.body = body
            self.faults = faults
        }

        var testDescription: String { body }
    }

    private static let item = #""items":[{"sku":"A","quantity":1,"unit_price":1}]"#

    static let orders = [
        Bad("{}", "/currency: is required", "/idempotency_key: is required", "/items: must have at least one item"),
        Bad(#"{"idempotency_key":"k","currency":null,\#(item)}"#, "/currency: is required"),
        Bad(
            #"{"idempotency_key":"k","currency":"XXX",\#(item)}"#,
            "/currency: \"XXX\" is not a currency code of ISO 4217"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"quantity":1,"unit_price":1}]}"#,
            "/items/0/sku: is required where no variant_id is given"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"sku":null,"quantity":1,"unit_price":1}]}"#,
            "/items/0/sku: is required where no variant_id is given"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"variant_id":null,"quantity":1,"unit_price":1}]}"#,
            "/items/0/sku: is required where no variant_id is given"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"sku":"A","quantity":null,"unit_price":null}]}"#,
            "/items/0/quantity: is required", "/items/0/unit_price: is required"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"sku":"A","quantity":1.5,"unit_price":74.999}]}"#,
            "/items/0/quantity: must be a whole number from 1 to 1000000000",
            "/items/0/unit_price: 74.999 has more than the 2 decimals that USD has"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","items":[{"sku":"A","quantity":0,"unit_price":-1}]}"#,
            "/items/0/quantity: must be a whole number from 1 to 1000000000",
            "/items/0/unit_price: must not be below zero"),
        Bad(
            """
            {"idempotency_key":"k","currency":"USD","items":[{"sku":"A","quantity":1,"unit_price":1},
                {"sku":"B","quantity":1000000000,"unit_price":40000000000000000}]}
            """,
            "/items/1: makes the order's total larger than can be held"),
        Bad(
            #"{"idempotency_key":"k","currency":"USD","colour":1,\#(item)}"#, "/colour: is not a field of this document"
        ),
    ]

    @Test("An order's body is refused with each fault at its place", arguments: orders)
    func order(_ bad: Bad) throws {
        try expect(bad) { NewOrder($0) }
    }

    static let products = [
        Bad("{}", "/title: is required"),
        Bad(#"{"title":"T","status":"discontinued"}"#, "/status: a new product can't be discontinued"),
        Bad(
            #"{"title":"T","variants":[{"sku":"A"},{"sku":" A "}]}"#,
            #"/variants/1/sku: "A" stands twice in this product"#),
        Bad(#"{"title":"T","variants":[{"sku":"  "}]}"#, "/variants/0/sku: must not be blank"),
        Bad(#"{"title":"T","variants":[{"price":1}]}"#, "/variants/0/currency: is required beside a price"),
        Bad(
            #"{"title":"T","variants":[{"price":1,"currency":null}]}"#,
            "/variants/0/currency: is required beside a price"),
        Bad(
            #"{"title":"T","variants":[{"price":1.5,"currency":"JPY"},{"price":-1,"currency":"USD"}]}"#,
            "/variants/0/price: 1.5 has more than the 0 decimals that JPY has",
            "/variants/1/price: must not be below zero"),
    ]

    @Test("A product's body is refused with each fault at its place", arguments: products)
    func product(_ bad: Bad) throws {
        try expect(bad) { NewProduct($0) }
    }

    static let changes = [
        Bad(#"{"currency":"USD"}"#, "/price: is required beside a currency"),
        Bad(#"{"price":true}"#, "/price: must be a number"),
        Bad(#"{"sku":""}"#, "/sku: must not be blank"),
        Bad(#"{"gtin":"4006381333932"}"#, "/gtin: must be 8, 12, 13 or 14 digits of which the last is the check digit"),
        Bad(#"{"weight_grams":-1}"#, "/weight_grams: must be a whole number from 0 to 1000000000"),
        Bad(#"{"cost_currency":"USD"}"#, "/cost_price: is required beside a currency"),
        Bad(#"{"image_url":"javascript:x"}"#, "/image_url: must be an address that begins with https:// or http://"),
        Bad(#"{"options":["M"]}"#, "/options: must be an object of option names and values"),
        Bad(#"{"options":{"Size":5}}"#, "/options/Size: must be a text of 1 to 200 characters"),
        Bad(#"{"colour":"red"}"#, "/colour: is not a field of this document"),
    ]

    @Test("A variant's change is refused with each fault at its place", arguments: changes)
    func change(_ bad: Bad) throws {
        try expect(bad) { VariantChange($0) }
    }

    @Test("A product's title can be left out of a change but not be emptied")
    func title() throws {
        #expect(try request(#"{"category":"c"}"#) { ProductChange($0) }.title == .keep)
        for body in [#"{"title":""}"#, #"{"title":null}"#] {
            try expect(Bad(body, "/title: is required")) { ProductChange($0) }
        }
    }

    private func expect<T>(_ bad: Bad, _ read: (FieldReader) -> T) throws {
        let error = #expect(throws: InvalidDocument.self) { _ = try request(bad.body, read) }
        #expect(error?.faults.map { "\($0.pointer): \($0.detail)" }.sorted() == bad.faults.sorted())
    }
}
