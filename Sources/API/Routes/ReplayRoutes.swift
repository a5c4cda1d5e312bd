import Events
import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/replays`: past events once more, to one subscription.
struct ReplayRoutes {
    let replays: ReplayService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/webhooks/replays")
        all.get(use: list)
        all.get("{id}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: begin)
        members.patch("{id}", use: change)
        members.post("{id}/pause") { try await move($1, to: .paused) }
        members.post("{id}/resume") { try await move($1, to: .running) }
        members.post("{id}/cancel") { try await move($1, to: .cancelled) }
    }

    @Sendable private func begin(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { ReplayRequest($0) }
        let caller = context.principal
        if wanted.isDryRun {
            let total = try await replays.count(wanted, scope: caller.scope)
            return JSONResponse { writer in
                writer.field("dry_run", true)
                writer.field("total", total)
            }
        }
        let replay = try await replays.begin(wanted, scope: caller.scope, user: caller.user)
        return JSONResponse(status: .accepted) { writer in write(replay, &writer) }
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let before: ReplayID? = query.id("cursor")
        try query.finish()
        let found = try await replays.list(scope: context.principal.scope, before: before, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let (replay, outcomes) = try await replays.require(
            context.id(of: "replay"), scope: context.principal.scope)
        return JSONResponse { writer in
            write(replay, &writer)
            writer.objectField("deliveries") { writer in
                for state in ["pending", "delivered", "failed", "skipped"] {
                    writer.field(state, outcomes[state] ?? 0)
                }
            }
        }
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ReplayID = try context.id(of: "replay")
        let (state, rate) = try await context.read(request) { fields -> (Replay.State?, Int??) in
            let state: Replay.State? = fields.choice("state")
            if state == .completed { fields.fault("state", "must be running, paused or cancelled") }
            let rate = fields.integer("rate", in: 1...10_000).map { Int($0) }
            return (state, fields.isPresent("rate") ? .some(rate) : .none)
        }
        let scope = context.principal.scope
        if let rate { try await replays.setRate(rate, of: id, scope: scope) }
        if let state { _ = try await replays.move(id, to: state, scope: scope) }
        let replay = try await replays.require(id, scope: scope).replay
        return JSONResponse { writer in write(replay, &writer) }
    }

    private func move(_ context: TenantContext, to state: Replay.State) async throws -> JSONResponse {
        let replay = try await replays.move(
            context.id(of: "replay"), to: state, scope: context.principal.scope)
        return JSONResponse { writer in write(replay, &writer) }
    }

    private func write(_ replay: Replay, _ writer: inout JSONWriter) {
        writer.field("id", replay.id)
        // A replay is its workflow, under one id.
        writer.field("workflow_id", replay.id)
        writer.field("subscription_id", replay.subscription)
        writer.field("since", replay.since)
        writer.field("until", replay.until)
        writer.arrayField("event_types") { writer in
            for pattern in replay.patterns { writer.string(pattern.description) }
        }
        writer.field("only", replay.selection.rawValue)
        writer.key("rate")
        if let rate = replay.rate { writer.integer(rate) } else { writer.null() }
        writer.field("state", replay.state.rawValue)
        writer.field("reason", replay.reason)
        writer.field("total", replay.total)
        writer.field("queued", replay.queued)
        writer.field("requested_by", replay.requestedBy)
        writer.field("created_at", replay.createdAt)
        writer.field("updated_at", replay.updatedAt)
        writer.field("finished_at", replay.finishedAt)
    }
}
