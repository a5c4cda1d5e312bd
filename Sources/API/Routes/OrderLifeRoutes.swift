import Commerce
import Hummingbird
import Kernel

/// What happens to an order after it was placed: moves, edits, notes, parcels and refunds.
struct OrderLifeRoutes {
    let orders: OrderService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let members = routes.group("/api/v1/oms/orders/{id}").requiring(.member)
        members.patch(use: edit)
        members.post("transition", use: move)
        let created = members.idempotent(idempotency)
        created.post("notes", use: addNote)
        created.post("fulfilments", use: fulfil)
        created.post("returns", use: takeBack)
        created.post("refunds", use: refund)
    }

    @Sendable private func move(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let next = try await context.read(request) { fields -> OrderStatus in
            let next: OrderStatus? = fields.choice("to")
            if fields.value("to") == nil { fields.fault("to", "is required") }
            return next ?? .draft
        }
        let caller = context.principal
        let order = try await orders.move(
            id, to: next, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return JSONResponse(version: order.version) { writer in OrderAnswer.write(order, &writer) }
    }

    @Sendable private func edit(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let caller = context.principal
        let currency = try await orders.currency(of: id, scope: caller.scope)
        let wanted = try await context.read(request) { OrderEdit($0, in: currency) }
        let order = try await orders.edit(
            id, wanted, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return JSONResponse(version: order.version) { writer in OrderAnswer.write(order, &writer) }
    }

    @Sendable private func addNote(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let text = try await context.read(request) { $0.requiredString("text") }
        let caller = context.principal
        let order = try await orders.add(
            note: text, to: id, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created, version: order.version) { writer in OrderAnswer.write(order, &writer) }
    }

    // MARK: Parcels and refunds

    @Sendable private func fulfil(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try await record(.fulfilment, "fulfilment", request, context)
    }

    @Sendable private func takeBack(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        try await record(.returned, "return", request, context)
    }

    private func record(
        _ kind: Parcel.Kind, _ name: String, _ request: Request, _ context: TenantContext
    ) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let wanted = try await context.readOptional(request) { ParcelRequest(kind, $0) }
        let caller = context.principal
        let (order, parcel, isNew) = try await orders.record(
            wanted, on: id, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: isNew ? .created : .ok, version: order.version) { writer in
            writer.objectField(name) { writer in OrderAnswer.write(parcel, &writer) }
            writer.objectField("order") { writer in OrderAnswer.write(order, &writer) }
        }
    }

    @Sendable private func refund(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let wanted = try await context.read(request) { RefundRequest($0) }
        let caller = context.principal
        let (order, isNew) = try await orders.refund(
            id, wanted, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: isNew ? .created : .ok, version: order.version) { writer in
            OrderAnswer.write(order, &writer)
        }
    }
}
