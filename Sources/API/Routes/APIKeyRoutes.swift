import Hummingbird
import Kernel

/// `/api/v1/api-keys`: made, listed and revoked by admins; a key's text is shown once.
struct APIKeyRoutes {
    let keys: APIKeyStore
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let admins = routes.group("/api/v1/api-keys").requiring(.admin)
        admins.idempotent(idempotency).post(use: create)
        admins.get(use: list)
        admins.delete("{id}", use: revoke)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let caller = context.principal
        let (label, principal) = try await context.read(request) { reader in
            let label = reader.requiredString("label", upTo: 200)
            let role: Role? = reader.choice("role")
            if reader.value("role") == nil { reader.fault("role", "is required") }
            let user: UserID? = reader.id("user_id")
            return (label, Principal(scope: caller.scope, user: user ?? caller.user, role: role ?? .viewer))
        }
        let (key, text) = try await keys.create(principal, label: label)
        return JSONResponse(status: .created) { writer in
            write(key, &writer)
            writer.field("key", text.revealText(for: "showing a new key once"))
        }
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let cursor: APIKeyID? = query.id("cursor")
        try query.finish()
        let rows = try await keys.list(context.principal.scope, after: cursor, limit: limit + 1)
        return .page(rows, limit: limit, cursor: \.id, write)
    }

    @Sendable private func revoke(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: APIKeyID = try context.id(of: "API key")
        guard try await keys.revoke(id, in: context.principal.scope) else { throw Problem.notFound("API key") }
        return Response(status: .noContent)
    }

    private func write(_ key: APIKey, _ writer: inout JSONWriter) {
        writer.field("id", key.id)
        writer.field("label", key.label)
        writer.field("role", key.principal.role.rawValue)
        writer.field("user_id", key.principal.user)
        writer.field("created_at", key.createdAt)
        writer.field("revoked_at", key.revokedAt)
    }
}
