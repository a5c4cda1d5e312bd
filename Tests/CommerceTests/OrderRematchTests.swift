import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Lines that are matched when their product appears")
struct OrderRematchTests {
    @Test("A new SKU matches waiting lines, fully or in part, and tells of it", arguments: TestEngine.allCases)
    func newSKU(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([
                snapshot("full", lines: [line("1", sku: "A"), line("fee:1")]),
                snapshot("part", lines: [line("1", sku: "A"), line("2", sku: "B")]),
                snapshot("none", lines: [line("1", sku: "B")]),
            ])
            let before = try await shop.stored()
            let variant = try await shop.variant("A")
            await shop.rematch.drain()
            let after = try await shop.stored()
            #expect(after["full"]?.matchStatus == .full && after["part"]?.matchStatus == .partial)
            #expect(after["full"]?.lines[0].variant == variant.id && after["full"]?.lines[0].match == .sku)
            #expect(after["full"]?.version == 2 && after["none"] == before["none"])
            let events = try await shop.events().filter { $0.type == "order.updated" }
            #expect(events.count == 2)
            for event in events {
                #expect(event.payload["changed"] == .array([.string("match_status"), .string("line_items")]))
            }
            #expect(try await shop.count("SELECT count(*) FROM workflow WHERE outcome = 'processed'") == 1)
        }
    }

    @Test("The second of two lines changes the lines and not the status in part", arguments: TestEngine.allCases)
    func partial(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let lines = [line("1", sku: "A"), line("2", sku: "B"), line("3", sku: "C")]
            try await shop.take([snapshot("o", lines: lines)])
            for sku in ["A", "B"] {
                try await shop.variant(sku)
                await shop.rematch.drain()
            }
            let last = try #require(try await shop.events().last { $0.type == "order.updated" })
            #expect(last.payload["changed"] == .array([.string("line_items")]))
            #expect(last.payload["match_status"] == .string("partial"))
        }
    }

    @Test("A SKU in more than a hundred orders is matched in all of them", arguments: TestEngine.allCases)
    func pages(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            for start in stride(from: 0, to: 250, by: 50) {
                try await shop.take((start..<start + 50).map { snapshot("o\($0)", lines: [line("1", sku: "A")]) })
            }
            try await shop.take([snapshot("foreign", lines: [line("1", sku: "A")])], scope: Shop.stranger)
            try await shop.variant("A")
            let before = shop.database.statementCount
            await shop.rematch.drain()
            #expect(shop.database.statementCount - before < 100)
            #expect(try await shop.stored().values.allSatisfy { $0.matchStatus == .full })
            #expect(try await shop.stored(Shop.stranger)["foreign"]?.matchStatus == Order.MatchStatus.none)
            #expect(try await shop.eventTypes().count { $0 == "order.updated" } == 250)
        }
    }

    @Test(
        "A product of a thousand variants is looked for in pieces, and no order is passed over",
        arguments: TestEngine.allCases)
    func manyTerms(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let skus = (0..<1000).map { "S-\($0)" }
            for start in stride(from: 0, to: 1000, by: 100) {
                // Each order has two SKUs that stand far from each other in the list.
                try await shop.take(
                    (start..<start + 100).map { number in
                        snapshot(
                            "o\(number)", lines: [line("1", sku: skus[number]), line("2", sku: skus[999 - number])])
                    })
            }
            let variants = skus.map { #"{"sku":"\#($0)"}"# }.joined(separator: ",")
            try await shop.product(#"{"title":"T","variants":[\#(variants)]}"#)
            await shop.rematch.drain()
            #expect(try await shop.count("SELECT count(*) FROM order_line WHERE variant_id IS NULL") == 0)
            #expect(try await shop.count("SELECT count(*) FROM sales_order WHERE match_status = 'full'") == 1000)
            #expect(try await shop.count("SELECT count(*) FROM workflow WHERE state = 'pending'") == 0)
        }
    }

    @Test("Each place of a term is looked up, and no unmatched line walked over", arguments: TestEngine.allCases)
    func plans(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take((0..<50).map { snapshot("o\($0)", lines: [line("1", sku: "S-\($0)")]) })
            let recorder = StatementRecorder(shop.database)
            let variant = try await shop.variant("A")
            try await recorder.write { transaction in
                _ = try OrderRematch.begin(
                    for: [variant], scope: Shop.scope, ids: shop.ids, now: shop.time.now, in: transaction)
                _ = try OrderRematch.candidates(
                    ["A", "a", "ext-1"], tenant: Shop.scope.tenant, after: .zero, limit: 10, in: transaction)
            }
            let searches = recorder.recorded.filter { $0.statement.text.contains("UNION") }
            #expect(searches.count == (engine == .sqlite ? 2 : 1))
            for search in searches {
                let plan = try await shop.database.write { try QueryPlan.ask(for: search, in: $0) }
                let text = plan.lines.joined(separator: "\n")
                for index in ["order_line_unmatched", "order_line_unmatched_folded", "order_line_unmatched_item"] {
                    #expect(text.contains(index + " ") || text.contains(index + "\n"), "\(text)")
                }
            }
        }
    }

    @Test(
        "An item that names a variant of ours by its id is found when the variant is there",
        arguments: TestEngine.allCases)
    func mapping(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("o", lines: [line("1", item: "ext-1")])])
            let variant = try await shop.variant("A")
            await shop.rematch.drain()
            #expect(try await shop.order("o").matchStatus == Order.MatchStatus.none)
            try await shop.map("ext-1", to: variant.id)
            try await shop.database.write { transaction in
                try OrderRematch.begin(
                    terms: ["ext-1"], scope: Shop.scope, ids: shop.ids, now: shop.time.now, in: transaction)
            }
            await shop.rematch.drain()
            #expect(try await shop.order("o").lines[0].match == .mapping)
        }
    }

    private func found(_ shop: Shop) async throws -> LineMatch { try await shop.order("o").lines[0].match }

    /// A line whose SKU two variants have in other cases stays ambiguous until one variant has it to the letter, or
    /// until a changed SKU leaves no more than one: then nothing is ambiguous, and nothing matches to the letter
    /// either.
    @Test("An ambiguous line is resolved by the exact SKU only", arguments: TestEngine.allCases)
    func ambiguous(_ engine: TestEngine) async throws {
        try await withShop(engine) { (shop: Shop) async throws -> Void in
            try await shop.take([snapshot("o", lines: [line("1", sku: "cap")])])
            try await shop.variant("Cap")
            await shop.rematch.drain()
            #expect(try await found(shop) == .unmatched)
            let second = try await shop.product(#"{"title":"T","variants":[{"sku":"CAP"}]}"#)
            await shop.rematch.drain()
            #expect(try await found(shop) == .ambiguous)
            func rename(_ sku: String) async throws {
                _ = try await shop.products.changeVariant(
                    second.variants[0].id, of: second.id,
                    request(#"{"sku":"\#(sku)"}"#) { VariantChange($0) }, scope: Shop.scope, actor: Shop.actor)
                await shop.rematch.drain()
            }
            try await rename("HAT")
            #expect(try await found(shop) == .unmatched)
            try await rename("cap")
            #expect(try await found(shop) == .sku)
            #expect(try await shop.order("o").matchStatus == .full)
        }
    }

    @Test("A further variant and a changed SKU are looked for too", arguments: TestEngine.allCases)
    func addedVariant(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.take([snapshot("o", lines: [line("1", sku: "A"), line("2", sku: "B")])])
            let product = try await shop.product(#"{"title":"T"}"#)
            let variant = try await shop.products.addVariant(
                request(#"{"sku":"A"}"#) { NewVariant($0) }, to: product.id, scope: Shop.scope, actor: Shop.actor
            ).variant
            await shop.rematch.drain()
            #expect(try await shop.order("o").lines.map(\.match) == [.sku, .unmatched])
            _ = try await shop.products.changeVariant(
                variant.id, of: product.id, request(#"{"sku":"B"}"#) { VariantChange($0) }, scope: Shop.scope,
                actor: Shop.actor)
            await shop.rematch.drain()
            // What was matched once stays, although the variant is called otherwise now.
            #expect(try await shop.order("o").lines.map(\.variant) == [variant.id, variant.id])
        }
    }
}
