import Durable
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Bringing a catalogue file in")
struct ImportWorkflowTests {
    @Test("Good rows go in and every bad one is told with its line and column", arguments: TestEngine.allCases)
    func badRows(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let lines = [
                "sku,title,price,currency,weight_grams,tags",  // 1
                "A,Good,5,USD,10,\"x, y\"",
                "B,Digits,5.001,USD,10,",
                "C,Currency,5,ABC,10,",
                "D,Short,5",
                "E,Long,5,USD,10,,,",  // 6
                "\"F\"x,Quote,5,USD,10,",
                "A,Double,5,USD,10,",
                "G,,5,USD,10,",
                "H,Weight,5,USD,heavy,",
                "I,\(String(repeating: "t", count: 1 << 20)),5,USD,10,",  // 11
                "J,NUL\u{0},5,USD,10,",
                "",
                "K,Last,7,USD,,",
            ]
            var bytes = Array(lines.joined(separator: "\r\n").utf8)
            bytes += Array("\r\nL,caf".utf8) + [0xE9] + Array(",5,USD,,".utf8)
            let sent = try await imports.send(bytes, piece: 64 << 10)
            await imports.runner.drain()
            let (one, faults) = try await imports.ended(sent)
            #expect(one.state == .completed && one.position == bytes.count)
            #expect(try await imports.products().map(\.title) == ["Good", "Last"])
            #expect(one.counts == CatalogueImport.Counts(rows: 13, created: 2, updated: 0, unchanged: 0, refused: 11))
            let told = faults.map { "\($0.line) \($0.field ?? "-")" }
            #expect(
                told == [
                    "3 price", "4 currency", "5 -", "6 -", "7 -", "8 sku", "9 title", "10 weight_grams", "11 title",
                    "12 title", "15 title",
                ])
            #expect(faults[5].reason.contains("line 2") && faults[10].reason.contains("Windows-1252"))
            #expect(try await shop.eventTypes() == ["product.created", "product.created"])
            #expect(try await imports.products()[0].details.tags == ["x", "y"])
        }
    }

    private func sheet(_ count: Int) -> String {
        (0..<count).reduce(into: "sku,title,price,currency\n") { $0 += "S\($1),Product \($1),\($1),USD\n" }
    }

    @Test(
        "An import whose copy dies in the middle is finished by another, each row once", arguments: TestEngine.allCases)
    func resumed(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let sent = try await imports.send(Array(sheet(1700).utf8))
            let database = shop.database
            let first = try await database.write { transaction in
                try WorkflowStore.claim(kind: ImportWorkflow.kind, number: 77, limit: 1, in: transaction)
            }
            let claim = try #require(first.first)
            var reader = try await ImportReader(sent, database: database)
            let batch = try await reader.nextBatch()
            let stale = try await reader.nextBatch()
            #expect(try await imports.workflow.step(batch, layout: reader.layout, of: claim))
            let half = try await imports.service.require(sent.id, scope: Shop.scope)
            #expect(half.state == .running && half.counts.created == 500 && half.position == batch.end)

            // The lease of the dead copy ends, and another one takes over.
            try await database.write { transaction in
                try transaction.execute("UPDATE workflow SET next_at = 0 WHERE id = $1", [.id(sent.id)])
            }
            await imports.runner.drain()
            let (one, faults) = try await imports.ended(sent)
            #expect(one.state == .completed && one.counts.created == 1700 && one.counts.rows == 1700)
            #expect(faults.isEmpty)
            #expect(try await shop.eventTypes().count == 1700)
            // It was not dead after all: what it still writes changes nothing.
            await #expect(throws: LostClaim.self) {
                try await imports.workflow.step(stale, layout: reader.layout, of: claim)
            }
            #expect(try await shop.eventTypes().count == 1700)
            #expect(try await shop.count("SELECT count(*) FROM import_piece") == 0)
        }
    }

    @Test("A dry run says what would be and writes nothing", arguments: TestEngine.allCases)
    func dryRun(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            try await shop.variant("S1")
            let before = try await imports.products()
            let (one, faults) = try await imports.bring(
                "sku,title,price,category_path\nS0,New,1,A > B\nS1,Changed,2,\nS2,New,,A > B\n", currency: .usd,
                dryRun: true)
            #expect(one.counts == CatalogueImport.Counts(rows: 3, created: 2, updated: 1, unchanged: 0, refused: 0))
            #expect(faults.isEmpty, "\(faults)")
            #expect(try await imports.products() == before)
            #expect(try await shop.eventTypes().count == 1)
            #expect(try await shop.count("SELECT count(*) FROM category") == 0)
        }
    }

    @Test("An import can be held, go on, and be ended", arguments: TestEngine.allCases)
    func moves(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let sent = try await imports.send(Array(sheet(3).utf8))
            _ = try await imports.service.move(sent.id, to: .paused, scope: Shop.scope)
            await imports.runner.drain()
            #expect(try await imports.products().isEmpty)
            _ = try await imports.service.move(sent.id, to: .running, scope: Shop.scope)
            await imports.runner.drain()
            #expect(try await imports.ended(sent).one.state == .completed)
            await #expect(throws: Refusal.self) {
                try await imports.service.move(sent.id, to: .cancelled, scope: Shop.scope)
            }
            let second = try await imports.send(Array(sheet(5).utf8))
            _ = try await imports.service.move(second.id, to: .cancelled, scope: Shop.scope)
            await imports.runner.drain()
            #expect(try await imports.products().count == 3)
            await #expect(throws: Refusal.self) { try await imports.service.require(sent.id, scope: Shop.stranger) }
        }
    }

    @Test(
        "An import whose workflow is given up has failed, says why, and goes on when asked",
        arguments: TestEngine.allCases)
    func givenUp(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            let sent = try await imports.send(Array(sheet(3).utf8))
            try await shop.database.write { transaction in
                try transaction.execute(
                    """
                    UPDATE workflow SET state = 'dead', outcome = 'exhausted', reason = 'the store said no'
                    WHERE id = $1
                    """, [.id(sent.id)])
            }
            let failed = try await imports.service.require(sent.id, scope: Shop.scope)
            #expect(failed.state == .failed && failed.failure == "the store said no")
            await #expect(throws: Refusal.self) {
                try await imports.service.move(sent.id, to: .paused, scope: Shop.scope)
            }
            _ = try await imports.service.move(sent.id, to: .running, scope: Shop.scope)
            #expect(try await imports.service.require(sent.id, scope: Shop.scope).failure == nil)
            await imports.runner.drain()
            #expect(try await imports.ended(sent).one.state == .completed)
            #expect(try await imports.products().count == 3)
        }
    }

    @Test("Prices that change are told, and order lines find their new variants", arguments: TestEngine.allCases)
    func followUps(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            try await shop.take([snapshot("1", lines: [line("1", sku: "S2")])])
            _ = try await imports.bring(sheet(3))
            await shop.rematch.drain()
            #expect(try await shop.order("1").lines[0].variant != nil)
            let again = try await imports.bring(sheet(3))
            #expect(again.one.counts.unchanged == 3)
            let before = try await shop.eventTypes()
            _ = try await imports.bring("sku,price\nS2,9\n")
            #expect(
                try await shop.eventTypes().dropFirst(before.count) == ["product.updated", "product.price_changed"])
        }
    }

    @Test(
        "An export into an empty tenant gives the same catalogue", arguments: TestEngine.allCases,
        CatalogueImport.Format.allCases)
    func roundTrip(_ engine: TestEngine, _ format: CatalogueImport.Format) async throws {
        try await withShop(engine) { shop in
            let imports = Imports(shop)
            try await fill(shop, imports)
            let text = try await imports.export(format)
            let (one, faults) = try await imports.bring(text, format, scope: Shop.stranger)
            #expect(faults.isEmpty && one.counts.refused == 0, "\(faults)")
            // Ids are each tenant's own, and nothing else in it looks like one.
            func shape(_ text: String) -> String {
                text.replacing(#/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/#, with: "id")
            }
            let copy = try await imports.export(format, scope: Shop.stranger)
            #expect(shape(copy) == shape(text))
            #expect(try await imports.products(Shop.stranger).count == imports.products().count)
        }
    }

    private func fill(_ shop: Shop, _ imports: Imports) async throws {
        try await shop.product(
            #"""
            {"title":"=cmd()","handle":"shirt","description":"a \"b\",\nc","brand":" Acme","tags":["x","y,z"],
             "attributes":{"n":1.50,"f":true,"t":"=x"},"options":["Size"],"status":"active",
             "media":[{"url":"https://a.test/1","alt":"One"},{"url":"https://a.test/2"}],
             "variants":[{"sku":"M","options":{"Size":"M"},"price":5.50,"compare_at_price":7,"currency":"USD",
              "cost_price":2,"cost_currency":"EUR","gtin":"96385074","mpn":"m","weight_grams":5,"title":"Medium"},
              {"sku":"'+L","options":{"Size":"L"},"price":100,"currency":"JPY","barcode":"-4"}]}
            """#)
        try await shop.product(#"{"title":"Bare"}"#)
        try await shop.product(#"{"title":"Twins","variants":[{},{}]}"#)
        try await shop.product(#"{"title":"Nameless","variants":[{"options":{"A":"1"}},{"options":{"A":"2"}}]}"#)
        _ = try await imports.bring("handle,title,category_path\nplaced,Placed,A > B\nother,Other,\"[\"\"A\"\"]\"\n")
    }
}
