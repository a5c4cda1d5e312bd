import Commerce
import Events
import Hummingbird
import Kernel

/// `/api/v1/oms/orders`: listed, read and placed; what happens to them later is in `OrderLifeRoutes`.
struct OrderRoutes {
    let orders: OrderService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/oms/orders")
        all.get(use: list)
        all.get("{id}", use: one)
        all.requiring(.member).idempotent(idempotency).post(use: place)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        var wanted = OrderQuery(limit: limit + 1)
        wanted.after = query.id("cursor")
        wanted.status = query.choice("status")
        wanted.channel = query.text("channel")
        wanted.since = query.time("since")
        wanted.match = query.choice("match_status")
        wanted.externalID = query.text("external_id")
        wanted.tag = query.text("tag")
        wanted.search = query.text("search")
        wanted.customer = query.id("customer")
        try query.finish()
        let found = try await orders.list(wanted, scope: context.principal.scope)
        return .page(found, limit: limit, cursor: \.id, OrderAnswer.write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let isAdmin = context.principal.role == .admin
        let story = try await orders.require(id, scope: context.principal.scope, withSource: isAdmin)
        return JSONResponse(version: story.order.version) { writer in OrderAnswer.write(story, &writer) }
    }

    @Sendable private func place(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewOrder($0) }
        let caller = context.principal
        let (order, isNew) = try await orders.place(new, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: isNew ? .created : .ok, version: order.version) { writer in
            OrderAnswer.write(order, &writer)
        }
    }
}
