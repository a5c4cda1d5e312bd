import Events
import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/subscriptions`: where a tenant's events go, and what became of their deliveries.
struct SubscriptionRoutes {
    let subscriptions: SubscriptionService
    let types: OwnTypeService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/webhooks/subscriptions")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/deliveries", use: deliveries)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.delete("{id}", use: delete)
        members.post("{id}/activate", use: activate)
        members.post("{id}/disable", use: disable)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let policy = subscriptions.policy
        let names = try await types.names(tenant: context.principal.scope.tenant)
        let wanted = try await context.read(request) { SubscriptionRequest($0, policy: policy, names: names) }
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

    private func write(_ subscription: Subscription, _ writer: inout JSONWriter) {
        writer.field("id", subscription.id)
        writer.field("url", subscription.url)
        writer.arrayField("event_types") { writer in
            for pattern in subscription.patterns { writer.string(pattern.description) }
        }
        writer.field("profile", subscription.profile)
        writer.field("payload_mode", "full")
        writer.objectField("headers") { writer in
            for header in subscription.headers { writer.field(header.name, header.value.description) }
        }
        writer.field("description", subscription.description)
        writer.field("status", subscription.status.rawValue)
        writer.field("status_reason", subscription.statusReason)
        writer.field("created_at", subscription.createdAt)
        writer.field("updated_at", subscription.updatedAt)
    }

    // MARK: Deliveries

    @Sendable private func deliveries(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        var query = QueryReader(request)
        let limit = query.limit()
        let before: DeliveryID? = query.id("cursor")
        try query.finish()
        let found = try await subscriptions.deliveries(
            of: id, scope: context.principal.scope, before: before, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    private func write(_ delivery: DeliverySummary, _ writer: inout JSONWriter) {
        writer.field("id", delivery.id)
        writer.field("event_id", delivery.eventID)
        writer.field("event_type", delivery.eventType)
        writer.field("state", delivery.state)
        writer.field("reason", delivery.reason)
        writer.field("next_attempt_at", delivery.nextAttemptAt)
        writer.field("created_at", delivery.createdAt)
        writer.field("finished_at", delivery.finishedAt)
        writer.arrayField("attempts") { writer in
            for attempt in delivery.attempts { writer.object { writer in write(attempt, &writer) } }
        }
    }

    private func write(_ attempt: DeliverySummary.Attempt, _ writer: inout JSONWriter) {
        writer.field("number", attempt.number)
        writer.field("started_at", attempt.startedAt)
        writer.field("duration_us", attempt.durationMicroseconds)
        writer.key("status")
        if let status = attempt.status { writer.integer(status) } else { writer.null() }
        writer.field("error_class", attempt.errorClass)
        writer.field("detail", attempt.detail)
        writer.key("request_headers")
        writer.raw(attempt.requestHeaders)
        writer.key("response_headers")
        if let headers = attempt.responseHeaders { writer.raw(headers) } else { writer.null() }
        writer.field("response_body", attempt.responseBody.map { String(decoding: $0, as: UTF8.self) })
    }
}
