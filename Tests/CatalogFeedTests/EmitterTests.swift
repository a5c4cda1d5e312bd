import Commerce
import Events
import Kernel
import Testing

@testable import CatalogFeed

@Suite("The three forms of a product")
struct EmitterTests {
    private func item(_ entry: CatalogueEntry) throws -> FeedItem {
        try #require(FeedProjection(SampleCatalogue.seller).project(entry).item)
    }

    private func jsonld(_ entry: CatalogueEntry) throws -> JSONValue {
        var bytes: [UInt8] = []
        #expect(try SchemaOrgEmitter.write(item(entry), SampleCatalogue.scope, into: &bytes) > 0)
        return try JSONValue(parsing: Array(bytes.dropFirst(2)))
    }

    private func ucp(_ entry: CatalogueEntry) throws -> JSONValue {
        var bytes: [UInt8] = []
        #expect(try UCPEmitter.write(item(entry), SampleCatalogue.seller, into: &bytes) > 0)
        return try JSONValue(parsing: Array(bytes.dropLast()))
    }

    private func rows(_ entry: CatalogueEntry) throws -> [JSONValue] {
        var bytes: [UInt8] = []
        let count = try OpenAIEmitter.write(item(entry), SampleCatalogue.seller, into: &bytes)
        let rows = try bytes.split(separator: 0x0A).map { try JSONValue(parsing: Array($0)) }
        #expect(rows.count == count)
        return rows
    }

    struct PriceCase: Sendable {
        let currency: String
        let minor: Int64
        let text: String
    }

    @Test(
        "Prices have their currency's own decimals in each form",
        arguments: [
            PriceCase(currency: "USD", minor: 14999, text: "149.99"),
            PriceCase(currency: "USD", minor: 5, text: "0.05"),
            PriceCase(currency: "JPY", minor: 1980, text: "1980"),
            PriceCase(currency: "KWD", minor: 1234, text: "1.234"),
            PriceCase(currency: "KWD", minor: 9_007_199_254_740_993, text: "9007199254740.993"),
        ])
    func prices(_ one: PriceCase) throws {
        var entry = SampleCatalogue.mug()
        entry.variants[0].price = Money(minorUnits: one.minor, currency: try #require(Currency(code: one.currency)))
        let offer = try #require(try jsonld(entry)["offers"])
        #expect(offer["price"] == .string(one.text) && offer["priceCurrency"] == .string(one.currency))
        let price = try ucp(entry)["variants"]?.array?.first?["price"]
        #expect(price?["amount"] == .number(String(one.minor)) && price?["currency"] == .string(one.currency))
        #expect(try rows(entry).first?["price"] == .string("\(one.text) \(one.currency)"))
    }

    @Test("One variant makes a plain Product")
    func single() throws {
        let product = try jsonld(SampleCatalogue.mug())
        #expect(product["@type"] == .string("Product") && product["sku"] == .string("MUG-1"))
        #expect(product["hasVariant"] == nil && product["productGroupID"] == nil)
        #expect(try rows(SampleCatalogue.mug()).first?["group_id"] == nil)
    }

    @Test("Several make a group that says how they differ")
    func group() throws {
        let entry = SampleCatalogue.shirt(["S", "M"])
        let group = try jsonld(entry)
        #expect(group["@type"] == .string("ProductGroup"))
        #expect(group["productGroupID"] == .string(entry.id.description))
        #expect(group["variesBy"] == .array([.string("https://schema.org/size")]))
        let variants = try #require(group["hasVariant"]?.array)
        #expect(variants.map { $0["size"] } == [.string("S"), .string("M")])
        #expect(variants.map { $0["name"]?.string } == ["Shirt \u{2013} S", "Shirt \u{2013} M"])
        let row = try #require(try rows(entry).last)
        #expect(row["group_id"] == group["productGroupID"] && row["listing_has_variations"] == .bool(true))
        #expect(row["variant_dict"]?["size"] == .string("M"))
    }

    @Test("A price of zero stands in the agents' form alone")
    func free() throws {
        var entry = SampleCatalogue.mug()
        entry.variants[0].price = SampleCatalogue.usd(0)
        var bytes: [UInt8] = []
        #expect(try SchemaOrgEmitter.write(item(entry), SampleCatalogue.scope, into: &bytes) == 0 && bytes.isEmpty)
        #expect(try rows(entry).isEmpty)
        #expect(try ucp(entry)["price_range"]?["min"]?["amount"] == .number("0"))
    }

    @Test("A list price is told in each form")
    func listPrice() throws {
        var entry = SampleCatalogue.mug()
        entry.variants[0].compareAt = SampleCatalogue.usd(1299)
        let offer = try jsonld(entry)["offers"]
        #expect(offer?["price"] == .string("9.99"))
        #expect(offer?["priceSpecification"]?["price"] == .string("12.99"))
        #expect(try ucp(entry)["variants"]?.array?.first?["list_price"]?["amount"] == .number("1299"))
        let row = try rows(entry).first
        #expect(row?["price"] == .string("12.99 USD") && row?["sale_price"] == .string("9.99 USD"))
    }

    @Test("Rows that miss what is required are not written")
    func incompleteRows() throws {
        var entry = SampleCatalogue.shirt(["S", "M"])
        entry.images = []
        entry.variants[1].image = "https://shop.example/m.jpg"
        #expect(try rows(entry).map { $0["variant_dict"]?["size"] } == [.string("M")])
        entry.brand = nil
        #expect(try rows(entry).isEmpty)
    }

    @Test("The same product gives the same bytes each time")
    func deterministic() throws {
        let renderer = ProductRenderer(scope: SampleCatalogue.scope, settings: SampleCatalogue.seller)
        for entry in try SampleCatalogue.allRecorded() { #expect(renderer.render(entry) == renderer.render(entry)) }
    }
}
