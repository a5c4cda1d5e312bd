import Commerce
import Hummingbird
import Kernel

/// `/api/v1/pim/categories`: the tree that products are placed in, answered whole.
struct CategoryRoutes {
    let categories: CategoryService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/pim/categories")
        all.get(use: list)
        all.get("{id}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.patch("{id}", use: change)
        members.delete("{id}", use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let found = try await categories.list(scope: context.principal.scope)
        return .page(found, limit: found.count, cursor: \.category.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let placed = try await categories.require(context.id(of: "category"), scope: context.principal.scope)
        return answer(placed)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { CategoryChange($0, isNew: true) }
        return answer(try await categories.create(new, scope: context.principal.scope), status: .created)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CategoryID = try context.id(of: "category")
        let wanted = try await context.read(request) { CategoryChange($0) }
        return answer(
            try await categories.change(
                id, wanted, ifMatch: try request.versionMatch(), scope: context.principal.scope))
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: CategoryID = try context.id(of: "category")
        try await categories.delete(id, ifMatch: try request.versionMatch(), scope: context.principal.scope)
        return Response(status: .noContent)
    }

    private func answer(_ placed: CategoryService.Placed, status: HTTPResponse.Status = .ok) -> JSONResponse {
        JSONResponse(status: status, version: placed.category.version) { writer in write(placed, &writer) }
    }

    private func write(_ placed: CategoryService.Placed, _ writer: inout JSONWriter) {
        let category = placed.category
        writer.field("id", category.id)
        writer.field("parent_id", category.parent)
        writer.field("name", category.name)
        writer.arrayField("path") { writer in for name in placed.path { writer.string(name) } }
        writer.field("position", category.position)
        writer.field("version", category.version)
        writer.field("created_at", category.createdAt)
        writer.field("updated_at", category.updatedAt)
    }
}
