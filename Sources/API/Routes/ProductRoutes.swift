import Commerce
import Hummingbird
import Kernel

/// `/api/v1/pim/products`: products and their variants.
struct ProductRoutes {
    let products: ProductService
    let idempotency: IdempotencyStore

    static let path = "/api/v1/pim/products"

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("\(Self.path)")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/variants", use: variants)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.idempotent(idempotency).post("{id}/variants", use: addVariant)
        members.patch("{id}", use: change)
        members.delete("{id}", use: delete)
        members.patch("{id}/variants/{variant}", use: changeVariant)
        members.delete("{id}/variants/{variant}", use: deleteVariant)
        members.post("{id}/activate") { try await move($0, $1, to: .active) }
        members.post("{id}/deactivate") { try await move($0, $1, to: .inactive) }
        members.post("{id}/discontinue") { try await move($0, $1, to: .discontinued) }
    }

    // MARK: Products

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewProduct($0) }
        let caller = context.principal
        let product = try await products.create(new, scope: caller.scope, actor: caller.actor)
        return answer(product, context, status: .created)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let query = try Self.query(request)
        let found = try await products.list(query, scope: context.principal.scope)
        let answer = ProductAnswer(for: context.principal.role)
        let limit = query.limit - 1
        return .page(found, limit: limit, cursor: { query.cursor(behind: $0).description }, answer.write)
    }

    private static func query(_ request: Request) throws -> ProductQuery {
        var query = QueryReader(request)
        var wanted = ProductQuery(limit: query.limit() + 1)
        wanted.text = query.text("q")
        wanted.sku = query.text("sku")
        wanted.barcode = query.text("barcode")
        wanted.status = query.choice("status")
        wanted.brand = query.text("brand")
        // A place in the tree by its id, or the caller's own word.
        if let category = query.text("category") {
            wanted.categoryID = CategoryID(category)
            if wanted.categoryID == nil { wanted.category = category }
        }
        wanted.updatedSince = query.time("updated_since")
        if let text = query.text("cursor") {
            wanted.cursor = ProductQuery.Cursor(text)
            let isByChange = if case .afterChange = wanted.cursor { true } else { false }
            if wanted.cursor == nil || isByChange != (wanted.updatedSince != nil) {
                query.fault("cursor", "is not a next_cursor of this list")
            }
        }
        try query.finish()
        return wanted
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let product = try await products.require(context.id(of: "product"), scope: context.principal.scope)
        return answer(product, context)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let wanted = try await context.read(request) { ProductChange($0) }
        let caller = context.principal
        let product = try await products.change(
            id, wanted, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return answer(product, context)
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: ProductID = try context.id(of: "product")
        let caller = context.principal
        try await products.delete(
            id, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return Response(status: .noContent)
    }

    @Sendable private func move(
        _ request: Request, _ context: TenantContext, to status: Product.Status
    ) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let caller = context.principal
        let product = try await products.move(
            id, to: status, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return answer(product, context)
    }

    // MARK: Variants

    @Sendable private func variants(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let product = try await products.require(context.id(of: "product"), scope: context.principal.scope)
        let answer = ProductAnswer(for: context.principal.role)
        return .page(product.variants, limit: product.variants.count, cursor: \.id, answer.write)
    }

    @Sendable private func addVariant(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let new = try await context.read(request) { NewVariant($0) }
        let caller = context.principal
        let (variant, product) = try await products.addVariant(
            new, to: id, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return answer(variant, of: product, context, status: .created)
    }

    @Sendable private func changeVariant(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let variantID: VariantID = try context.id("variant", of: "variant")
        let wanted = try await context.read(request) { VariantChange($0) }
        let caller = context.principal
        let (variant, product) = try await products.changeVariant(
            variantID, of: id, wanted, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return answer(variant, of: product, context)
    }

    @Sendable private func deleteVariant(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: ProductID = try context.id(of: "product")
        let variantID: VariantID = try context.id("variant", of: "variant")
        let caller = context.principal
        let product = try await products.removeVariant(
            variantID, of: id, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return Response(status: .noContent, headers: [.eTag: VersionMatch.etag(product.version)])
    }

    // MARK: Answers

    private func answer(
        _ product: Product, _ context: TenantContext, status: HTTPResponse.Status = .ok
    ) -> JSONResponse {
        Self.answer(product, for: context.principal.role, status: status)
    }

    static func answer(_ product: Product, for role: Role, status: HTTPResponse.Status) -> JSONResponse {
        JSONResponse(status: status, version: product.version) { ProductAnswer(for: role).write(product, &$0) }
    }

    /// A variant is changed through its product: the ETag is the product's.
    private func answer(
        _ variant: Variant, of product: Product, _ context: TenantContext, status: HTTPResponse.Status = .ok
    ) -> JSONResponse {
        JSONResponse(status: status, version: product.version) { writer in
            ProductAnswer(for: context.principal.role).write(variant, &writer)
        }
    }
}
