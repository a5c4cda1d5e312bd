import Kernel
import Testing

@testable import CatalogFeed

@Suite("What a seller says of itself")
struct FeedSettingsTests {
    private func read(_ json: String) throws -> FeedSettings {
        try FieldReader.read(JSONValue(parsing: Array(json.utf8))) { FeedSettings($0) }
    }

    @Test("A country is one of ISO 3166-1, and none may be said", arguments: ["DE", "US", "JP", "GB"])
    func countries(_ code: String) throws {
        #expect(try read(#"{"country":"\#(code)"}"#).country == code)
        #expect(try read("{}").country == nil)
    }

    @Test(
        "What is no country, no https address and no template is refused with the field's name",
        arguments: [
            (#"{"country":"XX"}"#, "/country"), (#"{"country":"UK"}"#, "/country"), (#"{"country":"de"}"#, "/country"),
            (#"{"country":"DEU"}"#, "/country"), (#"{"country":""}"#, "/country"), (#"{"country":7}"#, "/country"),
            (#"{"seller_name":" "}"#, "/seller_name"), (#"{"seller_url":"http://a.example"}"#, "/seller_url"),
            (#"{"product_url":"https://a.example/p"}"#, "/product_url"), (#"{"currency":"EUR"}"#, "/currency"),
        ])
    func faults(_ row: (body: String, pointer: String)) throws {
        let invalid = #expect(throws: InvalidDocument.self) { _ = try read(row.body) }
        #expect(invalid?.faults.map(\.pointer) == [row.pointer])
    }
}
