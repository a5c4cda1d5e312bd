import Commerce
import Kernel
import Testing

@testable import CatalogFeed

@Suite("What agents ask of the catalogue")
struct CatalogRequestTests {
    private func body(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test("Known members are read, unknown ones passed over, a large page is lowered")
    func search() throws {
        let request = try CatalogRequest.Search(
            body(
                """
                {"query":"mug","context":{"currency":"USD","address_country":"US"},"signals":{},"new":1,
                 "filters":{"categories":["Mugs"],"price":{"min":1,"max":500}},"pagination":{"limit":900,"cursor":"c"}}
                """))
        #expect(request.query == "mug" && request.categories == ["Mugs"] && request.currency == "USD")
        #expect(request.least == 1 && request.most == 500 && request.limit == 50 && request.cursor == "c")
        #expect(try CatalogRequest.Search(body("{}")).limit == 10)
    }

    @Test(
        "Wrong types are named",
        arguments: [
            #"{"query":7}"#, #"{"filters":[]}"#, #"{"filters":{"price":{"min":"1"}}}"#, #"{"pagination":{"limit":0}}"#,
            #"{"filters":{"categories":[1]}}"#, "[]",
        ])
    func faults(_ text: String) throws {
        let value = try body(text)
        #expect(throws: InvalidDocument.self) { try CatalogRequest.Search(value) }
    }

    @Test("A lookup wants ids, each once")
    func lookup() throws {
        #expect(try CatalogRequest.Lookup(body(#"{"ids":["a","b","a"]}"#)).ids == ["a", "b"])
        let none = try body(#"{"ids":[]}"#)
        #expect(throws: InvalidDocument.self) { try CatalogRequest.Lookup(none) }
    }

    /// Shirts in black and white, S and M; white M is sold out, and there is no white S.
    private func shirts() throws -> FeedItem {
        var entry = SampleCatalogue.shirt(["S", "M", "M"])
        entry.options = ["Color", "Size"]
        for (index, color) in ["Black", "White", "Black"].enumerated() {
            entry.variants[index].choices.insert(.init("Color", color), at: 0)
        }
        entry.variants[1].stock = .counted(available: 0, mayBackorder: false)
        return try #require(FeedProjection(SampleCatalogue.seller).project(entry).item)
    }

    @Test("A selection leaves the variants that match it, one that can be bought first")
    func narrowing() throws {
        let item = try shirts()
        let narrowing = OptionNarrowing(item, selected: [.init("Size", "M")], preferences: [])
        #expect(narrowing.variants.map(\.label) == ["Black / M", "White / M"])
        #expect(narrowing.selected == [.init("Size", "M")])
        #expect(narrowing.signal("Color", "White") == (true, false))
        #expect(narrowing.signal("Size", "S") == (true, true))
    }

    @Test("What no variant has is given up, the least wanted first")
    func relaxing() throws {
        let item = try shirts()
        let asked: [CatalogueEntry.Choice] = [.init("Color", "White"), .init("Size", "S")]
        let byColor = OptionNarrowing(item, selected: asked, preferences: ["Color", "Size"])
        #expect(byColor.selected == [.init("Color", "White")] && byColor.variants.map(\.label) == ["White / M"])
        let bySize = OptionNarrowing(item, selected: asked, preferences: ["Size", "Color"])
        #expect(bySize.selected == [.init("Size", "S")])
        let unknown = OptionNarrowing(item, selected: [.init("Fit", "slim")], preferences: [])
        #expect(unknown.variants.count == 3 && unknown.selected == item.variants[0].choices)
    }
}
