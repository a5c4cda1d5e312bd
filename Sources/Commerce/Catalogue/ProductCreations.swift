import Events
import Kernel
import Storage
import Webhooks

/// Creates products in batches: those that arrive while one transaction runs share the next, and with it the
/// statements for rows, words, the catalogue's counter and events.
///
/// There is no timer: a single creation is written at once. All that needs no transaction is done before it, by the
/// caller's thread: the store's writer is what many callers wait for.
final class ProductCreations: Sendable {
    typealias Resume = @Sendable (Result<Product, any Error>) -> Void

    /// Creations of one transaction: it bounds how long the last of them waits.
    private static let batchLimit = 64
    /// Creations that may wait; more are told to come back.
    private static let waitingLimit = 4096

    private let publisher: EventPublisher
    private let writer: CatalogueWriter
    private let committer: GroupCommitter<ProductEdit, Result<Product, any Error>>

    init(publisher: EventPublisher, writer: CatalogueWriter) {
        self.publisher = publisher
        self.writer = writer
        committer = publisher.committer(batchLimit: Self.batchLimit, waitingLimit: Self.waitingLimit) {
            try Self.create($2, by: writer, events: $1, in: $0)
        }
    }

    /// Calls `resume` once the product is on disk, or with why it is not; it must not block.
    func submit(_ new: NewProduct, scope: Scope, actor: Actor, resume: @escaping Resume) {
        let edit: ProductEdit
        do { edit = try draft(of: new, scope: scope, actor: actor) } catch { return resume(.failure(error)) }
        committer.submit(edit) { [self] result in
            if case .failure(let error as StorageError) = result, error.code != .unavailable {
                // One that the store refuses must not take its neighbours with it: each is tried alone.
                Task { resume(await create(edit)) }
            } else {
                resume(result.flatMap(\.self))
            }
        }
    }

    private func create(_ edit: ProductEdit) async -> Result<Product, any Error> {
        do {
            let results = try await publisher.writeAgainAfterDuplicate { [writer] in
                try Self.create([edit], by: writer, events: $1, in: $0)
            }
            return results[0]
        } catch {
            return .failure(error)
        }
    }

    private static func create(
        _ edits: [ProductEdit], by writer: CatalogueWriter, events: EventBuffer, in transaction: any Transaction
    ) throws -> [Result<Product, any Error>] {
        let refusals = try Uniqueness.refusals(of: edits, in: transaction)
        let accepted = zip(edits, refusals).filter { $0.1 == nil }.map(\.0)
        var saved = try writer.write(accepted, events: events, in: transaction)[...]
        return refusals.map { refusal in
            if let refusal { return .failure(refusal) }
            return saved.popFirst().map { .success($0) }
                ?? .failure(StorageError(.misuse, "each creation has an outcome"))
        }
    }

    /// The product that a caller asks for, but for its times: those are its transaction's.
    private func draft(of new: NewProduct, scope: Scope, actor: Actor) throws -> ProductEdit {
        let made = Timestamp(milliseconds: 0)
        var product = Product(id: writer.ids.next(), scope: scope, title: "", status: new.status, now: made)
        try new.change.apply(to: &product)
        product.variants = new.variants.map { $0.made(writer.ids.next(), of: product.id, now: made) }
        try OptionRules.settle(&product) { "/variants/\($0)/options" }
        var edit = ProductEdit(
            from: nil, to: product, by: CatalogueWriter.Author(actor: actor, source: "api"))
        edit.words = try product.words
        return edit
    }
}
