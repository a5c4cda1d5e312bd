import Commerce
import Hummingbird
import Integrations
import Kernel

/// `/api/v1/integrations/connections/{id}/mappings`: which variants a store's items are.
struct MappingRoutes {
    let connections: ConnectionService
    let mappings: VariantMappingService

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/integrations/connections/{id}/mappings")
        all.get(use: list)
        let members = all.requiring(.member)
        members.put(use: put)
        members.delete(use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let connection = try await connection(context)
        var query = QueryReader(request)
        let limit = query.limit()
        let after = query.text("cursor")
        try query.finish()
        let found = try await mappings.list(
            of: connection, scope: context.principal.scope, after: after, limit: limit + 1)
        let shown = found.prefix(limit)
        return JSONResponse { writer in
            writer.arrayField("data") { writer in
                for mapping in shown { writer.object { writer in write(mapping, &writer) } }
            }
            writer.field("next_cursor", found.count > limit ? shown.last?.externalID : nil)
        }
    }

    @Sendable private func put(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let connection = try await connection(context)
        let wanted = try await context.read(request) { VariantMappingService.Request($0) }
        let mapping = try await mappings.put(wanted, of: connection, scope: context.principal.scope)
        return JSONResponse { writer in write(mapping, &writer) }
    }

    /// The item is named in the query: stores' ids hold slashes.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        let connection = try await connection(context)
        var query = QueryReader(request)
        let item = query.text("external_id")
        if item == nil { query.fault("external_id", "is required") }
        try query.finish()
        try await mappings.delete(item ?? "", of: connection, scope: context.principal.scope)
        return Response(status: .noContent)
    }

    private func connection(_ context: TenantContext) async throws -> ID<OrderSource> {
        let id: ConnectionID = try context.id(of: "connection")
        return try await connections.require(id, scope: context.principal.scope).id.cast()
    }

    private func write(_ mapping: VariantMapping, _ writer: inout JSONWriter) {
        writer.field("external_id", mapping.externalID)
        writer.field("variant_id", mapping.variant)
        writer.field("created_at", mapping.createdAt)
    }
}
