import Events
import Kernel
import Storage

/// Collects the rows that a transaction changes in the catalogue, and writes them kind by kind.
struct CatalogueRows {
    private let now: Timestamp
    private var products = ProductStore.rows
    private var changedProducts = ProductStore.rows
    private var variants = VariantStore.rows
    private var changedVariants = VariantStore.rows
    private var removedVariants = RowBatch(["removed": .uuid])
    private var words = ProductWordStore.rows
    private var removedWords = ProductWordStore.rows
    private var touched: [Scope: [ProductID]] = [:]

    init(now: Timestamp) { self.now = now }

    mutating func add(_ product: Product, isNew: Bool, _ diff: ProductDiff) {
        if isNew {
            ProductStore.append(product, to: &products)
        } else {
            ProductStore.append(product, to: &changedProducts)
        }
        let changed = Set(diff.updated.map(\.id))
        for variant in diff.inserted { VariantStore.append(variant, product.scope, to: &variants) }
        for variant in product.variants where changed.contains(variant.id) {
            VariantStore.append(variant, product.scope, to: &changedVariants)
        }
        for variant in diff.removed { removedVariants.append(.id(variant.id)) }
        // In order, so that neighbours of the tree are written one after the other.
        for word in diff.addedWords.sorted() {
            ProductWordStore.append(word, product.id, product.scope, to: &words)
        }
        for word in diff.removedWords { ProductWordStore.append(word, product.id, product.scope, to: &removedWords) }
        touched[product.scope, default: []].append(product.id)
    }

    /// What goes away is written first: its SKU may be taken by what comes.
    func write(in transaction: any Transaction) throws {
        if touched.isEmpty { return }
        try VariantStore.remove(removedVariants, now: now, in: transaction)
        try ProductStore.update(changedProducts, in: transaction)
        try ProductStore.insert(products, in: transaction)
        try VariantStore.update(changedVariants, in: transaction)
        try VariantStore.insert(variants, in: transaction)
        try ProductWordStore.remove(removedWords, in: transaction)
        try ProductWordStore.insert(words, in: transaction)
        // Last: its row is locked to the end of the transaction.
        try CatalogueChanges.count(touched, now: now, in: transaction)
    }
}
