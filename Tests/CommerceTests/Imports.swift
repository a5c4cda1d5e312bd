import Durable
import Events
import Kernel
import Logging
import Storage
import TestSupport
import Testing

@testable import Commerce

/// Imports over a shop, worked on when a test says so.
struct Imports {
    let shop: Shop
    let service: ImportService
    let runner: WorkflowRunner
    let workflow: ImportWorkflow

    init(_ shop: Shop) {
        self.shop = shop
        workflow = ImportWorkflow(
            publisher: shop.publisher, rematch: shop.rematch, changes: CatalogueChanges(), ids: shop.ids,
            time: shop.time.source)
        runner = WorkflowRunner(
            kind: workflow, database: shop.database, time: shop.time.source, random: SharedRandom(seed: 3).next,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        service = ImportService(database: shop.database, runner: runner, ids: shop.ids, time: shop.time.source)
    }

    /// Sends a file in pieces; nothing is done with it yet.
    func send(
        _ bytes: [UInt8], _ format: CatalogueImport.Format = .csv, currency: Currency? = nil, dryRun: Bool = false,
        scope: Scope = Shop.scope, piece: Int = 700
    ) async throws -> CatalogueImport {
        let request = ImportRequest(format: format, currency: currency, isDryRun: dryRun, idempotencyKey: nil)
        guard
            case .new(let one) = try await service.open(
                request, scope: scope, actor: Shop.actor, user: Shop.actor.user)
        else { throw Refusal.conflict("no new import") }
        for start in stride(from: 0, to: bytes.count, by: piece) {
            try await service.append(Array(bytes[start...].prefix(piece)), at: start, to: one)
        }
        return try await service.begin(one, head: Array(bytes.prefix(piece)), size: bytes.count, digest: [1])
    }

    /// Sends a file and brings it in to its end.
    func bring(
        _ text: String, _ format: CatalogueImport.Format = .csv, currency: Currency? = nil, dryRun: Bool = false,
        scope: Scope = Shop.scope
    ) async throws -> (one: CatalogueImport, faults: [ImportFault]) {
        let one = try await send(Array(text.utf8), format, currency: currency, dryRun: dryRun, scope: scope)
        await runner.drain()
        return try await ended(one)
    }

    func ended(_ one: CatalogueImport) async throws -> (one: CatalogueImport, faults: [ImportFault]) {
        let faults = try await service.faults(of: one.id, scope: one.scope, after: 0, limit: 10_000)
        return (try await service.require(one.id, scope: one.scope), faults.map(\.fault))
    }

    func products(_ scope: Scope = Shop.scope) async throws -> [Product] {
        try await shop.products.list(ProductQuery(limit: 10_000), scope: scope)
    }

    func export(_ format: CatalogueImport.Format, scope: Scope = Shop.scope) async throws -> String {
        var bytes: [UInt8] = []
        try await CatalogueExport(products: shop.products, categories: shop.categories)
            .write(format, scope: scope) { piece, _ in bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }
}
