import Events
import Kernel
import Storage

/// What callers can do with the tree of categories. It raises no events: products tell where they stand.
package struct CategoryService: Sendable {
    /// A category with the names from the top down to it.
    package struct Placed: Sendable {
        package let category: Category
        package let path: [String]
    }

    private let database: any Database
    private let ids: IDGenerator
    private let time: TimeSource

    package init(database: any Database, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.ids = ids
        self.time = time
    }

    /// The whole tree, each category behind its parent, siblings in their order.
    package func list(scope: Scope) async throws -> [Placed] {
        let all = try await database.read { try CategoryStore.all(scope: scope, in: $0) }
        let children = Dictionary(grouping: all, by: \.parent)
        var placed: [Placed] = []
        func add(below parent: CategoryID?, _ path: [String]) {
            let siblings = (children[parent] ?? []).sorted { ($0.position, $0.id) < ($1.position, $1.id) }
            for category in siblings {
                placed.append(Placed(category: category, path: path + [category.name]))
                add(below: category.id, path + [category.name])
            }
        }
        add(below: nil, [])
        return placed
    }

    /// One category; that of another owner is not found.
    package func require(_ id: CategoryID, scope: Scope) async throws -> Placed {
        let path = try await database.read { transaction in
            CategoryTree(try CategoryStore.all(scope: scope, in: transaction)).path(to: id)
        }
        guard let category = path.last else { throw Refusal.notFound("category") }
        return Placed(category: category, path: path.map(\.name))
    }

    /// Adds a category below its parent, or at the top.
    package func create(_ change: CategoryChange, scope: Scope) async throws -> Placed {
        let (id, now) = (ids.next(Category.self), time.now())
        return try await againAfterDuplicate {
            try await database.write { transaction in
                let all = try CategoryStore.lockAll(scope: scope, in: transaction)
                if all.count >= Limits.categories {
                    throw Refusal.conflict("There are at most \(Limits.categories) categories.")
                }
                let category = Category(
                    id: id, scope: scope, parent: change.parent.applied(to: nil), name: change.name ?? "",
                    position: change.position ?? 0, version: 1, createdAt: now, updatedAt: now)
                try Self.check(category, among: all)
                try CategoryStore.insert(category, in: transaction)
                return Self.placed(category, among: all)
            }
        }
    }

    /// Renames, moves or re-orders a category. A move below itself is refused with the circle that it would close.
    /// A new name or place counts as a change of the products that are shown by it.
    package func change(
        _ id: CategoryID, _ change: CategoryChange, ifMatch: VersionMatch = .any, scope: Scope
    ) async throws -> Placed {
        let now = time.now()
        return try await againAfterDuplicate {
            try await database.write { transaction in
                let all = try CategoryStore.lockAll(scope: scope, in: transaction)
                guard let old = all.first(where: { $0.id == id }) else { throw Refusal.notFound("category") }
                try ifMatch.require(old.version)
                var new = old
                new.name = change.name ?? old.name
                new.parent = change.parent.applied(to: old.parent)
                new.position = change.position ?? old.position
                if new == old { return Self.placed(old, among: all) }
                try Self.check(new, among: all)
                new.version += 1
                new.updatedAt = now
                try CategoryStore.update(new, in: transaction)
                if new.name != old.name || new.parent != old.parent {
                    try CatalogueChanges.countPlaced(below: id, scope: scope, now: now, in: transaction)
                }
                return Self.placed(new, among: all)
            }
        }
    }

    /// Removes a category that has neither products nor others below it.
    package func delete(_ id: CategoryID, ifMatch: VersionMatch = .any, scope: Scope) async throws {
        try await database.write { transaction in
            let all = try CategoryStore.lockAll(scope: scope, in: transaction)
            guard let old = all.first(where: { $0.id == id }) else { throw Refusal.notFound("category") }
            try ifMatch.require(old.version)
            if all.contains(where: { $0.parent == id }) {
                throw Refusal.conflict("The category still has others below it.")
            }
            if try CategoryStore.hasProducts(id, in: transaction) {
                throw Refusal.conflict("The category still has products.")
            }
            try CategoryStore.delete(id, in: transaction)
        }
    }

    private static func check(_ category: Category, among all: [Category]) throws {
        if let fault = CategoryTree(all).fault(moving: category.id, below: category.parent) {
            throw InvalidDocument([fault])
        }
        let namesake = all.first {
            $0.parent == category.parent && $0.name == category.name && $0.id != category.id
        }
        guard let namesake else { return }
        throw Refusal.conflict(
            "Another category \"\(category.name)\" stands in the same place.",
            fields: [Refusal.Field("holder_category_id", .string(namesake.id.description))])
    }

    private static func placed(_ category: Category, among all: [Category]) -> Placed {
        let tree = CategoryTree(all.filter { $0.id != category.id } + [category])
        return Placed(category: category, path: tree.path(to: category.id).map(\.name))
    }
}
