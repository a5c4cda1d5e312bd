import Events
import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/subscriptions`: where a tenant's events go.
struct SubscriptionRoutes {
    let subscriptions: SubscriptionService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/webhooks/subscriptions")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/keys", use: keys)
        let members = all.requiring(.member)
        let once = members.idempotent(idempotency)
        once.post(use: create)
        members.patch("{id}", use: change)
        members.delete("{id}", use: delete)
        members.post("{id}/activate", use: activate)
        members.post("{id}/disable", use: disable)
        once.post("{id}/rotate-secret", use: rotate)
        once.post("{id}/test", use: test)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let rules = try await subscriptions.rules(for: context.principal.tenant)
        let wanted = try await context.read(request) { SubscriptionRequest($0, rules: rules) }
        let (subscription, secret) = try await subscriptions.create(wanted, scope: context.principal.scope)
        return JSONResponse(status: .created) { writer in
            write(subscription, &writer)
            writer.field("secret", secret.revealText(for: "showing a new secret once"))
        }
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let after: SubscriptionID? = query.id("cursor")
        try query.finish()
        let found = try await subscriptions.list(scope: context.principal.scope, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let subscription = try await subscriptions.require(id, scope: context.principal.scope)
        return JSONResponse { writer in write(subscription, &writer) }
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let rules = try await subscriptions.rules(for: context.principal.tenant)
        let wanted = try await context.read(request) { SubscriptionChange($0, rules: rules) }
        let subscription = try await subscriptions.change(id, wanted, scope: context.principal.scope)
        return JSONResponse { writer in write(subscription, &writer) }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        try await subscriptions.delete(context.id(of: "subscription"), scope: context.principal.scope)
        return Response(status: .noContent)
    }

    @Sendable private func activate(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try await setStatus(.active, context)
    }

    @Sendable private func disable(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try await setStatus(.disabled, context)
    }

    private func setStatus(_ status: Subscription.Status, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let subscription = try await subscriptions.setStatus(status, of: id, scope: context.principal.scope)
        return JSONResponse { writer in write(subscription, &writer) }
    }

    // MARK: Secrets and tests

    @Sendable private func rotate(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let rotation = try await context.readOptional(request) { SecretRotation($0) }
        let rotated = try await subscriptions.rotateSecret(of: id, rotation, scope: context.principal.scope)
        return JSONResponse { writer in
            writer.field("id", rotated.subscription.id)
            writer.field("signature", rotated.subscription.signature.rawValue)
            writer.field("secret", rotated.secret.revealText(for: "showing a new secret once"))
            writer.field("overlap_hours", rotation.overlapHours)
            writer.field("previous_until", rotated.previousUntil)
        }
    }

    @Sendable private func keys(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let keys = try await subscriptions.publicKeys(of: id, scope: context.principal.scope)
        return JSONResponse { writer in
            writer.arrayField("keys") { writer in
                for key in keys {
                    writer.object { writer in
                        writer.field("public_key", key.publicKey)
                        writer.field("created_at", key.createdAt)
                        writer.field("expires_at", key.expiresAt)
                    }
                }
            }
        }
    }

    @Sendable private func test(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let own = try await subscriptions.ownTypes(of: context.principal.tenant)
        let wanted = try await context.readOptional(request) { TestRequest($0, own: own) }
        let delivery = try await subscriptions.sendTest(
            wanted, to: id, scope: context.principal.scope, actor: context.principal.actor)
        return JSONResponse(status: .accepted) { writer in
            writer.field("status", "queued")
            writer.field("delivery_id", delivery)
        }
    }

    private func write(_ subscription: Subscription, _ writer: inout JSONWriter) {
        writer.field("id", subscription.id)
        writer.field("url", subscription.url)
        writer.arrayField("event_types") { writer in
            for pattern in subscription.patterns { writer.string(pattern.description) }
        }
        writer.field("profile", subscription.profile)
        writer.field("payload_mode", subscription.payloadMode.rawValue)
        writer.field("signature", subscription.signature.rawValue)
        writer.objectField("headers") { writer in
            for header in subscription.headers { writer.field(header.name, header.value.description) }
        }
        writer.field("description", subscription.description)
        writer.key("retry")
        if let retry = subscription.retry { writer.object { retry.write(&$0) } } else { writer.null() }
        writer.field("rate_limit", subscription.rateLimit)
        writer.field("max_in_flight", subscription.maxInFlight)
        writer.field("ordered", subscription.isOrdered)
        writer.field("filter", subscription.filter?.json ?? .null)
        writer.field("status", subscription.status.rawValue)
        writer.field("status_reason", subscription.statusReason)
        writer.field("created_at", subscription.createdAt)
        writer.field("updated_at", subscription.updatedAt)
    }
}
