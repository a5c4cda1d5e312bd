import Durable
import Events
import Kernel
import Storage
import Webhooks

/// One product's change: what is stored (nil for a new one) and what shall be.
package struct ProductEdit: Sendable {
    let old: Product?
    var new: Product
    let author: CatalogueWriter.Author
    /// What a new product is found by, where that was looked for before its transaction began.
    var words: Set<String>?

    init(from old: Product?, to new: Product, by author: CatalogueWriter.Author) {
        self.old = old
        self.new = new
        self.author = author
    }
}

/// Writes changes of products with all that follows from them, in some ten statements however many there are: rows,
/// words, the catalogue's counter, events, and the second look at order lines that are still unmatched.
package struct CatalogueWriter: Sendable {
    /// Who changes, and through what.
    package struct Author: Sendable {
        package let actor: Actor
        /// `api` or `import:<id>`: what events name as their source.
        package let source: String

        package init(actor: Actor, source: String) {
            self.actor = actor
            self.source = source
        }
    }

    let ids: IDGenerator
    private let rematch: WorkflowRunner

    /// - Parameter rematch: the runner of `OrderRematch`.
    package init(ids: IDGenerator, rematch: WorkflowRunner) {
        self.ids = ids
        self.rematch = rematch
    }

    /// Writes edits of products that the transaction has locked, each product at most once. Edits that change nothing
    /// are left out. Answers the products as they are now.
    @discardableResult
    func write(
        _ edits: [ProductEdit], events: EventBuffer, in transaction: any Transaction
    ) throws -> [Product] {
        var products: [Product] = []
        var rows = CatalogueRows(now: events.now)
        var rematched: [(scope: Scope, variants: [Variant])] = []
        for var edit in edits {
            if edit.old == nil { edit.new.stamp(events.now) }
            let diff = try ProductDiff(from: edit.old, to: edit.new, words: edit.words)
            if edit.old != nil, diff.isEmpty {
                products.append(edit.new)
                continue
            }
            let product = Self.stamped(edit, diff, now: events.now)
            rows.add(product, isNew: edit.old == nil, diff)
            tell(product, diff, isNew: edit.old == nil, by: edit.author, events: events)
            if !diff.rematched.isEmpty { rematched.append((product.scope, diff.rematched)) }
            products.append(product)
        }
        try rows.write(in: transaction)
        for (scope, group) in Dictionary(grouping: rematched, by: \.scope) {
            let isBegun = try OrderRematch.begin(
                for: group.flatMap(\.variants), scope: scope, ids: ids, now: events.now, in: transaction)
            if isBegun { events.afterCommit { [rematch] in rematch.wake() } }
        }
        return products
    }

    /// The product with the version and the time of this change, and those of its variants that changed likewise.
    private static func stamped(_ edit: ProductEdit, _ diff: ProductDiff, now: Timestamp) -> Product {
        var product = edit.new
        guard let old = edit.old else { return product }
        product.version = old.version + 1
        product.updatedAt = now
        if diff.updated.isEmpty { return product }
        let changed = Set(diff.updated.map(\.id))
        for index in product.variants.indices where changed.contains(product.variants[index].id) {
            product.variants[index].version += 1
            product.variants[index].updatedAt = now
        }
        return product
    }

    private func tell(
        _ product: Product, _ diff: ProductDiff, isNew: Bool, by author: Author, events: EventBuffer
    ) {
        func raise(_ event: some EventType) {
            events.append(event, scope: product.scope, actor: author.actor, source: author.source)
        }
        let payload = product.payload
        if isNew { return raise(ProductCreated(product: payload)) }
        if let before = diff.oldStatus?.rawValue {
            switch product.status {
            case .active: raise(ProductActivated(product: payload, oldStatus: before))
            case .inactive: raise(ProductDeactivated(product: payload, oldStatus: before))
            case .discontinued: raise(ProductDiscontinued(product: payload, oldStatus: before))
            case .draft: break
            }
        }
        if !diff.changed.isEmpty { raise(ProductUpdated(product: payload, changed: diff.changed)) }
        for change in diff.prices {
            raise(ProductPriceChanged(product: payload, variant: change.variant.payload, oldPrice: change.old))
        }
    }
}
