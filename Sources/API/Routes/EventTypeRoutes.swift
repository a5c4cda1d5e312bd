import Events
import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/event-types`: what can be subscribed to, ours and the tenant's own; `POST /api/v1/events`: the
/// publishing of the latter.
struct EventTypeRoutes {
    let types: OwnTypeService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/webhooks/event-types")
        all.get(use: list)
        all.get("{name}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: register)
        members.patch("{name}", use: change)
        members.delete("{name}", use: delete)
        routes.group("/api/v1/events").requiring(.member).idempotent(idempotency).post(use: publish)
    }

    /// All at once: the catalogue is short, and the number of a tenant's own types is bounded.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try QueryReader(request).finish()
        let own = try await types.list(tenant: context.principal.scope.tenant)
        return JSONResponse { writer in
            writer.arrayField("data") { writer in
                for type in EventCatalog.all { writer.object { write(type, &$0) } }
                for type in own { writer.object { write(type, &$0) } }
            }
            writer.key("next_cursor")
            writer.null()
        }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let name = try context.parameters.require("name")
        if let type = EventCatalog.type(named: name) { return JSONResponse { write(type, &$0) } }
        guard let own = try await types.find(name, tenant: context.principal.scope.tenant) else {
            throw Refusal.notFound("event type")
        }
        return JSONResponse { write(own, &$0) }
    }

    @Sendable private func register(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { OwnTypeRequest.new($0) }
        let type = try await types.register(wanted, scope: context.principal.scope)
        return JSONResponse(status: .created) { write(type, &$0) }
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let name = try context.parameters.require("name")
        let wanted = try await context.read(request) { OwnTypeRequest.change($0) }
        let type = try await types.change(name, wanted, scope: context.principal.scope)
        return JSONResponse { write(type, &$0) }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        try await types.delete(context.parameters.require("name"), scope: context.principal.scope)
        return Response(status: .noContent)
    }

    @Sendable private func publish(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { OwnEventRequest($0) }
        let caller = context.principal
        let event = try await types.publish(wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created) { writer in
            writer.field("event_id", event.id)
            writer.field("event_type", event.type)
            writer.field("entity_type", event.entity.type)
            writer.field("entity_id", event.entity.id)
            writer.field("timestamp", event.occurredAt)
            // What leaves, so that a caller sees at once what is withheld.
            writer.key("payload")
            writer.raw(event.payload)
        }
    }

    // MARK: Writing

    private func write(_ type: any EventType.Type, _ writer: inout JSONWriter) {
        writer.field("name", type.name)
        writer.field("summary", type.summary)
        writer.field("own", false)
        writer.key("schema")
        writer.raw(PayloadSchema.json(of: type))
        writer.key("example")
        writer.raw(type.examplePayload)
        writer.arrayField("withheld") { writer in
            for field in type.fields where field.privacy != .public { writer.string(field.name) }
        }
    }

    private func write(_ type: OwnType, _ writer: inout JSONWriter) {
        writer.field("name", type.name)
        writer.field("summary", type.summary)
        writer.field("own", true)
        writer.field("schema", type.schema)
        writer.field("example", type.example ?? .null)
        writer.arrayField("withheld") { writer in for name in type.withheldNames { writer.string(name) } }
        writer.field("version", type.version)
        writer.field("created_at", type.createdAt)
        writer.field("updated_at", type.updatedAt)
    }
}
