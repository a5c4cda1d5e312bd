import Durable
import Hummingbird
import Kernel

/// `/api/v1/workflows`: what became of work that was answered 202, and the dead-letter list.
struct WorkflowRoutes {
    let workflows: WorkflowService

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/workflows")
        all.get(use: dead)
        all.get("{id}", use: one)
        all.requiring(.member).post("{id}/retry", use: retry)
    }

    /// Only dead workflows are listed: the others are found by the id that their caller was given.
    @Sendable private func dead(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let after: WorkflowID? = query.id("cursor")
        if let state = query.text("state"), state != "dead" { query.fault("state", "must be dead") }
        try query.finish()
        let caller = context.principal
        let found = try await workflows.dead(
            tenant: caller.tenant, organisation: caller.organisation, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let caller = context.principal
        let workflow = try await workflows.require(
            context.id(of: "workflow"), tenant: caller.tenant, organisation: caller.organisation)
        return JSONResponse { writer in write(workflow, &writer) }
    }

    @Sendable private func retry(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: WorkflowID = try context.id(of: "workflow")
        let caller = context.principal
        try await workflows.retry(id, tenant: caller.tenant, organisation: caller.organisation)
        return JSONResponse(status: .accepted) { writer in
            writer.field("status", "queued")
            writer.field("workflow_id", id)
        }
    }

    private func write(_ workflow: WorkflowSummary, _ writer: inout JSONWriter) {
        writer.field("id", workflow.id)
        writer.field("kind", workflow.kind)
        writer.field("state", workflow.state)
        writer.field("outcome", workflow.outcome)
        writer.field("reason", workflow.reason)
        writer.field("result_id", workflow.result)
        writer.field("attempts", workflow.attempts)
        writer.field("next_attempt_at", workflow.nextAttemptAt)
        writer.key("progress")
        if let progress = workflow.progress { writer.raw(progress) } else { writer.null() }
        writer.arrayField("steps") { writer in
            for step in workflow.steps {
                writer.object { writer in
                    writer.field("name", step.name)
                    writer.field("recorded_at", step.recordedAt)
                }
            }
        }
        writer.field("created_at", workflow.createdAt)
        writer.field("updated_at", workflow.updatedAt)
    }
}
