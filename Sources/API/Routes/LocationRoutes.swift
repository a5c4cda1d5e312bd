import Commerce
import Hummingbird
import Kernel

/// `/api/v1/inventory/locations`: the places where stock lies.
struct LocationRoutes {
    let locations: LocationService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/inventory/locations")
        all.get(use: list)
        all.get("{id}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.patch("{id}", use: change)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let after: LocationID? = query.id("cursor")
        try query.finish()
        let found = try await locations.list(scope: context.principal.scope, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let location = try await locations.require(context.id(of: "location"), scope: context.principal.scope)
        return answer(location)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewLocation($0) }
        let location = try await locations.create(new, scope: context.principal.scope)
        return answer(location, status: .created)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: LocationID = try context.id(of: "location")
        let wanted = try await context.read(request) { LocationChange($0) }
        let location = try await locations.change(
            id, wanted, ifMatch: try request.versionMatch(), scope: context.principal.scope)
        return answer(location)
    }

    private func answer(_ location: Location, status: HTTPResponse.Status = .ok) -> JSONResponse {
        JSONResponse(status: status, version: location.version) { writer in write(location, &writer) }
    }

    private func write(_ location: Location, _ writer: inout JSONWriter) {
        writer.field("id", location.id)
        writer.field("name", location.name)
        writer.field("is_default", location.isDefault)
        writer.field("version", location.version)
        writer.field("created_at", location.createdAt)
        writer.field("updated_at", location.updatedAt)
    }
}
