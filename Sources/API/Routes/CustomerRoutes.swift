import Commerce
import Hummingbird
import Integrations
import Kernel

/// `/api/v1/crm/customers`: who buys. Notes and lifetime value are answered to members only.
struct CustomerRoutes {
    let customers: CustomerService
    let erasure: ErasureService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/crm/customers")
        all.get(use: list)
        all.get("{id}", use: one)
        let members = all.requiring(.member)
        members.idempotent(idempotency).post(use: create)
        members.patch("{id}", use: change)
        members.post("{id}/status", use: move)
        members.post("{id}/assign", use: assign)
        members.delete("{id}", use: delete)
        all.requiring(.admin).post("{id}/erase", use: erase)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        var wanted = CustomerQuery(limit: limit + 1)
        wanted.text = query.text("q")
        wanted.email = query.text("email")
        wanted.kind = query.choice("type")
        wanted.status = query.choice("status")
        wanted.assignedTo = query.id("assigned_to")
        wanted.updatedSince = query.time("updated_since")
        wanted.after = query.id("cursor")
        try query.finish()
        let found = try await customers.list(wanted, scope: context.principal.scope)
        let isMember = context.principal.role >= .member
        return .page(found, limit: limit, cursor: \.id) { customer, writer in
            write(customer, isMember: isMember, &writer)
        }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        answer(try await customers.require(context.id(of: "customer"), scope: context.principal.scope), context)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let new = try await context.read(request) { NewCustomer($0) }
        let caller = context.principal
        let saved = try await customers.create(new, scope: caller.scope, actor: caller.actor)
        return answer(saved, context, status: .created)
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CustomerID = try context.id(of: "customer")
        let wanted = try await context.read(request) { CustomerChange($0) }
        return answer(
            try await customers.change(
                id, wanted, ifMatch: try request.versionMatch(), scope: context.principal.scope), context)
    }

    @Sendable private func move(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CustomerID = try context.id(of: "customer")
        let next = try await context.read(request) { fields -> Customer.Status in
            let next: Customer.Status? = fields.choice("status")
            if fields.value("status") == nil { fields.fault("status", "is required") }
            return next ?? .active
        }
        let caller = context.principal
        return answer(
            try await customers.move(
                id, to: next, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor), context)
    }

    @Sendable private func assign(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CustomerID = try context.id(of: "customer")
        let assignment = try await context.read(request) { CustomerAssignment($0) }
        let caller = context.principal
        return answer(
            try await customers.assign(
                id, assignment, ifMatch: try request.versionMatch(), scope: caller.scope, actor: caller.actor), context)
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> Response {
        let id: CustomerID = try context.id(of: "customer")
        try await customers.delete(id, ifMatch: try request.versionMatch(), scope: context.principal.scope)
        return Response(status: .noContent)
    }

    @Sendable private func erase(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: CustomerID = try context.id(of: "customer")
        let saved = try await erasure.erase(customer: id, scope: context.principal.scope)
        return answer(saved, context, status: .accepted) { $0.field("workflow_id", id) }
    }

    // MARK: Answers

    private func answer(
        _ saved: CustomerService.Saved, _ context: TenantContext, status: HTTPResponse.Status = .ok,
        more: (inout JSONWriter) -> Void = { _ in }
    ) -> JSONResponse {
        JSONResponse(status: status, version: saved.customer.version) { writer in
            write(saved.customer, isMember: context.principal.role >= .member, &writer)
            writer.arrayField("duplicates") { writer in
                for id in saved.duplicates { writer.string(id.description) }
            }
            more(&writer)
        }
    }

    private func write(_ customer: Customer, isMember: Bool, _ writer: inout JSONWriter) {
        writer.field("id", customer.id)
        writer.field("type", customer.kind.rawValue)
        writer.field("status", customer.status.rawValue)
        writer.field("first_name", customer.firstName)
        writer.field("last_name", customer.lastName)
        writer.field("company_name", customer.companyName)
        writer.field("email", customer.email)
        writer.field("phone", customer.phone)
        // Kept as they are answered: the members `tags` and `addresses`.
        writer.raw(customer.detailMembers)
        if isMember {
            writer.field("notes", customer.notes)
            writer.key("lifetime_value")
            if let value = customer.lifetimeValue { writer.raw(value.decimalText.utf8) } else { writer.null() }
            writer.field("lifetime_currency", customer.lifetimeValue?.currency.code)
        }
        writer.field("assigned_to", customer.assignedTo)
        writer.arrayField("references") { writer in
            for reference in customer.references {
                writer.object { writer in
                    writer.field("connection_id", reference.connection)
                    writer.field("external_id", reference.externalID)
                }
            }
        }
        writer.field("version", customer.version)
        writer.field("created_at", customer.createdAt)
        writer.field("updated_at", customer.updatedAt)
        writer.field("erased_at", customer.erasedAt)
    }
}
