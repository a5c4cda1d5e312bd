import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Mappings of stores' items")
struct VariantMappingTests {
    private func service(_ shop: Shop) -> VariantMappingService {
        VariantMappingService(database: shop.database, rematch: shop.rematch, ids: shop.ids, time: shop.time.source)
    }

    private func put(
        _ shop: Shop, _ item: String, _ variant: VariantID, scope: Scope = Shop.scope
    ) async throws -> VariantMapping {
        let body = #"{"external_id":"\#(item)","variant_id":"\#(variant)"}"#
        return try await service(shop).put(
            request(body) { VariantMappingService.Request($0) }, of: Shop.connection, scope: scope)
    }

    @Test("A mapping matches the lines that wait for it, and lines that come later", arguments: TestEngine.allCases)
    func matching(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let (a, b) = (try await shop.variant("A").id, try await shop.variant("B").id)
            try await shop.take([snapshot("o", at: 1, lines: [line("1", 2, item: "ext/1")])])
            #expect(try await put(shop, "ext/1", a).variant == a)
            await shop.rematch.drain()
            let order = try await shop.order("o")
            #expect(order.lines[0].variant == a && order.lines[0].match == .mapping && order.matchStatus == .full)
            #expect(try await shop.balance(a) == Balance(reserved: 2))
            _ = try await put(shop, "ext/1", b)
            await shop.rematch.drain()
            #expect(try await shop.order("o").lines[0].variant == a)
            try await shop.take([snapshot("p", at: 1, lines: [line("1", 1, item: "ext/1")])])
            #expect(try await shop.order("p").lines[0].variant == b)
        }
    }

    @Test("Mappings are listed by page and forgotten", arguments: TestEngine.allCases)
    func listing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let variant = try await shop.variant("A").id
            for item in ["c", "a", "b"] { _ = try await put(shop, item, variant) }
            let mappings = service(shop)
            func list(after: String? = nil, limit: Int = 9, scope: Scope = Shop.scope) async throws -> [String] {
                try await mappings.list(of: Shop.connection, scope: scope, after: after, limit: limit)
                    .map(\.externalID)
            }
            #expect(try await list(limit: 2) == ["a", "b"])
            #expect(try await list(after: "b") == ["c"])
            #expect(try await list(scope: Shop.stranger).isEmpty)
            try await mappings.delete("b", of: Shop.connection, scope: Shop.scope)
            #expect(try await list() == ["a", "c"])
            await #expect(throws: Refusal.notFound("mapping")) {
                try await mappings.delete("b", of: Shop.connection, scope: Shop.scope)
            }
            await #expect(throws: Refusal.notFound("mapping")) {
                try await mappings.delete("a", of: Shop.connection, scope: Shop.stranger)
            }
        }
    }

    @Test("Other owners' variants are not found, and bad bodies are refused", arguments: TestEngine.allCases)
    func owners(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            for scope in [Shop.sister, Shop.stranger] {
                let theirs = try await shop.variant("X-\(scope.organisation)", scope: scope).id
                await #expect(throws: Refusal.notFound("variant", at: ["/variant_id"])) {
                    _ = try await put(shop, "i", theirs)
                }
            }
            for body in [#"{"external_id":"","variant_id":"x"}"#, #"{"external_id":5}"#] {
                let invalid = #expect(throws: InvalidDocument.self) {
                    _ = try request(body) { VariantMappingService.Request($0) }
                }
                #expect(invalid?.faults.map(\.pointer).sorted() == ["/external_id", "/variant_id"])
            }
        }
    }
}
