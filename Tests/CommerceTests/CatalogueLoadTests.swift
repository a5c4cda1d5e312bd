import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Loading the catalogue in bulk")
struct CatalogueLoadTests {
    private func load(
        _ shop: Shop, _ rows: [String], scope: Scope = Shop.scope
    ) async throws -> [CatalogueRow.Outcome] {
        let read = try rows.map { row in try request(row) { CatalogueRow($0) } }
        let writer = CatalogueWriter(ids: shop.ids, rematch: shop.rematch)
        let author = CatalogueWriter.Author(actor: Shop.actor, source: "import:1")
        return try await shop.publisher.writeAgainAfterDuplicate { transaction, events in
            try writer.upsert(read, scope: scope, by: author, events: events, in: transaction)
        }
    }

    private func products(_ shop: Shop) async throws -> [Product] {
        try await shop.products.list(ProductQuery(limit: 10_000), scope: Shop.scope)
    }

    @Test(
        "Rows with one handle are one product, and the same rows again change nothing", arguments: TestEngine.allCases)
    func handles(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let rows = [
                #"{"handle":"shirt","title":"Shirt","variant":{"sku":"S-M","options":{"Size":"M"}}}"#,
                #"{"handle":"shirt","variant":{"sku":"S-L","options":{"Size":"L"},"price":6,"currency":"USD"}}"#,
                #"{"handle":"hat","title":"Hat","status":"active","variant":{}}"#,
            ]
            let first = try await load(shop, rows)
            let stored = try await products(shop)
            #expect(stored.map(\.title) == ["Shirt", "Hat"] && stored.map(\.status) == [.draft, .active])
            #expect(stored[0].variants.map(\.sku) == ["S-M", "S-L"] && stored[1].variants.count == 1)
            #expect(first == [.created(stored[0].id), .updated(stored[0].id), .created(stored[1].id)])
            let again = try await load(shop, rows)
            #expect(again == [.unchanged(stored[0].id), .unchanged(stored[0].id), .unchanged(stored[1].id)])
            #expect(try await products(shop) == stored)
            #expect(try await shop.eventTypes() == ["product.created", "product.created"])
        }
    }

    @Test("A row finds its variant by the SKU and changes only what it names", arguments: TestEngine.allCases)
    func skus(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let old = try await shop.product(
                """
                {"title":"Hat","brand":"Acme",
                 "variants":[{"sku":"HAT","price":5,"currency":"USD","barcode":"4"},{"sku":"B"}]}
                """
            )
            let outcomes = try await load(shop, [#"{"status":"active","variant":{"sku":"HAT","price":7}}"#])
            #expect(outcomes == [.updated(old.id)])
            let new = try await shop.products.require(old.id, scope: Shop.scope)
            #expect(new.brand == "Acme" && new.status == .active && new.version == 2)
            #expect(new.variants.map(\.price) == [usd(700), nil] && new.variants[0].barcode == "4")
            #expect(new.variants.map(\.version) == [2, 1])
            let types = ["product.created", "product.activated", "product.updated", "product.price_changed"]
            #expect(try await shop.eventTypes() == types)
        }
    }

    @Test("A row that can't be written is refused alone, with where and why", arguments: TestEngine.allCases)
    func refusals(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.variant("SISTER", scope: Shop.sister)
            let outcomes = try await load(
                shop,
                [
                    #"{"variant":{"sku":"NEW"}}"#,
                    #"{"title":"A","variant":{"sku":"A","price":5}}"#,
                    #"{"title":"S","variant":{"sku":"SISTER"}}"#,
                    #"{"title":"C","variant":{"sku":"C"},"category_id":"019391c1-2c5c-7000-8000-000000000009"}"#,
                    #"{"handle":"o","title":"O","variant":{"sku":"O1","options":{"Size":"M"}}}"#,
                    #"{"handle":"o","variant":{"sku":"O2","options":{"Size":"M"}}}"#,
                    #"{"title":"Good","variant":{"sku":"GOOD"}}"#,
                ])
            let pointers = outcomes.map { outcome -> String? in
                if case .refused(let faults) = outcome { faults.first?.pointer } else { nil }
            }
            #expect(
                pointers == [
                    "/title", "/variant/currency", "/variant/sku", "/category_id", "/variant/options",
                    "/variant/options",
                    nil,
                ])
            #expect(try await products(shop).map(\.title) == ["Good"])
        }
    }

    @Test("Five hundred rows take few statements", arguments: TestEngine.allCases)
    func statements(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let rows = (0..<500).map {
                #"{"title":"Product \#($0)","variant":{"sku":"S\#($0)","price":5,"currency":"USD"}}"#
            }
            let before = shop.database.statementCount
            let outcomes = try await load(shop, rows)
            #expect(outcomes.count == 500 && Set(outcomes.map { "\($0)" }).count == 500)
            // SQLite cuts batches of more than 256 rows into several statements.
            #expect(shop.database.statementCount - before < 60)
            #expect(try await products(shop).count == 500)
        }
    }

    @Test("Many creations at once all land, each with its own outcome", arguments: TestEngine.allCases)
    func creations(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        do {
                            let json = #"{"title":"P","handle":"h\#(number / 2)","variants":[{"sku":"S\#(number)"}]}"#
                            return try await shop.product(json).variants[0].sku ?? ""
                        } catch let refusal as Refusal {
                            return refusal.kind.rawValue
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == "conflict" } == 20)
            let stored = try await products(shop)
            #expect(stored.count == 20 && Set(stored.compactMap(\.handle)).count == 20)
            #expect(Set(stored.flatMap(\.variants).compactMap(\.sku)) == Set(outcomes).subtracting(["conflict"]))
            #expect(try await shop.eventTypes().count == 20)
        }
    }
}
