import Events
import Kernel
import Testing

@testable import Commerce

@Suite("Rules of the catalogue")
struct ProductRuleTests {
    private static let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func product(_ json: String) throws -> Product {
        let new = try request(json) { NewProduct($0) }
        var product = Product(id: ProductID(high: 9, low: 9), scope: Shop.scope, title: "", now: Self.now)
        try new.change.apply(to: &product)
        product.variants = new.variants.enumerated().map { index, variant in
            variant.made(VariantID(high: 9, low: UInt64(index + 1)), of: product.id, now: Self.now)
        }
        try OptionRules.settle(&product) { "/variants/\($0)/options" }
        return product
    }

    private func changed(_ product: Product, _ json: String) throws -> Product {
        var product = product
        let change = try request(json) { ProductChange($0) }
        try change.apply(to: &product)
        if change.options != .keep { try OptionRules.settle(&product) { _ in nil } }
        return product
    }

    @Test("A product leaves draft by being activated, and nothing leaves the final state")
    func moves() {
        #expect(Product.Status.draft.nextStates == [.active])
        #expect(Product.Status.active.nextStates == [.inactive, .discontinued])
        #expect(Product.Status.inactive.nextStates == [.active, .discontinued])
        #expect(Product.Status.discontinued.nextStates.isEmpty)
    }

    @Test("Words are runs of letters and digits in lower case")
    func words() {
        #expect(SearchWords.list("Red T-Shirt, 2XL (Größe)") == ["red", "t", "shirt", "2xl", "größe"])
        #expect(SearchWords.list(" – ").isEmpty)
        #expect(SearchWords.words(of: ["a b", "b c"]) == ["a", "b", "c"])
        #expect(SearchWords.words(of: [(0..<100).map { "w\($0)" }.joined(separator: " ")]).count == SearchWords.most)
        #expect(SearchWords.list(String(repeating: "x", count: 100)).map(\.count) == [40])
    }

    @Test("Option names come from the variants where the product gives none, and values follow their order")
    func optionNames() throws {
        let product = try product(
            """
            {"title":"T","variants":[
                {"options":{"Size":"M","Colour":"red"}},{"options":{"Colour":"blue","Size":"M"}},{}]}
            """)
        #expect(try product.details.options == ["Size", "Colour"])
        #expect(try product.variants[1].options.map(\.value) == ["M", "blue"])
        let stray = #expect(throws: InvalidDocument.self) { _ = try changed(product, #"{"options":["Size"]}"#) }
        #expect(stray?.faults.allSatisfy { $0.pointer == "/options" } == true && stray?.faults.count == 2)
    }

    @Test("Two variants with the same values, and values of no option, are refused")
    func optionFaults() throws {
        let same = #expect(throws: InvalidDocument.self) {
            _ = try product(#"{"title":"T","variants":[{"options":{"Size":"M"}},{"options":{"Size":"M"}}]}"#)
        }
        let place = FieldFault(pointer: "/variants/1/options", detail: "another variant has the same values")
        #expect(same?.faults == [place])
        let stray = #expect(throws: InvalidDocument.self) {
            _ = try product(#"{"title":"T","options":["Size"],"variants":[{"options":{"Cut":"slim"}}]}"#)
        }
        #expect(stray?.faults.first?.detail == "\"Cut\" is not an option of the product")
    }

