import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("The life of a product")
struct ProductLifeTests {
    private func change(_ shop: Shop, _ id: ProductID, _ body: String, _ match: VersionMatch = .any) async throws
        -> Product
    {
        try await shop.products.change(
            id, request(body) { ProductChange($0) }, ifMatch: match, scope: Shop.scope, actor: Shop.actor)
    }

    private func move(_ shop: Shop, _ id: ProductID, _ status: Product.Status) async throws -> Product {
        try await shop.products.move(id, to: status, scope: Shop.scope, actor: Shop.actor)
    }

    @Test("All fields come back as they were saved, and null empties them", arguments: TestEngine.allCases)
    func fields(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(
                """
                {"title":"Shirt","handle":"shirt","description":"d","brand":"Acme","category":"Apparel > Shirts",
                 "url":"https://shop.test/shirt","tags":["new"],"attributes":{"material":"wool"},"options":["Size"],
                 "media":[{"url":"https://shop.test/1.jpg","alt":"front"}],
                 "variants":[{"sku":"S-M","options":{"Size":"M"},"price":5,"compare_at_price":8,"cost_price":2,
                    "currency":"USD","gtin":"4006381333931","mpn":"X1","weight_grams":250,"barcode":"400",
                    "image_url":"https://shop.test/m.jpg"}]}
                """)
            #expect(try await shop.products.require(product.id, scope: Shop.scope) == product)
            let variant = product.variants[0]
            #expect(variant.compareAt == usd(800) && variant.cost == usd(200) && variant.weightGrams == 250)
            let emptied = try await change(
                shop, product.id,
                #"{"handle":null,"description":null,"brand":null,"category":null,"url":null,"tags":null,"media":null}"#)
            #expect(emptied.handle == nil && emptied.brand == nil && emptied.url == nil && emptied.title == "Shirt")
            #expect(try emptied.details.attributes.count == 1)
            #expect(try await shop.products.require(product.id, scope: Shop.scope) == emptied)
            let told = try await shop.events()
            #expect(told.map(\.type) == ["product.created", "product.updated"])
            let names = ["handle", "description", "brand", "category", "url", "tags", "media"]
            #expect(told[1].payload["changed"] == .array(names.map { .string($0) }))
            #expect(try await shop.count("SELECT count(*) FROM event WHERE withheld IS NOT NULL") == 0)
        }
    }

