import Events
import Kernel
import Storage

/// What callers can do with collections. They raise no events of their own.
///
/// A rule is evaluated when it is read: a kept list would have to be brought up to date by every change of a product,
/// of the tree and of the rule, and be right after a crash in each of them. What reading costs is bounded instead.
package struct CollectionService: Sendable {
    /// Where a page of a collection's products begins.
    package enum Cursor: Sendable, Equatable, CustomStringConvertible {
        /// Behind a place of a list made by hand.
        case position(Int64)
        /// Behind a product, in the order of ids.
        case product(ProductID)

        package init?(_ text: String) {
            if let id = ProductID(text) {
                self = .product(id)
            } else if let position = Int64(text), position >= 0 {
                self = .position(position)
            } else {
                return nil
            }
        }

        package var description: String {
            switch self {
            case .position(let position): String(position)
            case .product(let id): id.description
            }
        }
    }

    /// Some products of a collection. A page may be short, or empty, and still have a next one: a rule that few
    /// products meet is looked for in bounded bites.
    package struct Page: Sendable {
        package let products: [Product]
        package let next: Cursor?
    }

    /// Products that one page of a rule looks at.
    private static let lookedAt = 5000
    private static let bite = 500

    private let database: any Database
    private let ids: IDGenerator
    private let time: TimeSource

    package init(database: any Database, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.ids = ids
        self.time = time
    }

    // MARK: Reading

    /// A page of collections by their ids.
    package func list(scope: Scope, after: CollectionID?, limit: Int) async throws -> [Collection] {
        try await database.read { try CollectionStore.list(scope: scope, after: after, limit: limit, in: $0) }
    }

    /// One collection; that of another owner is not found.
    package func require(_ id: CollectionID, scope: Scope) async throws -> Collection {
        let found = try await database.read { try CollectionStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("collection") }
        return found
    }

    /// A page of a collection's products: in the order made by hand, or in that of their ids.
    package func products(
        of id: CollectionID, scope: Scope, after cursor: Cursor?, limit: Int
    ) async throws -> Page {
        try await database.read { transaction in
            guard let collection = try CollectionStore.fetch(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("collection")
            }
            switch (collection.rule, cursor) {
            case (nil, .product), (.some, .position):
                throw InvalidDocument(pointer: "/cursor", detail: "is not a next_cursor of this list")
            case (nil, .position(let position)):
                return try Self.listed(collection, after: position, limit: limit, in: transaction)
            case (nil, nil): return try Self.listed(collection, after: 0, limit: limit, in: transaction)
            case (let rule?, .product(let product)):
                return try Self.found(rule, scope, after: product, limit: limit, in: transaction)
            case (let rule?, nil): return try Self.found(rule, scope, after: nil, limit: limit, in: transaction)
            }
        }
    }

    private static func listed(
        _ collection: Collection, after position: Int64, limit: Int, in transaction: any Transaction
    ) throws -> Page {
        let entries = try CollectionStore.products(
            of: collection.id, after: position, limit: limit + 1, in: transaction)
        let shown = entries.prefix(limit)
        let products = try ProductStore.fetch(shown.map(\.product), scope: collection.scope, in: transaction)
        let byID = Dictionary(products.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return Page(
            products: shown.compactMap { byID[$0.product] },
            next: entries.count > limit ? shown.last.map { .position($0.position) } : nil)
    }

    private static func found(
        _ rule: CollectionRule, _ scope: Scope, after: ProductID?, limit: Int, in transaction: any Transaction
    ) throws -> Page {
        var subtrees: [CategoryID: Set<CategoryID>] = [:]
        for place in rule.places {
            subtrees[place] = Set(try CategoryStore.subtree(place, scope: scope, in: transaction))
        }
        var query = rule.query(limit: bite)
        query.cursor = after.map { .after($0) }
        var products: [Product] = []
        var looked = 0
        while true {
            let candidates = try query.run(scope: scope, in: transaction)
            for candidate in candidates where try rule.matches(candidate, subtrees: subtrees) {
                // One more than the page holds: only now is it known that there is a next one.
                if products.count == limit {
                    return Page(products: products, next: products.last.map { .product($0.id) })
                }
                products.append(candidate)
            }
            looked += candidates.count
            guard candidates.count == bite, let last = candidates.last else {
                return Page(products: products, next: nil)
            }
            if looked >= lookedAt { return Page(products: products, next: .product(last.id)) }
            query.cursor = .after(last.id)
        }
    }

    // MARK: Changing

    /// Saves a collection; one that is listed by hand is empty at first.
    package func create(_ new: NewCollection, scope: Scope) async throws -> Collection {
        let (id, now) = (ids.next(Collection.self), time.now())
        return try await againAfterDuplicate {
            try await database.write { transaction in
                let blank = Collection(
                    id: id, scope: scope, title: "", version: 1, createdAt: now, updatedAt: now)
                let collection = try new.change.applied(to: blank, isNew: true)
                try Self.check(collection, was: nil, in: transaction)
                try CollectionStore.insert(collection, in: transaction)
                return collection
            }
        }
    }

    /// Sets the fields that are given, the rule as a whole.
    package func change(
        _ id: CollectionID, _ change: CollectionChange, ifMatch: VersionMatch = .any, scope: Scope
    ) async throws -> Collection {
        try await edit(id, ifMatch, scope) { collection, _ in try change.applied(to: collection) }
    }

    /// Sets the products of a collection that is listed by hand.
    package func setProducts(
        _ list: CollectionList, of id: CollectionID, ifMatch: VersionMatch = .any, scope: Scope
    ) async throws -> Collection {
        try await edit(id, ifMatch, scope, always: true) { collection, transaction in
            if collection.rule != nil {
                throw Refusal.conflict("The products of this collection are found by its rule.")
            }
            let unknown = try CollectionStore.unknown(list.products, scope: scope, in: transaction)
            let faults = list.products.enumerated().filter { unknown.contains($0.element) }.map { index, _ in
                FieldFault(pointer: "/product_ids/\(index)", detail: "there is no such product")
            }
            if !faults.isEmpty { throw InvalidDocument(faults) }
            try CollectionStore.replace(list.products, of: id, in: transaction)
            return collection
        }
    }

    /// Removes a collection; its products stay.
    package func delete(_ id: CollectionID, ifMatch: VersionMatch = .any, scope: Scope) async throws {
        try await database.write { transaction in
            guard let old = try CollectionStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
                throw Refusal.notFound("collection")
            }
            try ifMatch.require(old.version)
            try CollectionStore.delete(id, in: transaction)
        }
    }

    private func edit(
        _ id: CollectionID, _ match: VersionMatch, _ scope: Scope, always: Bool = false,
        _ body: @escaping @Sendable (Collection, any Transaction) throws -> Collection
    ) async throws -> Collection {
        let now = time.now()
        return try await againAfterDuplicate {
            try await database.write { transaction in
                guard let old = try CollectionStore.fetch(id, scope: scope, isLocked: true, in: transaction) else {
                    throw Refusal.notFound("collection")
                }
                try match.require(old.version)
                var new = try body(old, transaction)
                if new == old, !always { return old }
                try Self.check(new, was: old, in: transaction)
                new.version += 1
                new.updatedAt = now
                try CollectionStore.update(new, in: transaction)
                return new
            }
        }
    }

    private static func check(
        _ new: Collection, was old: Collection?, in transaction: any Transaction
    ) throws {
        guard let handle = new.handle, handle != old?.handle else { return }
        guard let holder = try CollectionStore.holder(ofHandle: handle, scope: new.scope, in: transaction) else {
            return
        }
        throw Refusal.conflict(
            "The handle \"\(handle)\" belongs to another collection.",
            fields: [
                Refusal.Field("handle", .string(handle)),
                Refusal.Field("holder_collection_id", .string(holder.description)),
            ])
    }
}
