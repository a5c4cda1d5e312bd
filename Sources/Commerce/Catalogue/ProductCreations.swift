import Events
import Kernel
import Storage
import Webhooks

/// Creates products in batches: those that arrive while one transaction runs share the next, and with it the
/// statements for rows, words, the catalogue's counter and events.
///
/// There is no timer: a single creation is written at once.
final class ProductCreations: Sendable {
    struct Item: Sendable {
        let id: ProductID
        let new: NewProduct
        let scope: Scope
        let actor: Actor
    }

    /// Creations of one transaction: it bounds how long the last of them waits.
    private static let batchLimit = 64
    /// Creations that may wait; more are told to come back.
    private static let waitingLimit = 4096

    private let publisher: EventPublisher
    private let writer: CatalogueWriter
    private let committer: GroupCommitter<Item, Result<Product, any Error>>

    init(publisher: EventPublisher, writer: CatalogueWriter) {
        self.publisher = publisher
        self.writer = writer
        committer = publisher.committer(batchLimit: Self.batchLimit, waitingLimit: Self.waitingLimit) {
            try Self.create($2, by: writer, events: $1, in: $0)
        }
    }

    /// Returns once the product is on disk.
    func submit(_ item: Item) async throws -> Product {
        do {
            return try await committer.submit(item).get()
        } catch let error as StorageError where error.code != .unavailable {
            // One that the store refuses must not take its neighbours with it: each is tried alone.
            let results = try await publisher.writeAgainAfterDuplicate { [writer] in
                try Self.create([item], by: writer, events: $1, in: $0)
            }
            return try results[0].get()
        }
    }

    private static func create(
        _ items: [Item], by writer: CatalogueWriter, events: EventBuffer, in transaction: any Transaction
    ) throws -> [Result<Product, any Error>] {
        var results: [Result<Product, any Error>?] = []
        var edits: [(index: Int, edit: ProductEdit)] = []
        for (index, item) in items.enumerated() {
            do {
                let author = CatalogueWriter.Author(actor: item.actor, source: "api")
                let product = try product(item, ids: writer.ids, now: events.now)
                edits.append((index, ProductEdit(from: nil, to: product, by: author)))
                results.append(nil)
            } catch {
                results.append(.failure(error))
            }
        }
        let refusals = try Uniqueness.refusals(of: edits.map(\.edit), in: transaction)
        var accepted: [(index: Int, edit: ProductEdit)] = []
        for (entry, refusal) in zip(edits, refusals) {
            if let refusal { results[entry.index] = .failure(refusal) } else { accepted.append(entry) }
        }
        let saved = try writer.write(accepted.map(\.edit), events: events, in: transaction)
        for (entry, product) in zip(accepted, saved) { results[entry.index] = .success(product) }
        return results.map { $0 ?? .failure(StorageError(.misuse, "each creation has an outcome")) }
    }

    private static func product(_ item: Item, ids: IDGenerator, now: Timestamp) throws -> Product {
        var product = Product(id: item.id, scope: item.scope, title: "", status: item.new.status, now: now)
        try item.new.change.apply(to: &product)
        product.variants = item.new.variants.map { $0.made(ids.next(), of: item.id, now: now) }
        try OptionRules.settle(&product) { "/variants/\($0)/options" }
        return product
    }
}
