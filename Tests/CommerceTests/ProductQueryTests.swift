import Events
import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("Finding products")
struct ProductQueryTests {
    /// Titles of all pages of a query, two products a page.
    private func titles(
        _ shop: Shop, _ scope: Scope = Shop.scope, _ set: (inout ProductQuery) -> Void
    ) async throws -> [String] {
        var query = ProductQuery(limit: 2)
        set(&query)
        var titles: [String] = []
        while true {
            let page = try await shop.products.list(query, scope: scope)
            titles += page.map(\.title)
            guard page.count == 2, let last = page.last else { return titles }
            let text = query.cursor(behind: last).description
            query.cursor = ProductQuery.Cursor(text)
            #expect(query.cursor != nil)
        }
    }

    @Test("Words are found whole, all of them, and by their beginning with a star", arguments: TestEngine.allCases)
    func words(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            for title in ["Red shirt", "Red shirts", "Shirt-dress", "Blue hat", "Red Hat"] {
                try await shop.product(#"{"title":"\#(title)"}"#)
            }
            try await shop.product(#"{"title":"Cap","brand":"Acme","handle":"flat-cap","tags":["Summer sale"]}"#)
            try await shop.product(#"{"title":"Red shirt elsewhere"}"#, scope: Shop.sister)
            #expect(try await titles(shop) { $0.text = "SHIRT" } == ["Red shirt", "Shirt-dress"])
            #expect(try await titles(shop) { $0.text = "shirt red" } == ["Red shirt"])
            #expect(try await titles(shop) { $0.text = "shir*" } == ["Red shirt", "Red shirts", "Shirt-dress"])
            #expect(try await titles(shop) { $0.text = "red shir*" } == ["Red shirt", "Red shirts"])
            #expect(try await titles(shop) { $0.text = "acme" } == ["Cap"])
            #expect(try await titles(shop) { $0.text = "flat summer" } == ["Cap"])
            #expect(try await titles(shop) { $0.text = "socks*" }.isEmpty)
            #expect(try await titles(shop) { $0.text = "red socks" }.isEmpty)
            #expect(try await titles(shop) { $0.text = "..." }.isEmpty)
        }
    }

    @Test("Words are found by their beginning also where the database sorts as a language does")
    func languages() async throws {
        let time = ManualTime()
        try await withDatabase(.postgres, time: time, language: "en-US") { database in
            let shop = try Shop(database, time: time)
            let all = ["Cafe", "Caf\u{E9}", "Cafes", "CAF\u{C9}-bar", "Caff"]
            for title in all { try await shop.product(#"{"title":"\#(title)"}"#) }
            #expect(try await titles(shop) { $0.text = "caf*" } == all)
            #expect(try await titles(shop) { $0.text = "cafe*" } == ["Cafe", "Cafes"])
        }
    }

    @Test("Codes, state, brand and category narrow a list", arguments: TestEngine.allCases)
    func filters(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.product(
                """
                {"title":"A","brand":"X","category":"c","status":"active",
                 "variants":[{"sku":"S1","barcode":"400"},{}]}
                """
            )
            try await shop.product(#"{"title":"B","brand":"X","variants":[{"sku":"S2","barcode":"400"}]}"#)
            try await shop.product(#"{"title":"C","category":"c"}"#)
            #expect(try await titles(shop) { $0.sku = "S2" } == ["B"])
            #expect(try await titles(shop) { $0.barcode = "400" } == ["A", "B"])
            #expect(try await titles(shop) { $0.status = .draft } == ["B", "C"])
            #expect(try await titles(shop) { $0.brand = "X" } == ["A", "B"])
            #expect(try await titles(shop) { $0.category = "c" } == ["A", "C"])
            #expect(try await titles(shop) { ($0.brand, $0.category) = ("X", "c") } == ["A"])
            #expect(try await titles(shop, Shop.sister) { $0.sku = "S1" }.isEmpty)
        }
    }

    @Test("A place in the tree finds what stands below it too", arguments: TestEngine.allCases)
    func places(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            func category(_ name: String, below parent: CategoryID? = nil) async throws -> CategoryID {
                let parent = parent.map { ",\"parent_id\":\"\($0)\"" } ?? ""
                return try await shop.categories.create(
                    request(#"{"name":"\#(name)"\#(parent)}"#) { CategoryChange($0, isNew: true) }, scope: Shop.scope
                ).category.id
            }
            let clothes = try await category("Clothes")
            let shirts = try await category("Shirts", below: clothes)
            let other = try await category("Other")
            for (title, place) in [("1", shirts), ("2", clothes), ("3", other), ("4", shirts), ("5 red", clothes)] {
                try await shop.product(#"{"title":"\#(title)","category_id":"\#(place)"}"#)
            }
            #expect(try await titles(shop) { $0.categoryID = clothes } == ["1", "2", "4", "5 red"])
            #expect(try await titles(shop) { $0.categoryID = shirts } == ["1", "4"])
            #expect(try await titles(shop) { ($0.categoryID, $0.text) = (clothes, "red") } == ["5 red"])
            #expect(try await titles(shop, Shop.sister) { $0.categoryID = clothes }.isEmpty)
            // The word of some and the place of others, which the feed shows by one text.
            try await shop.product(#"{"title":"6 red","category":"Clothes"}"#)
            try await shop.product(#"{"title":"7","category":"Tops","category_id":"\#(clothes)"}"#)
            func shown(_ text: String? = nil) async throws -> [String] {
                try await titles(shop) { ($0.category, $0.categoryPlace, $0.text) = ("Clothes", clothes, text) }
            }
            #expect(try await shown() == ["2", "5 red", "6 red"])
            #expect(try await shown("red") == ["5 red", "6 red"])
            #expect(try await titles(shop) { $0.category = "Clothes" } == ["6 red"])
        }
    }

    @Test(
        "A list of what changed is in the order of changes, and misses nothing that changes meanwhile",
        arguments: TestEngine.allCases)
    func changes(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            var products: [Product] = []
            for title in ["A", "B", "C", "D"] {
                shop.time.advance(by: .seconds(1))
                products.append(try await shop.product(#"{"title":"\#(title)"}"#))
            }
            let since = products[1].updatedAt
            #expect(try await titles(shop) { $0.updatedSince = since } == ["B", "C", "D"])
            shop.time.advance(by: .seconds(1))
            let title = try request(#"{"title":"B2"}"#) { ProductChange($0) }
            _ = try await shop.products.change(products[1].id, title, scope: Shop.scope, actor: Shop.actor)
            #expect(try await titles(shop) { $0.updatedSince = since } == ["C", "D", "B2"])
            #expect(try await titles(shop) { ($0.updatedSince, $0.text) = (since, "d") } == ["D"])
        }
    }
}
