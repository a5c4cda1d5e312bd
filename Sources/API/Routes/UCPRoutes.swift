import CatalogFeed
import HTTPTypes
import Hummingbird
import Kernel

/// The Universal Commerce Protocol, version 2026-04-08: its profile, and its catalogue for agents with a key.
struct UCPRoutes {
    let services: CatalogFeedServices

    /// The profile is for anyone, and to be kept: the protocol forbids `no-store` and redirects there.
    func mountProfile(on routes: some RouterMethods<AppContext>) {
        routes.get("/.well-known/ucp", use: profile)
    }

    func mount(on routes: some RouterMethods<TenantContext>) {
        let catalog = routes.group("/catalog")
        catalog.post("search", use: search)
        catalog.post("lookup", use: lookup)
        catalog.post("product", use: product)
    }

    @Sendable private func profile(_ request: Request, _ context: AppContext) -> JSONResponse {
        let endpoint = services.publicURL ?? "http://\(request.head.authority ?? "localhost")"
        return JSONResponse(
            UCPProfile.document(endpoint: endpoint), headers: [.cacheControl: "public, max-age=3600"])
    }

    @Sendable private func search(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try CatalogRequest.Search(try await context.json(of: request))
        return JSONResponse(try await services.search.search(wanted, context.principal.scope))
    }

    @Sendable private func lookup(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try CatalogRequest.Lookup(try await context.json(of: request))
        guard wanted.ids.count <= CatalogRequest.idsLimit else {
            throw Problem(
                .badRequest, "At most \(CatalogRequest.idsLimit) ids can be looked up at once.",
                fields: [Refusal.Field("code", .string("request_too_large"))])
        }
        return JSONResponse(try await services.search.lookup(wanted, context.principal.scope))
    }

    @Sendable private func product(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try CatalogRequest.Detail(try await context.json(of: request))
        return JSONResponse(try await services.search.detail(wanted, context.principal.scope))
    }
}
