import Events
import Kernel
import Storage
import TestSupport
import Testing
import Webhooks

@testable import Commerce

@Suite("Which variant a line is")
struct LineMatcherTests {
    private func match(
        _ shop: Shop, item: String? = nil, sku: String? = nil, connection: ID<OrderSource>? = Shop.connection,
        tenant: TenantID = Shop.scope.tenant
    ) async throws -> MatchedVariant {
        let question = LineQuestion(tenant: tenant, connection: connection, itemID: item, sku: sku)
        return try await shop.database.read { try LineMatcher([question], in: $0).match(question) }
    }

    @Test("The item is a variant id of ours, as UUID in either case or as ULID", arguments: TestEngine.allCases)
    func ownItem(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            let expected = MatchedVariant(variant: variant.id, how: .item)
            for text in [variant.id.description, variant.id.description.uppercased(), variant.id.ulid] {
                #expect(try await match(shop, item: text) == expected)
            }
        }
    }

    @Test("The item is believed before the SKU", arguments: TestEngine.allCases)
    func itemFirst(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (a, b) = (try await shop.variant("A"), try await shop.variant("B"))
            #expect(
                try await match(shop, item: a.id.description, sku: "B") == MatchedVariant(variant: a.id, how: .item))
            try await shop.map("ext-1", to: a.id)
            #expect(try await match(shop, item: "ext-1", sku: "B") == MatchedVariant(variant: a.id, how: .mapping))
            #expect(try await match(shop, item: "ext-2", sku: "B") == MatchedVariant(variant: b.id, how: .sku))
        }
    }

    @Test("A mapping holds for its connection alone", arguments: TestEngine.allCases)
    func mapping(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A")
            try await shop.map("ext-1", to: variant.id)
            #expect(try await match(shop, item: "ext-1").how == .mapping)
            #expect(try await match(shop, item: "ext-1", connection: ID(high: 3, low: 2)) == .unmatched)
            #expect(try await match(shop, item: "ext-1", connection: nil) == .unmatched)
            #expect(try await match(shop, item: "ext-1", tenant: Shop.stranger.tenant) == .unmatched)
        }
    }

    @Test(
        "The SKU counts to the letter, without the white space around it",
        arguments: TestEngine.allCases,
        [
            ("A-1", LineMatch.sku), ("  A-1\t\n", .sku), ("\u{00A0}A-1 ", .sku), ("A-2", .unmatched),
            ("a-1", .unmatched), ("A -1", .unmatched), ("", .unmatched), ("   ", .unmatched), ("é", .sku),
        ])
    func sku(_ engine: TestEngine, _ row: (text: String, how: LineMatch)) async throws {
        try await withShop(engine) { shop in
            try await shop.variant("A-1")
            try await shop.variant("é")
            let found = try await match(shop, sku: row.text)
            #expect(found.how == row.how && (found.variant != nil) == (row.how == .sku))
        }
    }

    @Test("A SKU that two variants have in other spellings of case is ambiguous", arguments: TestEngine.allCases)
    func ambiguous(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.variant("Cap")
            #expect(try await match(shop, sku: "cap") == .unmatched)
            let second = try await shop.variant("CAP")
            #expect(try await match(shop, sku: "cap") == MatchedVariant(variant: nil, how: .ambiguous))
            #expect(try await match(shop, sku: "CAP") == MatchedVariant(variant: second.id, how: .sku))
        }
    }

    @Test("Another tenant's variants are never found, one of a sister organisation is", arguments: TestEngine.allCases)
    func tenants(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let foreign = try await shop.variant("A", scope: Shop.stranger)
            #expect(try await match(shop, sku: "A") == .unmatched)
            #expect(try await match(shop, item: foreign.id.description) == .unmatched)
            let sister = try await shop.variant("A", scope: Shop.sister)
            #expect(try await match(shop, sku: "A") == MatchedVariant(variant: sister.id, how: .sku))
        }
    }

    @Test("Many lines of several tenants are asked for in four statements", arguments: TestEngine.allCases)
    func statements(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let own = try await shop.variant("S-7")
            let foreign = try await shop.variant("S-7", scope: Shop.stranger)
            let questions = (0..<100).flatMap { number in
                [Shop.scope.tenant, Shop.stranger.tenant].map { tenant in
                    LineQuestion(
                        tenant: tenant, connection: Shop.connection, itemID: "i-\(number)", sku: "S-\(number)")
                }
            }
            let before = shop.database.statementCount
            let found = try await shop.database.read { transaction in
                let matcher = try LineMatcher(Set(questions), in: transaction)
                return questions.map { matcher.match($0) }
            }
            #expect(shop.database.statementCount - before <= 4)
            #expect(found.compactMap(\.variant) == [own.id, foreign.id])
        }
    }
}
