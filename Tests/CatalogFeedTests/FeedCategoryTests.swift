import Commerce
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import CatalogFeed

@Suite("Categories in the feed")
struct FeedCategoryTests {
    private func product(_ number: UInt64, _ title: String, _ category: String? = nil) -> CatalogueEntry {
        var entry = SampleCatalogue.mug(number)
        entry.title = title
        entry.category = category
        return entry
    }

    /// What a form shows as the category of each product, by their titles.
    private func categories(_ shop: FeedShop, _ format: FeedFormat) async throws -> [String: String] {
        let bytes = try await shop.bytes(format)
        var products: [JSONValue] = []
        if format == .jsonld {
            products = try JSONValue(parsing: bytes)["@graph"]?.array ?? []
        } else {
            products = try bytes.split(separator: 0x0A).map { try JSONValue(parsing: Array($0)) }
        }
        var found: [String: String] = [:]
        for product in products {
            guard let title = product["name"]?.string ?? product["title"]?.string else { continue }
            switch format {
            case .jsonld: found[title] = product["category"]?.string
            case .jsonl: found[title] = product["categories"]?.array?.first?["value"]?.string
            case .openai: found[title] = product["product_category"]?.string
            }
        }
        return found
    }

    /// All forms have their rows with this, whatever a product's handle is.
    private func introduce(_ shop: FeedShop) async throws {
        var settings = SampleCatalogue.seller
        settings.productURL = "https://shop.example/{product_id}"
        try await shop.set(settings)
    }

    @Test(
        "A product without a word of its own shows the names of its place in the tree, in every form",
        arguments: TestEngine.allCases, FeedFormat.allCases)
    func places(_ engine: TestEngine, _ format: FeedFormat) async throws {
        try await withFeedShop(engine) { shop in
            try await introduce(shop)
            let clothes = try await shop.category(#"{"name":"Clothes"}"#)
            let shirts = try await shop.category(#"{"name":"Shirts","parent_id":"\#(clothes)"}"#)
            let summer = try await shop.category(#"{"name":"Summer & sun","parent_id":"\#(shirts)"}"#)
            try await shop.put(product(1, "Deep"), place: summer)
            try await shop.put(product(2, "Own", "Tops"), place: shirts)
            try await shop.put(product(3, "Top"), place: clothes)
            try await shop.put(product(4, "Nowhere"))
            let expected = ["Deep": "Clothes > Shirts > Summer & sun", "Own": "Tops", "Top": "Clothes"]
            #expect(try await categories(shop, format) == expected)
        }
    }

    @Test(
        "A category that is renamed or moved shows with the next turn, and nothing else is written anew",
        arguments: TestEngine.allCases)
    func renamed(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            let clothes = try await shop.category(#"{"name":"Clothes"}"#)
            let shirts = try await shop.category(#"{"name":"Shirts","parent_id":"\#(clothes)"}"#)
            try await shop.put(product(1, "Placed"), place: shirts)
            try await shop.put(product(2, "Own", "Tops"), place: shirts)
            try await shop.put(product(3, "Draft"), status: "draft", place: shirts)
            try await shop.put(product(4, "Nowhere"))
            let built = try await shop.feeds.file(of: SampleCatalogue.scope).manifest.sequence

            try await shop.category(#"{"name":"Apparel"}"#, changing: clothes)
            let changes = try await shop.database.read { transaction in
                try CatalogueChanges.entries(after: built, scope: SampleCatalogue.scope, limit: 10, in: transaction)
            }
            #expect(changes.map(\.product) == [SampleCatalogue.id(1)])
            #expect(await shop.feeds.keepUp() == [SampleCatalogue.scope])
            #expect(try await categories(shop, .jsonl) == ["Placed": "Apparel > Shirts", "Own": "Tops"])

            try await shop.category(#"{"position":3}"#, changing: shirts)
            #expect(await shop.feeds.keepUp() == [])
            try await shop.category(#"{"parent_id":null}"#, changing: shirts)
            #expect(await shop.feeds.keepUp() == [SampleCatalogue.scope])
            #expect(try await categories(shop, .jsonl) == ["Placed": "Shirts", "Own": "Tops"])
            #expect(try await shop.tags() == shop.tags(FeedShop.feeds(shop.database, shop.path + "-other")))
        }
    }

    @Test("A path names its place, and nothing but the whole of it does", arguments: TestEngine.allCases)
    func paths(_ engine: TestEngine) async throws {
        try await withFeedShop(engine) { shop in
            let clothes = try await shop.category(#"{"name":"Clothes"}"#)
            let shirts = try await shop.category(#"{"name":"Shirts","parent_id":"\#(clothes)"}"#)
            let source = CatalogFeedSource(database: shop.database)
            func place(_ path: String, _ scope: Scope = SampleCatalogue.scope) async throws -> CategoryID? {
                try await source.place(path, scope)
            }
            #expect(try await place("Clothes") == clothes)
            #expect(try await place("Clothes > Shirts") == shirts)
            for path in ["", "Shirts", "Clothes > ", "clothes", "Clothes>Shirts", "Clothes > Shirts > More", " > "] {
                #expect(try await place(path) != shirts, "\(path)")
            }
            let sister = Scope(tenant: SampleCatalogue.scope.tenant, organisation: OrganisationID(high: 1, low: 3))
            #expect(try await place("Clothes", sister) == nil)
        }
    }
}