    @Test("Attributes are merged by name, lists are replaced, null empties")
    func details() throws {
        let old = try product(
            """
            {"title":"T","tags":["a","b"],"attributes":{"material":"wool","washable":true,"layers":2},
             "media":[{"url":"https://x.test/2.jpg","position":2},
                {"url":"https://x.test/1.jpg","position":1,"alt":"A"}]}
            """)
        #expect(try old.details.media.map(\.url) == ["https://x.test/1.jpg", "https://x.test/2.jpg"])
        let new = try changed(old, #"{"tags":["c"],"attributes":{"material":null,"layers":3,"fit":"slim"}}"#)
        #expect(try new.details.tags == ["c"])
        #expect(try new.details.attributes.map(\.name) == ["washable", "layers", "fit"])
        #expect(try ProductDiff(from: old, to: new).changed == ["tags", "attributes"])
        let empty = try changed(new, #"{"tags":null,"attributes":null,"media":null}"#)
        #expect(empty.keptDetails == nil)
    }

    @Test("The difference names fields, prices with what they were, and words that came and went")
    func difference() throws {
        let old = try product(#"{"title":"Red shirt","variants":[{"sku":"A","price":5,"currency":"USD"},{"sku":"B"}]}"#)
        var new = try changed(old, #"{"title":"Blue shirt","brand":"Acme"}"#)
        let change = try request(#"{"price":7,"cost_price":2}"#) { VariantChange($0) }
        new.variants[0] = try change.applied(to: new.variants[0])
        new.variants.remove(at: 1)
        let diff = try ProductDiff(from: old, to: new)
        #expect(diff.changed == ["title", "brand", "variants"])
        #expect(diff.prices.map(\.old) == [usd(500)] && diff.updated.map(\.cost) == [usd(200)])
        #expect(diff.removed.map(\.sku) == ["B"] && diff.rematched.map(\.sku) == ["B"])
        #expect(diff.addedWords == ["blue", "acme"] && diff.removedWords == ["red"])
        #expect(try ProductDiff(from: old, to: old).isEmpty)
    }

    @Test("An event tells of a hundred variants at the most")
    func payload() throws {
        let variants = (0..<101).map { _ in "{}" }.joined(separator: ",")
        let product = try product(#"{"title":"T","variants":[\#(variants)]}"#)
        #expect(product.variants.count == 101 && product.payload.variants.count == 100)
    }

    struct Amounts: Sendable {
        let given: String
        let price: String?
        let compareAt: String?
        let cost: String?
        let fault: String?

        init(_ given: String, _ price: String?, _ compareAt: String?, _ cost: String?, fault: String? = nil) {
            self.given = given
            self.price = price
            self.compareAt = compareAt
            self.cost = cost
            self.fault = fault
        }
    }

    @Test(
        "Amounts keep to the currency of the price",
        arguments: [
            Amounts(#"{}"#, "5.00", "8.00", "2.00"),
            Amounts(#"{"price":6}"#, "6.00", "8.00", "2.00"),
            Amounts(#"{"price":null}"#, nil, nil, "2.00"),
            Amounts(#"{"compare_at_price":null,"cost_price":null}"#, "5.00", nil, nil),
            Amounts(#"{"price":900,"currency":"JPY","compare_at_price":"1200"}"#, "900", "1200", "2.00"),
            Amounts(#"{"cost_price":1.125,"cost_currency":"KWD"}"#, "5.00", "8.00", "1.125"),
            Amounts(
                #"{"price":900,"currency":"JPY"}"#, nil, nil, nil,
                fault: "/compare_at_price: is required when the currency changes, or null"),
            Amounts(
                #"{"price":5.001}"#, nil, nil, nil, fault: "/price: 5.001 has more than the 2 decimals that USD has"),
            Amounts(
                #"{"price":null,"compare_at_price":1}"#, nil, nil, nil,
                fault: "/compare_at_price: needs a price beside it"),
            Amounts(#"{"cost_price":-1}"#, nil, nil, nil, fault: "/cost_price: must not be below zero"),
        ])
    func amounts(_ amounts: Amounts) throws {
        var old = Variant(id: VariantID(high: 1, low: 1), product: ProductID(high: 1, low: 1), now: Self.now)
        (old.price, old.compareAt, old.cost) = (usd(500), usd(800), usd(200))
        let change = try request(amounts.given) { VariantChange($0) }
        do {
            let new = try change.applied(to: old)
            #expect(new.price?.decimalText == amounts.price && amounts.fault == nil)
            #expect(new.compareAt?.decimalText == amounts.compareAt && new.cost?.decimalText == amounts.cost)
        } catch {
            #expect(error.description == amounts.fault)
        }
    }

    @Test("A move below itself names the circle, and depth is bounded")
    func tree() {
        func category(_ number: UInt64, below parent: UInt64?) -> Commerce.Category {
            Commerce.Category(
                id: CategoryID(high: 0, low: number), scope: Shop.scope,
                parent: parent.map { CategoryID(high: 0, low: $0) },
                name: "C\(number)", position: 0, version: 1, createdAt: Self.now, updatedAt: Self.now)
        }
        let chain = (1...UInt64(Limits.categoryDepth)).map { category($0, below: $0 == 1 ? nil : $0 - 1) }
        let tree = CategoryTree(chain)
        let circle = tree.fault(moving: chain[0].id, below: chain[2].id)
        #expect(circle?.detail == "would close a circle: C1 > C2 > C3 > C1")
        #expect(tree.fault(moving: chain[1].id, below: chain[1].id)?.detail == "would close a circle: C2 > C2")
        #expect(tree.fault(moving: chain[2].id, below: chain[0].id) == nil)
        let new = CategoryID(high: 0, low: 99)
        #expect(tree.fault(moving: new, below: chain[14].id) == nil)
        #expect(tree.fault(moving: new, below: chain[15].id)?.detail.contains("deeper than 16") == true)
        #expect(tree.fault(moving: chain[0].id, below: new)?.detail == "there is no such category")
        #expect(tree.path(to: chain[2].id).map(\.name) == ["C1", "C2", "C3"])
    }
}
