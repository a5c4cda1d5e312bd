import Connectors
import Hummingbird
import Integrations
import Kernel

/// `/api/v1/integrations`: connections and their inbound log (seed 000).
struct ConnectionRoutes {
    let connections: ConnectionService
    let inbox: InboxService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/integrations")
        all.get("connections", use: list)
        all.get("connections/{id}", use: one)
        all.get("connections/{id}/inbox", use: inboundLog)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post("callback", use: save)
        members.patch("connections/{id}", use: setStatus)
        members.delete("connections/{id}", use: disconnect)
        members.post("connections/{id}/inbox/{entry}/retry", use: retry)
        let admins = all.requiring(.admin)
        admins.idempotent(idempotency).post("connections/{id}/rotate-secret", use: rotate)
        admins.idempotent(idempotency).post("workspace/rotate-secret", use: rotateWorkspace)
    }

    // MARK: Connections

    @Sendable private func save(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { ConnectionService.Request($0) }
        let (connection, secret) = try await connections.save(wanted, scope: context.principal.scope)
        return JSONResponse(status: .created) { writer in
            writer.field("status", "success")
            writer.field("message", "The connection is active. Its webhook secret is shown only here.")
            writer.objectField("connection") { writer in
                write(connection, &writer)
                writer.field("webhook_secret", secret.revealText(for: "showing a new secret once"))
            }
        }
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let status = query.choice("status", of: ListedStatus.self) ?? .active
        try query.finish()
        let found = try await connections.list(scope: context.principal.scope, onlyActive: status == .active)
        return JSONResponse { writer in
            writer.arrayField("connections") { writer in
                for connection in found { writer.object { writer in write(connection, &writer) } }
            }
        }
    }

    private enum ListedStatus: String, CaseIterable {
        case active
        case all
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ConnectionID = try context.id(of: "connection")
        let connection = try await connections.require(id, scope: context.principal.scope)
        return JSONResponse { writer in write(connection, &writer) }
    }

    @Sendable private func setStatus(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ConnectionID = try context.id(of: "connection")
        let status = try await context.read(request) { fields -> Connection.Status in
            let status: SettableStatus? = fields.choice("status")
            if fields.value("status") == nil { fields.fault("status", "is required") }
            return status == .paused ? .paused : .active
        }
        let connection = try await connections.setStatus(status, of: id, scope: context.principal.scope)
        return JSONResponse { writer in write(connection, &writer) }
    }

    private enum SettableStatus: String, CaseIterable {
        case active
        case paused
    }

    @Sendable private func disconnect(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: ConnectionID = try context.id(of: "connection")
        _ = try await connections.setStatus(.disconnected, of: id, scope: context.principal.scope)
        return Response(status: .noContent)
    }

    private func write(_ connection: Connection, _ writer: inout JSONWriter) {
        writer.field("id", connection.id)
        writer.field("connection_id", connection.externalID)
        writer.field("provider", connection.provider)
        writer.field("category", connection.category.rawValue)
        writer.field("status", connection.status.rawValue)
        writer.objectField("health") { writer in
            writer.field("state", connection.lastReceivedAt == nil ? "waiting" : "receiving")
            writer.field("last_received_at", connection.lastReceivedAt)
        }
        writer.field("created_at", connection.createdAt)
        writer.field("updated_at", connection.updatedAt)
    }

    // MARK: Secrets

    @Sendable private func rotate(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ConnectionID = try context.id(of: "connection")
        return try await rotated(id, request, context)
    }

    @Sendable private func rotateWorkspace(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try await rotated(nil, request, context)
    }

    private func rotated(
        _ id: ConnectionID?, _ request: Request, _ context: TenantContext
    ) async throws -> JSONResponse {
        let rotation = try await context.readOptional(request) { ConnectionService.Rotation($0) }
        let secret = try await connections.rotateSecret(of: id, rotation, scope: context.principal.scope)
        return JSONResponse { writer in
            writer.field("webhook_secret", secret.revealText(for: "showing a new secret once"))
            writer.field("overlap_hours", rotation.overlap.components.seconds / 3600)
        }
    }

    // MARK: Inbound log

    @Sendable private func inboundLog(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ConnectionID = try context.id(of: "connection")
        var query = QueryReader(request)
        let limit = query.limit()
        let before: InboxID? = query.id("cursor")
        try query.finish()
        let entries = try await inbox.list(
            id, scope: context.principal.scope, before: before, limit: limit + 1,
            withBodies: context.principal.role == .admin)
        return .page(entries, limit: limit, cursor: \.id) { entry, writer in
            writer.field("id", entry.id)
            writer.field("event", entry.event)
            writer.field("state", entry.state)
            writer.field("reason", entry.reason)
            writer.field("order_id", entry.order)
            writer.field("workflow_id", entry.state == "ignored" ? nil : entry.id)
            writer.field("received_at", entry.receivedAt)
            if let body = entry.body { writer.field("payload", String(decoding: body, as: UTF8.self)) }
        }
    }

    @Sendable private func retry(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ConnectionID = try context.id(of: "connection")
        let entry: InboxID = try context.id("entry", of: "inbox entry")
        try await inbox.retry(entry, of: id, scope: context.principal.scope)
        return JSONResponse(status: .accepted) { writer in
            writer.field("status", "queued")
            writer.field("workflow_id", entry)
        }
    }
}