    @Test(
        "States change by their own moves and events; others are refused with what there is",
        arguments: TestEngine.allCases)
    func states(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await shop.product(#"{"title":"T"}"#).id
            await #expect(
                throws: Refusal.noMove("product", from: Product.Status.draft, to: .inactive, allowed: [.active])
            ) {
                _ = try await move(shop, id, .inactive)
            }
            for status in [Product.Status.active, .inactive, .active, .discontinued] {
                #expect(try await move(shop, id, status).status == status)
            }
            let refusal = await #expect(throws: Refusal.self) { _ = try await move(shop, id, .active) }
            #expect(refusal?.kind == .conflict && refusal?.fields == [Refusal.Field("allowed", .array([]))])
            let types = ["activated", "deactivated", "activated", "discontinued"].map { "product.\($0)" }
            #expect(try await shop.eventTypes() == ["product.created"] + types)
        }
    }

    @Test("A change for another version is refused with the present one", arguments: TestEngine.allCases)
    func concurrency(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let id = try await shop.product(#"{"title":"T"}"#).id
            _ = try await change(shop, id, #"{"title":"U"}"#, .oneOf([1]))
            let stale = await #expect(throws: Refusal.self) {
                _ = try await change(shop, id, #"{"title":"V"}"#, .oneOf([1]))
            }
            #expect(stale?.kind == .stale && stale?.fields == [Refusal.Field("etag", .string("\"2\""))])
            #expect(try await change(shop, id, #"{"title":"V"}"#, .oneOf([1, 2])).version == 3)
            await #expect(throws: Refusal.self) {
                try await shop.products.delete(id, ifMatch: .oneOf([2]), scope: Shop.scope, actor: Shop.actor)
            }
        }
    }

    @Test(
        "A deleted product is gone, its handle and SKU are free, and nothing is matched to it",
        arguments: TestEngine.allCases)
    func deletion(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let old = try await shop.product(#"{"title":"Old hat","handle":"hat","variants":[{"sku":"HAT"}]}"#)
            try await shop.map("item-1", to: old.variants[0].id)
            try await shop.products.delete(old.id, scope: Shop.scope, actor: Shop.actor)
            await #expect(throws: Refusal.notFound("product")) {
                _ = try await shop.products.require(old.id, scope: Shop.scope)
            }
            let item = old.variants[0].id.description
            try await shop.take([
                snapshot("o", lines: [line("1", sku: "HAT"), line("2", item: item), line("3", item: "item-1")])
            ])
            #expect(try await shop.order("o").lines.map(\.match) == [.unmatched, .unmatched, .unmatched])
            let new = try await shop.product(#"{"title":"New hat","handle":"hat","variants":[{"sku":"HAT"}]}"#)
            await shop.rematch.drain()
            #expect(try await shop.order("o").lines.map(\.variant) == [new.variants[0].id, nil, nil])
            var query = ProductQuery(limit: 10)
            query.text = "hat"
            #expect(try await shop.products.list(query, scope: Shop.scope).map(\.id) == [new.id])
            let told = try await shop.events().filter { $0.type == "product.updated" }.map(\.payload)
            #expect(told.map { $0["changed"] } == [.array([.string("deleted_at")])])
        }
    }

    @Test("A variant can be taken out, and its SKU given to another at once", arguments: TestEngine.allCases)
    func removedVariant(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(#"{"title":"T","variants":[{"sku":"A"},{"sku":"B"}]}"#)
            let rest = try await shop.products.removeVariant(
                product.variants[0].id, of: product.id, scope: Shop.scope, actor: Shop.actor)
            #expect(rest.variants.map(\.sku) == ["B"] && rest.version == 2)
            _ = try await shop.variant("A")
            await #expect(throws: Refusal.notFound("variant")) {
                _ = try await shop.products.removeVariant(
                    product.variants[0].id, of: product.id, scope: Shop.scope, actor: Shop.actor)
            }
            #expect(try await shop.count("SELECT count(*) FROM variant WHERE former_sku = 'A'") == 1)
        }
    }

    @Test("A handle is one product's in the organisation", arguments: TestEngine.allCases)
    func handles(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let holder = try await shop.product(#"{"title":"T","handle":"hat"}"#)
            let refusal = await #expect(throws: Refusal.self) {
                try await shop.product(#"{"title":"U","handle":"hat"}"#)
            }
            #expect(refusal?.fields.last == Refusal.Field("holder_product_id", .string(holder.id.description)))
            try await shop.product(#"{"title":"U","handle":"hat"}"#, scope: Shop.sister)
            #expect(try await change(shop, holder.id, #"{"handle":"hat"}"#) == holder)
        }
    }

    @Test("A price change tells the selling price once a variant, and never a cost", arguments: TestEngine.allCases)
    func cost(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(
                #"{"title":"T","variants":[{"price":5,"cost_price":1,"currency":"USD"}]}"#)
            let change = try request(#"{"cost_price":2}"#) { VariantChange($0) }
            let changed = try await shop.products.changeVariant(
                product.variants[0].id, of: product.id, change, scope: Shop.scope, actor: Shop.actor)
            #expect(changed.variant.cost == usd(200) && changed.product.version == 2)
            let told = try await shop.events().filter { $0.type == "product.price_changed" }.map(\.payload)
            #expect(told.count == 1 && told[0]["new_selling_price"] == .number("5.00"))
            let payloads = try await shop.database.read { transaction in
                try transaction.all("SELECT payload, withheld FROM event") { row in
                    String(decoding: row.bytes(0) + (row.bytesOrNil(1) ?? []), as: UTF8.self)
                }
            }
            #expect(payloads.allSatisfy { !$0.contains("cost") })
        }
    }

    @Test("Each change gives the product the next number of its organisation", arguments: TestEngine.allCases)
    func sequence(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let first = try await shop.product(#"{"title":"A"}"#)
            let second = try await shop.product(#"{"title":"B"}"#)
            try await shop.product(#"{"title":"C"}"#, scope: Shop.sister)
            _ = try await change(shop, first.id, #"{"title":"D"}"#)
            _ = try await change(shop, first.id, #"{"title":"D"}"#)
            try await shop.products.delete(second.id, scope: Shop.scope, actor: Shop.actor)
            let (heads, entries) = try await shop.database.read { transaction in
                (
                    try CatalogueChanges.heads(in: transaction).map(\.sequence),
                    try CatalogueChanges.entries(after: 1, scope: Shop.scope, limit: 10, in: transaction)
                )
            }
            #expect(heads == [4, 1])
            #expect(entries.map(\.product) == [first.id, second.id] && entries.map(\.sequence) == [3, 4])
        }
    }
}
