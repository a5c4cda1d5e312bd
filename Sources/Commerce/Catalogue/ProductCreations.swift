import Events
import Kernel
import Storage
import Synchronization
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

    private struct Waiting: Sendable {
        let item: Item
        let resume: @Sendable (Result<Product, any Error>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        var isRunning = false
    }

    /// Creations of one transaction: it bounds how long the last of them waits.
    private static let batchLimit = 64
    /// Creations that may wait; more are told to come back.
    private static let waitingLimit = 4096

    private let publisher: EventPublisher
    private let writer: CatalogueWriter
    private let state = Mutex(State())

    init(publisher: EventPublisher, writer: CatalogueWriter) {
        self.publisher = publisher
        self.writer = writer
    }

    /// Returns once the product is on disk.
    func submit(_ item: Item) async throws -> Product {
        try await withCheckedThrowingContinuation { continuation in
            let waiting = Waiting(item: item) { continuation.resume(with: $0) }
            let (isFull, mustStart) = state.withLock { state in
                if state.waiting.count >= Self.waitingLimit { return (true, false) }
                state.waiting.append(waiting)
                defer { state.isRunning = true }
                return (false, !state.isRunning)
            }
            if isFull {
                waiting.resume(.failure(StorageError(.unavailable, "\(Self.waitingLimit) products are waiting")))
            } else if mustStart {
                Task { await run() }
            }
        }
    }

    private func run() async {
        while let batch = take() { await commit(batch) }
    }

    private func take() -> [Waiting]? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.isRunning = false
                return nil
            }
            let batch = Array(state.waiting.prefix(Self.batchLimit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: [Waiting]) async {
        let items = batch.map(\.item)
        do {
            let results = try await publisher.writeAgainAfterDuplicate { try self.create(items, events: $1, in: $0) }
            for (waiting, result) in zip(batch, results) { waiting.resume(result) }
        } catch {
            // One that the store refuses must not take its neighbours with it: each is tried alone.
            if batch.count == 1 {
                batch[0].resume(.failure(error))
            } else {
                for waiting in batch { await commit([waiting]) }
            }
        }
    }

    private func create(
        _ items: [Item], events: EventBuffer, in transaction: any Transaction
    ) throws -> [Result<Product, any Error>] {
        var results: [Result<Product, any Error>?] = []
        var edits: [(index: Int, edit: ProductEdit)] = []
        for (index, item) in items.enumerated() {
            do {
                let author = CatalogueWriter.Author(actor: item.actor, source: "api")
                let product = try product(item, now: events.now)
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

    private func product(_ item: Item, now: Timestamp) throws -> Product {
        var product = Product(id: item.id, scope: item.scope, title: "", status: item.new.status, now: now)
        try item.new.change.apply(to: &product)
        product.variants = item.new.variants.map { $0.made(writer.ids.next(), of: item.id, now: now) }
        try OptionRules.settle(&product) { "/variants/\($0)/options" }
        return product
    }
}
