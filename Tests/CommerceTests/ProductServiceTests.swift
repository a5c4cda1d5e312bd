import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Products and variants")
struct ProductServiceTests {
    private func change(
        _ shop: Shop, _ variant: Variant, _ body: String, scope: Scope = Shop.scope
    ) async throws -> Variant {
        try await shop.products.changeVariant(
            variant.id, of: variant.product, request(body) { VariantChange($0) }, scope: scope, actor: Shop.actor
        ).variant
    }

    @Test("A product is saved with its variants and told of", arguments: TestEngine.allCases)
    func create(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(
                """
                {"title":"Shirt","description":"d","category":"c","status":"active","variants":[
                    {"sku":" S-1 ","barcode":"400","title":"M","price":149.99,"currency":"USD"},{"title":"L"}]}
                """)
            #expect(product.variants.map(\.sku) == ["S-1", nil])
            #expect(product.variants[0].price == usd(14999) && product.status == .active && product.version == 1)
            #expect(try await shop.products.require(product.id, scope: Shop.scope) == product)
            #expect(try await shop.eventTypes() == ["product.created"])
        }
    }

    @Test("A SKU is one variant's in the tenant, and the conflict names the holder", arguments: TestEngine.allCases)
    func taken(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let holder = try await shop.variant("A")
            let other = try await shop.variant("B")
            let expected = Refusal.conflict(
                #"The SKU "A" belongs to another variant of the tenant."#,
                fields: [
                    Refusal.Field("sku", .string("A")),
                    Refusal.Field("holder_variant_id", .string(holder.id.description)),
                    Refusal.Field("holder_product_id", .string(holder.product.description)),
                ])
            await #expect(throws: expected) { try await shop.variant("A") }
            await #expect(throws: expected) { try await shop.variant(" A ", scope: Shop.sister) }
            await #expect(throws: expected) { _ = try await change(shop, other, #"{"sku":"A"}"#) }
            let new = try request(#"{"sku":"A"}"#) { NewVariant($0) }
            await #expect(throws: expected) {
                _ = try await shop.products.addVariant(new, to: other.product, scope: Shop.scope, actor: Shop.actor)
            }
            #expect(try await change(shop, holder, #"{"sku":"A"}"#) == holder)
            try await shop.variant("a")
            try await shop.variant("A", scope: Shop.stranger)
            #expect(try await shop.count("SELECT count(*) FROM variant") == 4)
        }
    }

    @Test("Two creations of one SKU at once: one wins, the other is told who", arguments: TestEngine.allCases, 0..<8)
    func race(_ engine: TestEngine, _: Int) async throws {
        try await withShop(engine) { shop in
            let results = await withTaskGroup(of: Result<Variant, any Error>.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        do { return .success(try await shop.variant("A")) } catch { return .failure(error) }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let refusals = results.compactMap { result -> Refusal? in
                if case .failure(let error) = result { error as? Refusal } else { nil }
            }
            let winner = try #require(results.compactMap { try? $0.get() }.first)
            let refusal = try #require(refusals.first)
            #expect(refusals.count == 1 && refusal.kind == .conflict)
            #expect(refusal.fields.contains(.init("holder_variant_id", .string(winner.id.description))))
            #expect(try await shop.eventTypes() == ["product.created"])
        }
    }

    @Test("A new price is told with the old one", arguments: TestEngine.allCases)
    func price(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            await #expect(throws: InvalidDocument(pointer: "/currency", detail: "is required beside a price")) {
                _ = try await change(shop, variant, #"{"price":5}"#)
            }
            let first = try await change(shop, variant, #"{"price":"5.00","currency":"USD"}"#)
            #expect(first.price == usd(500) && first.version == 2)
            let second = try await change(shop, variant, #"{"price":7.5,"sku":"B"}"#)
            #expect(second.price == usd(750) && second.version == 3 && second.sku == "B")
            #expect(try await change(shop, variant, #"{"price":7.50}"#) == second)
            let yen = try await change(shop, variant, #"{"price":1980,"currency":"JPY"}"#)
            #expect(yen.price?.decimalText == "1980")
            await #expect(throws: InvalidDocument.self) { _ = try await change(shop, variant, #"{"price":1.5}"#) }
            await #expect(throws: InvalidDocument(pointer: "/price", detail: "must not be below zero")) {
                _ = try await change(shop, variant, #"{"price":-1}"#)
            }
            let told = try await shop.events().filter { $0.type == "product.price_changed" }.map(\.payload)
            #expect(told.count == 3)
            #expect(told[0]["old_selling_price"] == .null && told[0]["new_selling_price"] == .number("5.00"))
            #expect(told[1]["old_selling_price"] == .number("5.00") && told[1]["new_selling_price"] == .number("7.50"))
        }
    }

    @Test("A product's version counts its changes; a change of nothing is none", arguments: TestEngine.allCases)
    func versions(_ engine: TestEngine) async throws {
        try await withShop(engine) { (shop: Shop) async throws -> Void in
            let product = try await shop.product(#"{"title":"T","variants":[{"sku":"A"}]}"#)
            shop.time.advance(by: .seconds(1))
            func set(_ body: String) async throws -> Product {
                try await shop.products.change(
                    product.id, request(body) { ProductChange($0) }, scope: Shop.scope, actor: Shop.actor)
            }
            #expect(try await set(#"{"title":"T"}"#) == product)
            let changed = try await set(#"{"title":"U","category":"c"}"#)
            #expect(changed.version == 2 && changed.updatedAt == shop.time.now && changed.createdAt < shop.time.now)
            _ = try await change(shop, product.variants[0], #"{"title":"M"}"#)
            let new = try request(#"{"sku":"B"}"#) { NewVariant($0) }
            _ = try await shop.products.addVariant(new, to: product.id, scope: Shop.scope, actor: Shop.actor)
            let stored = try await shop.products.require(product.id, scope: Shop.scope)
            #expect(stored.version == 4 && stored.variants.map(\.version) == [2, 1])
            let changes = try await shop.events().compactMap { $0.payload["changed"] }
            let lists: [[JSONValue]] = [
                [.string("title"), .string("category")], [.string("variants")], [.string("variants")],
            ]
            #expect(changes == lists.map { .array($0) })
        }
    }

    @Test("Products of other owners are not found", arguments: TestEngine.allCases, [Shop.sister, Shop.stranger])
    func owners(_ engine: TestEngine, _ scope: Scope) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            let id = variant.product
            await #expect(throws: Refusal.notFound("product")) { _ = try await shop.products.require(id, scope: scope) }
            await #expect(throws: Refusal.notFound("product")) {
                _ = try await change(shop, variant, #"{"title":"x"}"#, scope: scope)
            }
            let new = try request("{}") { NewVariant($0) }
            await #expect(throws: Refusal.notFound("product")) {
                _ = try await shop.products.addVariant(new, to: id, scope: scope, actor: Shop.actor)
            }
            let title = try request(#"{"title":"x"}"#) { ProductChange($0) }
            await #expect(throws: Refusal.notFound("product")) {
                _ = try await shop.products.change(id, title, scope: scope, actor: Shop.actor)
            }
            #expect(try await shop.products.list(ProductQuery(limit: 10), scope: scope).isEmpty)
            let foreign = try await shop.product(#"{"title":"T"}"#)
            await #expect(throws: Refusal.notFound("variant")) {
                _ = try await shop.products.changeVariant(
                    variant.id, of: foreign.id, request("{}") { VariantChange($0) }, scope: Shop.scope,
                    actor: Shop.actor)
            }
        }
    }

    @Test("A list is paged by its cursor, each product with its variants", arguments: TestEngine.allCases)
    func listing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            var all: [Product] = []
            for number in 0..<5 {
                all.append(try await shop.product(#"{"title":"\#(number)","variants":[{"sku":"A\#(number)"},{}]}"#))
            }
            var query = ProductQuery(limit: 3)
            #expect(try await shop.products.list(query, scope: Shop.scope) == Array(all[..<3]))
            query.cursor = query.cursor(behind: all[2])
            #expect(try await shop.products.list(query, scope: Shop.scope) == Array(all[3...]))
        }
    }
}
