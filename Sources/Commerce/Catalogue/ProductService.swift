import Durable
import Events
import Kernel
import Storage
import Webhooks

/// What callers can do with products and variants. Each change raises its events; each new SKU is looked for among the
/// order lines that are still unmatched.
package struct ProductService: Sendable {
    private let publisher: EventPublisher
    private let writer: CatalogueWriter
    let ids: IDGenerator
    private let creations: ProductCreations
    private let changes: CatalogueChanges

    /// - Parameter rematch: the runner of `OrderRematch`.
    package init(
        publisher: EventPublisher, rematch: WorkflowRunner, changes: CatalogueChanges = CatalogueChanges(),
        ids: IDGenerator
    ) {
        self.publisher = publisher
        self.changes = changes
        self.ids = ids
        writer = CatalogueWriter(ids: ids, rematch: rematch)
        creations = ProductCreations(publisher: publisher, writer: writer)
    }

    // MARK: Reading

    /// A product with its variants; deleted ones and those of other owners are not found alike.
    package func require(_ id: ProductID, scope: Scope) async throws -> Product {
        let found = try await publisher.database.read { try ProductStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("product") }
        return found
    }

    /// A page of products, each with its variants; one more than asked for tells that there is a next page.
    package func list(_ query: ProductQuery, scope: Scope) async throws -> [Product] {
        try await publisher.database.read { try query.run(scope: scope, in: $0) }
    }

    /// How many products a list without filters has.
    package func count(scope: Scope) async throws -> Int {
        try await publisher.database.read { try ProductStore.count(scope: scope, in: $0) }
    }

    // MARK: Changing

    /// Saves a product with its variants. A SKU that the tenant has already is a conflict that names its holder.
    package func create(_ new: NewProduct, scope: Scope, actor: Actor) async throws -> Product {
        try await withCheckedThrowingContinuation { continuation in
            create(new, scope: scope, actor: actor) { continuation.resume(with: $0) }
        }
    }

    /// The same for callers without a task; `resume` must not block.
    package func create(
        _ new: NewProduct, scope: Scope, actor: Actor, resume: @escaping @Sendable (Result<Product, any Error>) -> Void
    ) {
        creations.submit(new, scope: scope, actor: actor) { [changes] result in
            if case .success = result { changes.ring() }
            resume(result)
        }
    }

    /// Sets the fields that are given. When none of them differs nothing is written and nothing is told.
    package func change(
        _ id: ProductID, _ change: ProductChange, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Product {
        try await edit(id, ifMatch, scope, actor) { product, _ in
            try change.apply(to: &product)
            if change.options != .keep { try OptionRules.settle(&product) { _ in nil } }
        }
    }

    /// Moves a product to another state, if there is such a move.
    package func move(
        _ id: ProductID, to next: Product.Status, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor
    ) async throws -> Product {
        try await edit(id, ifMatch, scope, actor) { product, _ in
            let allowed = product.status.nextStates
            guard allowed.contains(next) else {
                throw Refusal.noMove("product", from: product.status, to: next, allowed: allowed)
            }
            product.status = next
        }
    }

    /// Takes a product out of the catalogue. Its row stays for the orders that name its variants; its handle and SKUs
    /// are free.
    package func delete(_ id: ProductID, ifMatch: VersionMatch = .any, scope: Scope, actor: Actor) async throws {
        _ = try await edit(id, ifMatch, scope, actor) { product, now in
            product.deletedAt = now
            product.handle = nil
        }
    }

    // MARK: Parts

    /// Changes one product under its lock.
    func edit(
        _ id: ProductID, _ match: VersionMatch, _ scope: Scope, _ actor: Actor,
        _ body: @escaping @Sendable (inout Product, Timestamp) throws -> Void
    ) async throws -> Product {
        let product = try await publisher.writeAgainAfterDuplicate { transaction, events in
            guard let old = try ProductStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
                throw Refusal.notFound("product")
            }
            try match.require(old.version)
            var new = old
            try body(&new, events.now)
            let author = CatalogueWriter.Author(actor: actor, source: "api")
            return try save(ProductEdit(from: old, to: new, by: author), events, in: transaction)
        }
        changes.ring()
        return product
    }

    private func save(
        _ edit: ProductEdit, _ events: EventBuffer, in transaction: any Transaction
    ) throws -> Product {
        for refusal in try Uniqueness.refusals(of: [edit], in: transaction) { if let refusal { throw refusal } }
        let saved = try writer.write([edit], events: events, in: transaction)
        guard let product = saved.first else { throw StorageError(.misuse, "an edit gives a product") }
        return product
    }
}
