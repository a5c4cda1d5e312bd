import Commerce
import Hummingbird
import Kernel

/// `/api/v1/collections`: lists of products, made by hand or found by a rule.
struct CollectionRoutes {
    let collections: CollectionService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/collections")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/products", use: products)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.patch("{id}", use: change)
        members.put("{id}/products", use: setProducts)
        members.delete("{id}", use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let after: CollectionID? = query.id("cursor")
        try query.finish()
        let found = try await collections.list(scope: context.principal.scope, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        answer(try await collections.require(context.id(of: "collection"), scope: context.principal.scope))
    }

    @Sendable private func products(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let text = query.text("cursor")
        let cursor = text.flatMap { CollectionService.Cursor($0) }
        if text != nil, cursor == nil { query.fault("cursor", "is not a next_cursor of this list") }
        try query.finish()
        let page = try await collections.products(
            of: context.id(of: "collection"), scope: context.principal.scope, after: cursor, limit: limit)
        let answer = ProductAnswer(for: context.principal.role)
        return JSONResponse { writer in
            writer.arrayField("data") { writer in
                for product in page.products { writer.object { writer in answer.write(product, &writer) } }
            }
            writer.field("next_cursor", page.next?.description)
        }
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewCollection($0) }
        return answer(try await collections.create(new, scope: context.principal.scope), status: .created)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CollectionID = try context.id(of: "collection")
        let wanted = try await context.read(request) { CollectionChange($0) }
        return answer(
            try await collections.change(
                id, wanted, ifMatch: try request.versionMatch(), scope: context.principal.scope))
    }

    @Sendable private func setProducts(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CollectionID = try context.id(of: "collection")
        let wanted = try await context.read(request) { CollectionList($0) }
        return answer(
            try await collections.setProducts(
                wanted, of: id, ifMatch: try request.versionMatch(), scope: context.principal.scope))
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: CollectionID = try context.id(of: "collection")
        try await collections.delete(id, ifMatch: try request.versionMatch(), scope: context.principal.scope)
        return Response(status: .noContent)
    }

    private func answer(_ collection: Collection, status: HTTPResponse.Status = .ok) -> JSONResponse {
        JSONResponse(status: status, version: collection.version) { writer in write(collection, &writer) }
    }

    private func write(_ collection: Collection, _ writer: inout JSONWriter) {
        writer.field("id", collection.id)
        writer.field("kind", collection.kind.rawValue)
        writer.field("title", collection.title)
        writer.field("handle", collection.handle)
        writer.field("description", collection.description)
        writer.key("rule")
        if let rule = collection.rule { writer.object { writer in rule.write(&writer) } } else { writer.null() }
        writer.field("version", collection.version)
        writer.field("created_at", collection.createdAt)
        writer.field("updated_at", collection.updatedAt)
    }
}
