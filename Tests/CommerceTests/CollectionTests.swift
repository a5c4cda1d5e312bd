import Events
import Kernel
import TestSupport
import Testing

@testable import Commerce

@Suite("Collections")
struct CollectionTests {
    private func create(_ shop: Shop, _ body: String) async throws -> Commerce.Collection {
        try await shop.collections.create(request(body) { NewCollection($0) }, scope: Shop.scope)
    }

    private func titles(_ shop: Shop, _ id: CollectionID, limit: Int = 2) async throws -> [String] {
        var titles: [String] = []
        var cursor: CollectionService.Cursor?
        while true {
            let page = try await shop.collections.products(of: id, scope: Shop.scope, after: cursor, limit: limit)
            titles += page.products.map(\.title)
            guard let next = page.next else { return titles }
            cursor = CollectionService.Cursor(next.description)
            #expect(cursor == next)
        }
    }

    @Test("A list made by hand keeps its order and leaves deleted products out", arguments: TestEngine.allCases)
    func manual(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            var ids: [ProductID] = []
            for title in ["A", "B", "C", "D"] { ids.append(try await shop.product(#"{"title":"\#(title)"}"#).id) }
            let collection = try await create(shop, #"{"kind":"manual","title":"Sale","handle":"sale"}"#)
            #expect(try await titles(shop, collection.id).isEmpty)
            func set(_ ids: [ProductID]) async throws -> Commerce.Collection {
                let texts = ids.map { "\"\($0)\"" }.joined(separator: ",")
                let list = try request(#"{"product_ids":[\#(texts)]}"#) { CollectionList($0) }
                return try await shop.collections.setProducts(list, of: collection.id, scope: Shop.scope)
            }
            #expect(try await set([ids[3], ids[0], ids[2], ids[1]]).version == 2)
            #expect(try await titles(shop, collection.id) == ["D", "A", "C", "B"])
            try await shop.products.delete(ids[0], scope: Shop.scope, actor: Shop.actor)
            #expect(try await titles(shop, collection.id) == ["D", "C", "B"])
            let foreign = try await shop.product(#"{"title":"F"}"#, scope: Shop.stranger).id
            let unknown = await #expect(throws: InvalidDocument.self) { _ = try await set([ids[1], foreign, ids[0]]) }
            #expect(unknown?.faults.map(\.pointer) == ["/product_ids/1", "/product_ids/2"])
            await #expect(throws: InvalidDocument(pointer: "/rule", detail: "is for the kind \"rule\"")) {
                let rule = #"{"rule":{"conditions":[{"field":"tag","relation":"equals","value":"x"}]}}"#
                _ = try await shop.collections.change(
                    collection.id, request(rule) { CollectionChange($0) }, scope: Shop.scope)
            }
            try await shop.collections.delete(collection.id, scope: Shop.scope)
            await #expect(throws: Refusal.notFound("collection")) { _ = try await titles(shop, collection.id) }
        }
    }

    struct Rule: Sendable {
        let conditions: String
        let titles: [String]
        var match = "all"

        init(_ conditions: String, _ titles: [String], match: String = "all") {
            self.conditions = conditions
            self.titles = titles
            self.match = match
        }
    }

    @Test(
        "A rule is evaluated when it is read", arguments: TestEngine.allCases,
        [
            Rule(#"{"field":"brand","relation":"equals","value":"Acme"}"#, ["Red shirt", "Blue shirt"]),
            Rule(#"{"field":"title","relation":"contains","value":"SHIRT"}"#, ["Red shirt", "Blue shirt"]),
            Rule(#"{"field":"title","relation":"starts_with","value":"red"}"#, ["Red shirt", "Red hat"]),
            Rule(#"{"field":"tag","relation":"equals","value":"sale"}"#, ["Red hat"]),
            Rule(#"{"field":"tag","relation":"not_equals","value":"sale"}"#, ["Red shirt", "Blue shirt"]),
            Rule(#"{"field":"price","relation":"less_than","value":10,"currency":"USD"}"#, ["Red shirt"]),
            Rule(#"{"field":"price","relation":"greater_than","value":1,"currency":"EUR"}"#, ["Red hat"]),
            Rule(#"{"field":"attribute","name":"material","relation":"equals","value":"wool"}"#, ["Red hat"]),
            Rule(#"{"field":"status","relation":"equals","value":"active"}"#, ["Blue shirt"]),
            Rule(
                """
                {"field":"title","relation":"contains","value":"red"},
                {"field":"brand","relation":"equals","value":"Acme"}
                """,
                ["Red shirt"]),
            Rule(
                """
                {"field":"tag","relation":"equals","value":"sale"},
                {"field":"status","relation":"equals","value":"active"}
                """,
                ["Blue shirt", "Red hat"], match: "any"),
        ])
    func rules(_ engine: TestEngine, _ rule: Rule) async throws {
        try await withShop(engine) { shop in
            try await shop.product(#"{"title":"Red shirt","brand":"Acme","variants":[{"price":5,"currency":"USD"}]}"#)
            try await shop.product(
                #"{"title":"Blue shirt","brand":"Acme","status":"active","variants":[{"price":15,"currency":"USD"}]}"#)
            try await shop.product(
                """
                {"title":"Red hat","tags":["new","sale"],"attributes":{"material":"wool"},
                 "variants":[{"price":5,"currency":"EUR"}]}
                """)
            let body =
                #"{"kind":"rule","title":"R","rule":{"match":"\#(rule.match)","conditions":[\#(rule.conditions)]}}"#
            let collection = try await create(shop, body)
            #expect(try await titles(shop, collection.id, limit: 1) == rule.titles)
            #expect(try await shop.collections.require(collection.id, scope: Shop.scope) == collection)
        }
    }

    @Test("A rule by place takes what lies below it, also when the tree changes", arguments: TestEngine.allCases)
    func places(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            func category(_ name: String) async throws -> CategoryID {
                try await shop.categories.create(
                    request(#"{"name":"\#(name)"}"#) { CategoryChange($0, isNew: true) }, scope: Shop.scope
                ).category.id
            }
            let (clothes, shirts) = (try await category("Clothes"), try await category("Shirts"))
            try await shop.product(#"{"title":"A","category_id":"\#(clothes)"}"#)
            try await shop.product(#"{"title":"B","category_id":"\#(shirts)"}"#)
            let condition = #"{"field":"category_id","relation":"equals","value":"\#(clothes)"}"#
            let collection = try await create(
                shop, #"{"kind":"rule","title":"R","rule":{"conditions":[\#(condition)]}}"#)
            #expect(try await titles(shop, collection.id) == ["A"])
            let below = try request(#"{"parent_id":"\#(clothes)"}"#) { CategoryChange($0) }
            _ = try await shop.categories.change(shirts, below, scope: Shop.scope)
            #expect(try await titles(shop, collection.id) == ["A", "B"])
        }
    }

    @Test("A rule is refused with each fault at its place")
    func faults() {
        let body = """
            {"kind":"rule","title":"R","rule":{"match":"some","conditions":[
                {"field":"price","relation":"contains","value":5},{"field":"colour","relation":"equals","value":"red"},
                {"field":"attribute","relation":"equals","value":"wool"},{"field":"status","value":"sold"}]}}
            """
        let error = #expect(throws: InvalidDocument.self) { _ = try request(body) { NewCollection($0) } }
        let places = [
            "match", "conditions/0/relation", "conditions/0/currency", "conditions/1/field",
            "conditions/2/name", "conditions/3/value",
        ].map { "/rule/" + $0 }
        #expect(Set(error?.faults.map(\.pointer) ?? []) == Set(places))
    }
}
