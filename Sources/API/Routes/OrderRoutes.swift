import Commerce
import Events
import Hummingbird
import Kernel

/// `/api/v1/oms/orders`: listed, read, placed and moved through their states.
struct OrderRoutes {
    let orders: OrderService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/oms/orders")
        all.get(use: list)
        all.get("{id}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: place)
        members.post("{id}/transition", use: move)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let wanted = OrderService.Query(
            after: query.id("cursor"), limit: limit + 1, status: query.choice("status"),
            channel: query.text("channel"), since: query.time("since"))
        try query.finish()
        let found = try await orders.list(wanted, scope: context.principal.scope)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let isAdmin = context.principal.role == .admin
        let story = try await orders.require(id, scope: context.principal.scope, withSource: isAdmin)
        return JSONResponse { writer in
            write(story.order, &writer)
            writer.arrayField("timeline") { writer in
                for event in story.timeline { writer.object { writer in write(event, &writer) } }
            }
            // As text: a source's bytes need not be JSON that survives being written again.
            if let payload = story.sourcePayload {
                writer.field("source_payload", String(decoding: payload, as: UTF8.self))
            }
        }
    }

    @Sendable private func place(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewOrder($0) }
        let caller = context.principal
        let (order, isNew) = try await orders.place(new, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: isNew ? .created : .ok) { writer in write(order, &writer) }
    }

    @Sendable private func move(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: OrderID = try context.id(of: "order")
        let next = try await context.read(request) { fields -> OrderStatus in
            let next: OrderStatus? = fields.choice("to")
            if fields.value("to") == nil { fields.fault("to", "is required") }
            return next ?? .draft
        }
        let caller = context.principal
        let order = try await orders.move(id, to: next, scope: caller.scope, actor: caller.actor)
        return JSONResponse { writer in write(order, &writer) }
    }

    // MARK: Writing

    private func write(_ order: Order, _ writer: inout JSONWriter) {
        writer.field("id", order.id)
        writer.field("external_id", order.externalID)
        writer.field("connection_id", order.connection)
        writer.field("channel", order.channel)
        writer.field("source_platform", order.sourcePlatform)
        writer.field("status", order.status.rawValue)
        writer.field("source_status", order.sourceStatus)
        writer.field("currency", order.currency.code)
        writer.field("subtotal", order.subtotal)
        writer.field("discount_total", order.discount)
        writer.field("shipping_total", order.shipping)
        writer.field("tax_total", order.tax)
        writer.field("total", order.total)
        writer.field("total_difference", order.totalDifference)
        writer.field("refunded_total", order.refunded)
        writer.field("match_status", order.matchStatus.rawValue)
        writer.objectField("customer") { writer in
            writer.field("external_id", order.customer.externalID)
            writer.field("name", order.customer.name)
            writer.field("email", order.customer.email)
        }
        writer.arrayField("lines") { writer in
            for line in order.lines { writer.object { writer in write(line, &writer) } }
        }
        writer.arrayField("adjustments") { writer in
            for adjustment in order.adjustments {
                writer.object { writer in
                    writer.field("external_id", adjustment.externalID)
                    writer.field("kind", "refund")
                    writer.field("amount", adjustment.amount)
                    writer.field("reason", adjustment.reason)
                }
            }
        }
        writer.field("source_updated_at", order.sourceVersion)
        writer.field("placed_at", order.placedAt)
        writer.field("version", order.version)
        writer.field("created_at", order.createdAt)
        writer.field("updated_at", order.updatedAt)
    }

    private func write(_ line: OrderLine, _ writer: inout JSONWriter) {
        writer.field("line_id", line.key)
        writer.field("item_id", line.itemID)
        writer.field("sku", line.sku)
        writer.field("title", line.title)
        writer.field("variant_id", line.variant)
        writer.field("match", line.match.rawValue)
        writer.field("quantity_ordered", line.quantityOrdered)
        writer.field("quantity_current", line.quantityCurrent)
        writer.field("quantity_fulfilled", line.quantityFulfilled)
        writer.field("unit_price", line.unitPrice)
        writer.field("total", line.total)
        writer.field("tax", line.tax)
    }

    private func write(_ event: DomainEvent, _ writer: inout JSONWriter) {
        writer.field("event_id", event.id)
        writer.field("event_type", event.type)
        writer.field("timestamp", event.occurredAt)
        writer.field("user_id", event.actor.user)
        writer.field("role", event.actor.role)
        writer.field("source", event.source)
    }
}
