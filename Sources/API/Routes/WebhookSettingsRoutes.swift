import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/settings`: what a tenant decides for all its subscriptions, with seed 003's names.
struct WebhookSettingsRoutes {
    let subscriptions: SubscriptionService

    func mount(on routes: some RouterMethods<TenantContext>) {
        routes.get("/api/v1/webhooks/settings", use: read)
        routes.requiring(.admin).patch("/api/v1/webhooks/settings", use: change)
    }

    @Sendable private func read(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        Self.answer(try await subscriptions.settings(of: context.principal.tenant))
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { TenantSettingsChange($0) }
        return Self.answer(try await subscriptions.changeSettings(wanted, of: context.principal.tenant))
    }

    private static func answer(_ settings: TenantSettings) -> JSONResponse {
        JSONResponse { writer in
            writer.field("retention_days", settings.retentionDays)
            writer.field("max_subscriptions", settings.maxSubscriptions)
            writer.field("max_retry_attempts", settings.maxRetryAttempts)
            writer.arrayField("backoff_schedule") { writer in
                for minutes in settings.backoffSchedule { writer.integer(minutes) }
            }
            writer.field("failure_threshold", settings.failureThreshold)
            writer.field("failure_window", settings.failureWindow)
            writer.field("min_deliveries_for_disable", settings.minDeliveriesForDisable)
        }
    }
}
