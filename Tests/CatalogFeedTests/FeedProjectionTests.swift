import Commerce
import Events
import Kernel
import Testing

@testable import CatalogFeed

@Suite("What feeds show of a product")
struct FeedProjectionTests {
    private func project(
        _ entry: CatalogueEntry, _ settings: FeedSettings = SampleCatalogue.seller
    ) -> (item: FeedItem?, notes: [FeedNote]) { FeedProjection(settings).project(entry) }

    private func reasons(_ entry: CatalogueEntry, _ settings: FeedSettings = SampleCatalogue.seller) -> [String] {
        project(entry, settings).notes.map { "\($0.reason.rawValue) \($0.effect.rawValue)" }
    }

    @Test("A complete product has nothing in the report")
    func complete() throws {
        let (item, notes) = project(SampleCatalogue.mug())
        #expect(notes == [])
        let shown = try #require(item)
        #expect(shown.url == "https://shop.example/p/mug" && !shown.isGroup)
        #expect(shown.variants[0].name == "Mug" && shown.variants[0].availability == .inStock)
    }

    @Test("A product without a price is left out, with the reason")
    func noPrice() {
        var entry = SampleCatalogue.mug()
        entry.variants[0].price = nil
        #expect(project(entry).item == nil)
        #expect(reasons(entry) == ["no_price left_out", "no_price left_out"])
        entry.variants = []
        #expect(project(entry).item == nil)
        #expect(reasons(entry) == ["no_variant left_out"])
    }

    @Test("A variant without a price is left out, the others stay")
    func variantWithoutPrice() throws {
        var entry = SampleCatalogue.shirt(["S", "M", "L"])
        entry.variants[1].price = nil
        let (item, notes) = project(entry)
        #expect(item?.variants.map(\.label) == ["S", "L"])
        #expect(notes.map(\.variant) == [entry.variants[1].id])
        #expect(item?.options.first?.values == ["S", "L"])
    }

    @Test("One product has one currency; variants in another are left out")
    func currencies() throws {
        var entry = SampleCatalogue.shirt(["S", "M"])
        entry.variants[1].price = Money(minorUnits: 5, currency: try #require(Currency(code: "JPY")))
        #expect(project(entry).item?.variants.count == 1)
        #expect(reasons(entry) == ["other_currency left_out"])
    }

    @Test("A price of zero is for agents only")
    func free() throws {
        var entry = SampleCatalogue.mug()
        entry.variants[0].price = SampleCatalogue.usd(0)
        let note = try #require(project(entry).notes.first)
        #expect(note.reason == .zeroPrice && note.formats == [.jsonld, .openai])
    }

    @Test("A wrong trade item number goes, and the second of two equal ones")
    func gtin() throws {
        var entry = SampleCatalogue.shirt(["S", "M", "L"])
        entry.variants[0].gtin = "4006381333931"
        entry.variants[1].gtin = "4006381333931"
        entry.variants[2].gtin = "4006381333932"
        #expect(project(entry).item?.variants.map(\.gtin) == ["4006381333931", nil, nil])
        #expect(reasons(entry) == ["duplicate_gtin field_left_out", "invalid_gtin field_left_out"])
    }

    @Test("Long texts are cut between characters, and told of")
    func long() throws {
        var entry = SampleCatalogue.mug()
        entry.title = String(repeating: "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} ", count: 60)
        entry.description = String(repeating: "long ", count: 2000)
        entry.brand = String(repeating: "B", count: 71)
        let item = try #require(project(entry).item)
        #expect(
            item.title.unicodeScalars.count <= 150
                && item.title.hasSuffix("\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{2026}"))
        #expect(item.description.map { $0.unicodeScalars.count <= 5000 && $0.hasSuffix("long\u{2026}") } == true)
        #expect(item.brand?.count == 70)
        #expect(reasons(entry) == Array(repeating: "long_text shortened", count: 3))
    }

    @Test("A variant keeps what sets it apart when its product's name is long")
    func longVariantName() throws {
        var entry = SampleCatalogue.shirt(["Extra extra large", "S"])
        entry.title = String(repeating: "t", count: 149)
        let item = try #require(project(entry).item)
        #expect(item.variants[0].name.hasSuffix("\u{2026} \u{2013} Extra extra large"))
        #expect(item.variants[0].name.unicodeScalars.count == 150)
    }

