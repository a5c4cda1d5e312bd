import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/subscriptions/{id}/deliveries` and `…/stats`: what became of what was sent.
struct SubscriptionDeliveryRoutes {
    let subscriptions: SubscriptionService

    func mount(on routes: some RouterMethods<TenantContext>) {
        let one = routes.group("/api/v1/webhooks/subscriptions/{id}")
        one.get("deliveries", use: deliveries)
        one.get("stats", use: stats)
    }

    @Sendable private func stats(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: SubscriptionID = try context.id(of: "subscription")
        let stats = try await subscriptions.stats(of: id, scope: context.principal.scope)
        return JSONResponse { writer in
            writer.field("since", stats.since)
            writer.field("attempts", stats.attempts)
            writer.field("successes", stats.successes)
            writer.objectField("failures") { writer in
                for (name, count) in stats.failures.sorted(by: { $0.key < $1.key }) { writer.field(name, count) }
            }
            writer.field("success_rate", stats.successRate.map { JSONValue.number($0) } ?? JSONValue.null)
            writer.field("duration_p50_us", stats.medianDuration)
            writer.field("duration_p95_us", stats.duration95)
            writer.field("sampled", stats.isSampled)
            writer.field("pending", stats.waiting.pending)
            writer.field("delivering", stats.waiting.delivering)
            writer.field("next_due_at", stats.waiting.nextDue)
            writer.field("oldest_pending_at", stats.waiting.oldest)
            writer.objectField("breaker") { writer in
                writer.field("state", stats.breaker?.state ?? "closed")
                writer.field("opened_at", stats.breaker?.openedAt)
                writer.field("next_probe_at", stats.breaker?.nextAt)
            }
        }
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
        return .page(found, limit: limit, cursor: \.id) { $1.delivery($0) }
    }
}
