import Events
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Who has a SKU or a handle")
struct UniquenessTests {
    private static let count = 2000

    @Test("Owners are told apart within one lookup", arguments: TestEngine.allCases)
    func owners(engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let product = try await shop.product(#"{"title":"T","handle":"h","variants":[{"sku":"A"}]}"#)
            let owners = [Shop.scope, Shop.sister, Shop.stranger]
            let skus = Set(owners.map { VariantStore.SKU(tenant: $0.tenant, text: "A") })
            let handles = Set(owners.map { ProductStore.Handle(scope: $0, text: "h") })
            let (bySKU, byHandle) = try await shop.database.read { transaction in
                (
                    try VariantStore.holders(of: skus, in: transaction).byKey(),
                    try ProductStore.holders(of: handles, in: transaction).byKey()
                )
            }
            let holder = VariantStore.Holder(
                variant: product.variants[0].id, product: product.id, organisation: Shop.scope.organisation)
            #expect(bySKU == [VariantStore.SKU(tenant: Shop.scope.tenant, text: "A"): holder])
            #expect(byHandle == [ProductStore.Handle(scope: Shop.scope, text: "h"): product.id])
        }
    }

    @Test("PostgreSQL looks each up by itself in tables that were never analysed", arguments: ["variant", "product"])
    func plans(table: String) async throws {
        try await withShop(.postgres) { shop in
            try await shop.database.write { transaction in
                try transaction.execute(
                    """
                    INSERT INTO product (id, tenant_id, org_id, handle, title, status, version, created_at, updated_at)
                    SELECT gen_random_uuid(), $1, $2, 'h' || n, 'T', 'draft', 1, 0, 0 FROM generate_series(1, $3) n
                    """, [.id(Shop.scope.tenant), .id(Shop.scope.organisation), .int(Self.count)])
                try transaction.execute(
                    """
                    INSERT INTO variant (id, tenant_id, org_id, product_id, sku, version, created_at, updated_at)
                    SELECT gen_random_uuid(), tenant_id, org_id, id, handle, 1, 0, 0 FROM product
                    """)
            }
            let recorder = StatementRecorder(shop.database)
            let texts = (1...16).map { "h\($0 * 100)" }
            let found = try await recorder.read { transaction in
                if table == "variant" {
                    let skus = texts.map { VariantStore.SKU(tenant: Shop.scope.tenant, text: $0) }
                    return try VariantStore.holders(of: Set(skus), in: transaction).answer().count
                }
                let handles = texts.map { ProductStore.Handle(scope: Shop.scope, text: $0) }
                return try ProductStore.holders(of: Set(handles), in: transaction).answer().count
            }
            #expect(found == 16)
            let lookup = try #require(recorder.recorded.first)
            let plan = try await shop.database.write { try QueryPlan.run(lookup, in: $0) }
            let lines = plan.lines.joined(separator: "\n")
            #expect(plan.lines.contains { $0.contains("on \(table) ") && $0.contains("rows=1 loops=16") }, "\(lines)")
            #expect(!lines.contains("Rows Removed"), "\(lines)")
        }
    }

    /// What it chooses here it keeps for a while, in which a table may grow.
    @Test("PostgreSQL looks a SKU up by the SKU itself while there is none at all")
    func emptyTable() async throws {
        try await withShop(.postgres) { shop in
            let recorder = StatementRecorder(shop.database)
            let sku = VariantStore.SKU(tenant: Shop.scope.tenant, text: "A")
            #expect(try await recorder.read { try VariantStore.holders(of: [sku], in: $0).answer() }.isEmpty)
            let lookup = try #require(recorder.recorded.first)
            let lines = try await shop.database.write { try QueryPlan.run(lookup, in: $0) }.lines
            #expect(lines.contains { $0.contains("using variant_by_sku on variant") }, "\(lines)")
        }
    }
}
