import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("The bound on open imports")
struct ImportLimitTests {
    @Test("Of many that are opened at once no more come in than may be open", arguments: TestEngine.allCases)
    func concurrent(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            try await shop.database.write { transaction in
                try transaction.execute(
                    "INSERT INTO tenant (id, created_at) VALUES ($1, 0)", [.id(Shop.scope.tenant)])
            }
            let imports = Imports(shop)
            for round in 1...5 {
                let opened = await withTaskGroup(of: CatalogueImport?.self) { group in
                    for _ in 0..<16 { group.addTask { try? await open(imports) } }
                    var opened: [CatalogueImport] = []
                    for await one in group { if let one { opened.append(one) } }
                    return opened
                }
                #expect(opened.count == ImportService.openMost, "round \(round)")
                await #expect(throws: Refusal.conflict("There are at most 5 open imports of a tenant.")) {
                    _ = try await open(imports)
                }
                for one in opened { try await imports.service.discard(one) }
            }
        }
    }

    private func open(_ imports: Imports) async throws -> CatalogueImport? {
        let request = ImportRequest(format: .csv, currency: nil, isDryRun: false, idempotencyKey: nil)
        let opening = try await imports.service.open(
            request, scope: Shop.scope, actor: Shop.actor, user: Shop.actor.user)
        if case .new(let one) = opening { return one }
        return nil
    }
}
