import Kernel

/// What a change of a product comes to: the rows to be written, the words to be found by, and what is told of it.
struct ProductDiff {
    /// Names of the product's fields that differ, as they stand in answers; `status` is told by events of its own.
    private(set) var changed: [String] = []
    /// The state that was left; nil when it stays.
    private(set) var oldStatus: Product.Status?
    private(set) var inserted: [Variant] = []
    private(set) var updated: [Variant] = []
    private(set) var removed: [Variant] = []
    /// Variants whose selling or cost price differs, with the selling price that they had.
    private(set) var prices: [(variant: Variant, old: Money?)] = []
    private(set) var addedWords: Set<String> = []
    private(set) var removedWords: Set<String> = []
    /// Variants whose SKU or id came or went: lines of orders may be theirs now, or no more.
    private(set) var rematched: [Variant] = []

    var isEmpty: Bool { changed.isEmpty && oldStatus == nil }

    /// - Parameters:
    ///   - old: nil for a new product.
    ///   - words: those of a new product, where they are known.
    init(from old: Product?, to new: Product, words: Set<String>? = nil) throws {
        guard let old else {
            inserted = new.variants
            rematched = new.variants
            addedWords = try words ?? new.words
            return
        }
        if new.deletedAt != nil {
            changed = ["deleted_at"]
            removed = old.variants
            rematched = old.variants
            removedWords = try old.words
            return
        }
        oldStatus = new.status == old.status ? nil : old.status
        changed = try Self.fields(old, new)
        compareVariants(old, new)
        if old.title != new.title || old.brand != new.brand || old.handle != new.handle
            || old.keptDetails != new.keptDetails
        {
            let (before, after) = (try old.words, try new.words)
            addedWords = after.subtracting(before)
            removedWords = before.subtracting(after)
        }
    }

    private static func fields(_ old: Product, _ new: Product) throws -> [String] {
        var names: [String] = []
        if old.handle != new.handle { names.append("handle") }
        if old.title != new.title { names.append("title") }
        if old.description != new.description { names.append("description") }
        if old.brand != new.brand { names.append("brand") }
        if old.category != new.category { names.append("category") }
        if old.categoryID != new.categoryID { names.append("category_id") }
        if old.url != new.url { names.append("url") }
        if old.keptDetails != new.keptDetails {
            let (before, after) = (try old.details, try new.details)
            if before.options != after.options { names.append("options") }
            if before.tags != after.tags { names.append("tags") }
            if before.attributes != after.attributes { names.append("attributes") }
            if before.media != after.media { names.append("media") }
        }
        return names
    }

    private mutating func compareVariants(_ old: Product, _ new: Product) {
        if old.variants == new.variants { return }
        changed.append("variants")
        let before = Dictionary(old.variants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for variant in new.variants {
            guard let stored = before[variant.id] else {
                inserted.append(variant)
                rematched.append(variant)
                continue
            }
            if stored == variant { continue }
            updated.append(variant)
            if stored.price != variant.price || stored.cost != variant.cost { prices.append((variant, stored.price)) }
            // The old SKU too: where it made another one ambiguous it does so no more.
            if stored.sku != variant.sku { rematched += [variant, stored] }
        }
        let after = Set(new.variants.map(\.id))
        removed = old.variants.filter { !after.contains($0.id) }
        rematched += removed
    }
}

extension Product {
    /// What the text search finds the product by.
    var words: Set<String> {
        get throws {
            SearchWords.words(of: [title, brand ?? "", handle ?? ""] + (try details.tags))
        }
    }
}
