import Events
import Kernel
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
