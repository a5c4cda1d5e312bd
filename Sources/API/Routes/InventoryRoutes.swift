import Commerce
import Hummingbird
import Kernel

/// `/api/v1/inventory`: levels, their ledger, and what changes them.
struct InventoryRoutes {
    let inventory: InventoryService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/inventory")
        all.get("levels", use: levels)
        all.get("ledger", use: ledger)
        all.get("settings", use: settings)
        let members = all.requiring(.member)
        members.patch("levels/{id}", use: setThreshold)
        let created = members.idempotent(idempotency)
        created.post("adjust", use: adjust)
        created.post("adjust/bulk", use: adjustMany)
        created.post("transfers", use: transfer)
        all.requiring(.admin).put("settings", use: replaceSettings)
    }

    // MARK: Levels

    @Sendable private func levels(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        var wanted = InventoryService.LevelQuery(limit: limit + 1)
        wanted.after = query.id("cursor")
        wanted.variant = query.id("variant_id")
        wanted.sku = query.text("sku")
        wanted.location = query.id("location_id")
        wanted.onlyLow = query.flag("low_stock") ?? false
        try query.finish()
        let found = try await inventory.levels(wanted, scope: context.principal.scope)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func setThreshold(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: ID<Level> = try context.id(of: "level")
        let threshold = try await context.read(request) { fields -> Int64? in
            if !fields.isPresent("low_stock_threshold") { fields.fault("low_stock_threshold", "is required") }
            return fields.integer("low_stock_threshold", in: 0...AdjustmentRequest.most)
        }
        let level = try await inventory.setThreshold(threshold, of: id, scope: context.principal.scope)
        return JSONResponse { writer in write(level, &writer) }
    }

    // MARK: Ledger

    @Sendable private func ledger(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        var wanted = InventoryService.LedgerQuery(limit: limit + 1)
        wanted.after = query.id("cursor")
        wanted.variant = query.id("variant_id")
        wanted.location = query.id("location_id")
        wanted.order = query.id("order_id")
        wanted.reason = query.choice("reason")
        wanted.since = query.time("since")
        try query.finish()
        let found = try await inventory.ledger(wanted, scope: context.principal.scope)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    // MARK: Changing

    @Sendable private func adjust(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { AdjustmentRequest($0) }
        let caller = context.principal
        let line = try await inventory.adjust(wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: line == nil ? .ok : .created) { writer in write(line, of: wanted, &writer) }
    }

    @Sendable private func adjustMany(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { AdjustmentRequest.list($0) }
        let caller = context.principal
        let lines = try await inventory.adjust(wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created) { writer in
            writer.arrayField("data") { writer in
                for (line, wanted) in zip(lines, wanted) {
                    writer.object { writer in write(line, of: wanted, &writer) }
                }
            }
        }
    }

    @Sendable private func transfer(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { TransferRequest($0) }
        let caller = context.principal
        let lines = try await inventory.transfer(wanted, scope: caller.scope, actor: caller.actor)
        return JSONResponse(status: .created) { writer in
            writer.field("id", lines.first?.transfer)
            writer.field("variant_id", wanted.variant)
            writer.field("quantity", wanted.quantity)
            writer.arrayField("entries") { writer in
                for line in lines { writer.object { writer in write(line, &writer) } }
            }
        }
    }

    // MARK: Settings

    @Sendable private func settings(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let settings = try await inventory.settings(of: context.principal.tenant)
        return JSONResponse { writer in write(settings, &writer) }
    }

    @Sendable private func replaceSettings(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let settings = try await context.read(request) { InventorySettings($0) }
        try await inventory.save(settings, of: context.principal.tenant)
        return JSONResponse { writer in write(settings, &writer) }
    }

    // MARK: Writing

    private func write(_ settings: InventorySettings, _ writer: inout JSONWriter) {
        writer.field("inventory_allocation_model", settings.allocation.rawValue)
        writer.field("default_low_stock_threshold", settings.lowStockThreshold)
    }

    private func write(_ level: Level, _ writer: inout JSONWriter) {
        writer.field("id", level.id)
        writer.field("variant_id", level.variant)
        writer.field("sku", level.sku)
        writer.field("location_id", level.location)
        write(level.balance, &writer)
        writer.field("low_stock_threshold", level.threshold)
        writer.field("has_own_threshold", level.ownThreshold != nil)
        writer.field("low_stock", level.isLow)
        writer.field("updated_at", level.updatedAt)
    }

    private func write(_ balance: Balance, _ writer: inout JSONWriter) {
        writer.field("on_hand", balance.onHand)
        writer.field("reserved", balance.reserved)
        writer.field("available", balance.available)
    }

    private func write(_ line: LedgerLine, _ writer: inout JSONWriter) {
        writer.field("id", line.id)
        writer.field("variant_id", line.variant)
        writer.field("sku", line.sku)
        writer.field("location_id", line.location)
        writer.field("reason", line.reason.rawValue)
        writer.field("quantity_delta", line.delta.onHand)
        writer.field("reserved_delta", line.delta.reserved)
        write(line.after, &writer)
        writer.field("order_id", line.order)
        writer.field("transfer_id", line.transfer)
        writer.field("note", line.note)
        writer.field("user_id", line.user)
        writer.field("source", line.source)
        writer.field("created_at", line.createdAt)
    }

    /// The line of an adjustment; for one of nothing, which has none, what was asked for and a null id.
    private func write(_ line: LedgerLine?, of wanted: AdjustmentRequest, _ writer: inout JSONWriter) {
        if let line { return write(line, &writer) }
        writer.field("id", nil as String?)
        writer.field("variant_id", wanted.variant)
        writer.field("location_id", wanted.location)
        writer.field("quantity_delta", wanted.delta)
    }
}
