import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Categories")
struct CategoryTests {
    private func create(
        _ shop: Shop, _ name: String, below parent: CategoryID? = nil, scope: Scope = Shop.scope
    ) async throws -> Commerce.Category {
        let parent = parent.map { ",\"parent_id\":\"\($0)\"" } ?? ""
        return try await shop.categories.create(
            request(#"{"name":"\#(name)"\#(parent)}"#) { CategoryChange($0, isNew: true) }, scope: scope
        ).category
    }

    private func change(
        _ shop: Shop, _ id: CategoryID, _ body: String, _ match: VersionMatch = .any
    ) async throws -> CategoryService.Placed {
        try await shop.categories.change(
            id, request(body) { CategoryChange($0) }, ifMatch: match, scope: Shop.scope)
    }

    @Test("The tree is answered from the top down, with paths", arguments: TestEngine.allCases)
    func listing(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let clothes = try await create(shop, "Clothes")
            let shirts = try await create(shop, "Shirts", below: clothes.id)
            _ = try await create(shop, "Books")
            _ = try await change(shop, clothes.id, #"{"position":7}"#)
            let tree = try await shop.categories.list(scope: Shop.scope)
            #expect(tree.map { $0.path.joined(separator: ">") } == ["Books", "Clothes", "Clothes>Shirts"])
            #expect(try await shop.categories.require(shirts.id, scope: Shop.scope).path == ["Clothes", "Shirts"])
            #expect(try await shop.categories.list(scope: Shop.sister).isEmpty)
            await #expect(throws: Refusal.notFound("category")) {
                _ = try await shop.categories.require(shirts.id, scope: Shop.stranger)
            }
        }
    }

    @Test("A circle is refused with its path, a namesake with its id", arguments: TestEngine.allCases)
    func refusals(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let a = try await create(shop, "A")
            let b = try await create(shop, "B", below: a.id)
            let circle = InvalidDocument(pointer: "/parent_id", detail: "would close a circle: A > B > A")
            await #expect(throws: circle) { _ = try await change(shop, a.id, #"{"parent_id":"\#(b.id)"}"#) }
            let foreign = try await create(shop, "F", scope: Shop.stranger)
            let unknown = InvalidDocument(pointer: "/parent_id", detail: "there is no such category")
            await #expect(throws: unknown) { _ = try await change(shop, a.id, #"{"parent_id":"\#(foreign.id)"}"#) }
            let namesake = await #expect(throws: Refusal.self) { _ = try await create(shop, "A") }
            #expect(namesake?.fields == [Refusal.Field("holder_category_id", .string(a.id.description))])
            let stale = await #expect(throws: Refusal.self) {
                _ = try await change(shop, a.id, #"{"name":"C"}"#, .oneOf([9]))
            }
            #expect(stale?.kind == .stale)
            let moved = try await change(shop, b.id, #"{"parent_id":null}"#)
            #expect(moved.path == ["B"] && moved.category.version == 2)
        }
    }

    @Test("Only an empty category can be deleted", arguments: TestEngine.allCases)
    func deletion(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let a = try await create(shop, "A")
            let b = try await create(shop, "B", below: a.id)
            func delete(_ id: CategoryID) async throws { try await shop.categories.delete(id, scope: Shop.scope) }
            await #expect(throws: Refusal.conflict("The category still has others below it.")) {
                try await delete(a.id)
            }
            let product = try await shop.product(#"{"title":"T","category_id":"\#(b.id)"}"#)
            await #expect(throws: Refusal.conflict("The category still has products.")) { try await delete(b.id) }
            try await shop.products.delete(product.id, scope: Shop.scope, actor: Shop.actor)
            try await delete(b.id)
            try await delete(a.id)
            await #expect(throws: Refusal.notFound("category")) { try await delete(a.id) }
            let unknown = InvalidDocument(pointer: "/category_id", detail: "there is no such category")
            await #expect(throws: unknown) { try await shop.product(#"{"title":"T","category_id":"\#(a.id)"}"#) }
        }
    }

    @Test(
        "A new name counts as a change of each active product that is shown by it, however many they are",
        arguments: TestEngine.allCases)
    func renaming(_ engine: TestEngine) async throws {
        try await withShop(engine) { shop in
            let top = try await create(shop, "Top")
            let below = try await create(shop, "Below", below: top.id)
            let beside = try await create(shop, "Beside")
            let count = 2100
            try await shop.database.write { transaction in
                func insert(_ number: Int, _ category: String?, _ status: String, _ place: CategoryID) throws {
                    var rows = RowBatch(["new_id": .uuid])
                    for offset in 0..<(number == 0 ? count : 1) {
                        rows.append(.id(ProductID(high: 7, low: UInt64(number * 10_000 + offset))))
                    }
                    try transaction.execute(
                        """
                        INSERT INTO product (id, tenant_id, org_id, title, category, category_id, status, version,
                            created_at, updated_at)
                        SELECT new_id, $1, $2, 'T', $3, $4, $5, 1, 0, 0 FROM {rows} r
                        """,
                        [
                            .id(Shop.scope.tenant), .id(Shop.scope.organisation), .text(category), .id(place),
                            .text(status),
                        ], rows: rows)
                }
                try insert(0, nil, "active", below.id)
                try insert(1, nil, "active", top.id)
                try insert(2, "own word", "active", below.id)
                try insert(3, nil, "draft", below.id)
                try insert(4, nil, "active", beside.id)
            }
            func counted() async throws -> [CatalogueChanges.Entry] {
                try await shop.database.read { transaction in
                    try CatalogueChanges.entries(after: 0, scope: Shop.scope, limit: 10_000, in: transaction)
                }
            }
            _ = try await change(shop, top.id, #"{"position":4}"#)
            #expect(try await counted().isEmpty)
            _ = try await change(shop, top.id, #"{"name":"New"}"#)
            let entries = try await counted()
            #expect(entries.map(\.sequence) == (1...Int64(count + 1)).map { $0 })
            #expect(Set(entries.map(\.product)).count == count + 1)
            #expect(entries.contains { $0.product == ProductID(high: 7, low: 10_000) })
            #expect(!entries.contains { $0.product.low >= 20_000 })
        }
    }

    @Test("Two moves at once never close a circle", arguments: TestEngine.allCases, 0..<4)
    func race(_ engine: TestEngine, _: Int) async throws {
        try await withShop(engine) { shop in
            let a = try await create(shop, "A")
            let b = try await create(shop, "B")
            let moved = await withTaskGroup(of: Bool.self) { group in
                for (id, parent) in [(a.id, b.id), (b.id, a.id)] {
                    group.addTask {
                        do { return try await change(shop, id, #"{"parent_id":"\#(parent)"}"#).path.count == 2 } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(moved.sorted { !$0 && $1 } == [false, true])
            #expect(try await shop.categories.list(scope: Shop.scope).count == 2)
        }
    }
}
