import Hummingbird
import Kernel

/// `/api/v1/audit`: who changed what of the installation, for admins.
struct AuditRoutes {
    let audit: AuditStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        routes.requiring(.admin).get("/api/v1/audit", use: list)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        var wanted = AuditStore.Query(limit: limit + 1)
        wanted.user = query.id("actor")
        wanted.action = query.text("action")
        wanted.resource = query.choice("resource", of: AuditSubject.self)?.rawValue
        wanted.resourceID = query.text("resource_id")
        wanted.from = query.time("from")
        wanted.to = query.time("to")
        wanted.before = query.id("cursor")
        try query.finish()
        let found = try await audit.list(wanted, scope: context.principal.scope)
        return .page(found, limit: limit, cursor: \.id, Self.write)
    }

    private static func write(_ entry: AuditEntry, _ writer: inout JSONWriter) {
        writer.field("id", entry.id)
        writer.field("created_at", entry.createdAt)
        writer.field("user_id", entry.user)
        writer.field("role", entry.role)
        writer.field("api_key_id", entry.apiKey)
        writer.field("request_id", entry.requestID)
        writer.field("address", entry.address)
        writer.field("action", entry.action)
        writer.field("resource", entry.resource)
        writer.field("resource_id", entry.resourceID)
        for (name, state) in [("before", entry.before), ("after", entry.after)] {
            writer.key(name)
            if let state { writer.raw(state.utf8) } else { writer.null() }
        }
    }
}