    @Test("Pictures are absolute and https, each once")
    func images() throws {
        var entry = SampleCatalogue.mug()
        entry.images = [
            .init(url: "/relative.jpg"), .init(url: "https://shop.example/a b.jpg", text: "<b>A</b>"),
            .init(url: "https://shop.example/a%20b.jpg"), .init(url: "http://shop.example/c.jpg"),
            .init(url: "javascript:alert(1)"), .init(url: "https://user@shop.example/d.jpg"),
        ]
        let item = try #require(project(entry).item)
        #expect(item.images == [FeedItem.Image(url: "https://shop.example/a%20b.jpg", text: "A")])
        #expect(reasons(entry) == Array(repeating: "invalid_image field_left_out", count: 4))
    }

    @Test("What rows for OpenAI need and the product has not is told")
    func missing() {
        var entry = SampleCatalogue.mug()
        entry.brand = nil
        entry.handle = nil
        entry.images = []
        #expect(
            reasons(entry, FeedSettings(productURL: "https://a.example/{handle}")) == [
                "no_url left_out", "no_brand left_out", "no_seller left_out", "no_image warning", "no_image left_out",
            ])
    }

    @Test("Options that search engines know vary the group, others are properties")
    func options() throws {
        var entry = SampleCatalogue.shirt(["S", "M"])
        entry.options = ["Colour", "Engraving", "Size"]
        for index in entry.variants.indices {
            entry.variants[index].choices += [.init("Engraving", "none"), .init("Colour", "Black")]
        }
        let item = try #require(project(entry).item)
        #expect(item.options.map(\.name) == ["Colour", "Engraving", "Size"])
        #expect(item.options.map(\.axis) == [.color, nil, .size])
        #expect(item.variants[1].label == "Black / none / M")
    }

    @Test("Two variants with the same options are warned of")
    func sameOptions() {
        #expect(reasons(SampleCatalogue.shirt(["S", "S"])) == ["duplicate_options warning"])
    }

    struct StockCase: Sendable {
        let stock: CatalogueEntry.Stock
        let availability: FeedAvailability
    }

    @Test(
        "Availability follows the stock",
        arguments: [
            StockCase(stock: .uncounted, availability: .inStock),
            StockCase(stock: .counted(available: 1, mayBackorder: false), availability: .inStock),
            StockCase(stock: .counted(available: 0, mayBackorder: false), availability: .outOfStock),
            StockCase(stock: .counted(available: -2, mayBackorder: false), availability: .outOfStock),
            StockCase(stock: .counted(available: 0, mayBackorder: true), availability: .backorder),
        ])
    func availability(_ one: StockCase) throws {
        var entry = SampleCatalogue.mug()
        entry.variants[0].stock = one.stock
        #expect(try #require(project(entry).item).variants[0].availability == one.availability)
    }

    @Test("A list price counts only above the price")
    func listPrice() throws {
        var entry = SampleCatalogue.shirt(["S", "M"])
        entry.variants[0].compareAt = SampleCatalogue.usd(2500)
        entry.variants[1].compareAt = SampleCatalogue.usd(100)
        #expect(project(entry).item?.variants.map(\.listPrice) == [SampleCatalogue.usd(2500), nil])
    }

    @Test("A SKU with white space is not shown")
    func sku() {
        var entry = SampleCatalogue.mug()
        entry.variants[0].sku = "MUG 1"
        #expect(project(entry).item?.variants[0].sku == nil)
        #expect(reasons(entry) == ["invalid_sku field_left_out"])
    }

    @Test("Recorded products of a real store come through")
    func recorded() throws {
        let (mug, _) = project(try SampleCatalogue.recorded("simple", number: 1))
        #expect(mug?.description == "Stoneware & \"glazed\" mug")
        #expect(mug?.variants[0].gtin == "4006381333931")
        let tee = project(
            try SampleCatalogue.recorded("variable", number: 2, variations: "variable-variations")
        ).item
        #expect(tee?.variants.map(\.name).first == "Hub Tee \u{2013} White / L")
        #expect(tee?.options.map(\.axis) == [.color, .size])
    }
}
