import Commerce
import Hummingbird
import Kernel

/// `/api/v1/pim/products`: products and their variants.
struct ProductRoutes {
    let products: ProductService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/pim/products")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/variants", use: variants)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.idempotent(idempotency).post("{id}/variants", use: addVariant)
        members.patch("{id}", use: change)
        members.patch("{id}/variants/{variant}", use: changeVariant)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewProduct($0) }
        let caller = context.principal
        let product = try await products.create(new, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created) { writer in write(product, &writer) }
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let after: ProductID? = query.id("cursor")
        try query.finish()
        let found = try await products.list(scope: context.principal.scope, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let product = try await products.require(context.id(of: "product"), scope: context.principal.scope)
        return JSONResponse { writer in write(product, &writer) }
    }

    @Sendable private func variants(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let product = try await products.require(context.id(of: "product"), scope: context.principal.scope)
        return .page(product.variants, limit: product.variants.count, cursor: \.id, write)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let wanted = try await context.read(request) { ProductChange($0) }
        let caller = context.principal
        let product = try await products.change(id, wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse { writer in write(product, &writer) }
    }

    @Sendable private func addVariant(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let new = try await context.read(request) { NewVariant($0) }
        let caller = context.principal
        let variant = try await products.addVariant(new, to: id, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created) { writer in write(variant, &writer) }
    }

    @Sendable private func changeVariant(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ProductID = try context.id(of: "product")
        let variantID: VariantID = try context.id("variant", of: "variant")
        let wanted = try await context.read(request) { VariantChange($0) }
        let caller = context.principal
        let variant = try await products.changeVariant(
            variantID, of: id, wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse { writer in write(variant, &writer) }
    }

    // MARK: Writing

    private func write(_ product: Product, _ writer: inout JSONWriter) {
        writer.field("id", product.id)
        writer.field("title", product.title)
        writer.field("description", product.description)
        writer.field("category", product.category)
        writer.field("status", product.status.rawValue)
        writer.arrayField("variants") { writer in
            for variant in product.variants { writer.object { writer in write(variant, &writer) } }
        }
        writer.field("version", product.version)
        writer.field("created_at", product.createdAt)
        writer.field("updated_at", product.updatedAt)
    }

    private func write(_ variant: Variant, _ writer: inout JSONWriter) {
        writer.field("id", variant.id)
        writer.field("product_id", variant.product)
        writer.field("sku", variant.sku)
        writer.field("barcode", variant.barcode)
        writer.field("title", variant.title)
        if let price = variant.price {
            writer.field("price", price)
        } else {
            writer.key("price")
            writer.null()
        }
        writer.field("currency", variant.price?.currency.code)
        writer.field("version", variant.version)
        writer.field("created_at", variant.createdAt)
        writer.field("updated_at", variant.updatedAt)
    }
}
