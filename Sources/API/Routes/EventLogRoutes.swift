import Events
import Hummingbird
import Integrations
import Kernel
import Webhooks

/// `/api/v1/events`: what happened, looked at, sent again and erased.
struct EventLogRoutes {
    let log: EventLog
    let replays: ReplayService
    let erasure: ErasureService
    let types: OwnTypeService
    let idempotency: IdempotencyStore

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/events")
        all.get(use: list)
        all.get("{id}", use: one)
        all.requiring(.member).idempotent(idempotency).post("{id}/replay", use: resend)
        all.requiring(.admin).post("erase", use: erase)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let names = try await types.names(tenant: context.principal.tenant)
        var query = QueryReader(request)
        var wanted = EventLog.Query(limit: query.limit())
        wanted.before = query.id("cursor")
        wanted.pattern = query.pattern("event_type", among: names)
        wanted.entityType = query.text("entity_type")
        wanted.entity = query.id("entity_id")
        wanted.source = query.text("source")
        wanted.since = query.time("since")
        wanted.until = query.time("until")
        wanted.subscription = query.id("subscription_id")
        wanted.delivery = query.choice("delivery_state")
        try query.finish()
        let page = try await log.list(wanted, scope: context.principal.scope)
        let clearance = context.principal.role.clearance
        return try JSONResponse { writer in
            try writer.arrayField("data") { writer in
                for event in page.events {
                    try writer.object { writer in try Self.write(event, clearance, &writer) }
                }
            }
            writer.field("next_cursor", page.next?.description)
        }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let story = try await log.require(context.id(of: "event"), scope: context.principal.scope)
        let clearance = context.principal.role.clearance
        return try JSONResponse { writer in
            try Self.write(story.event, clearance, &writer)
            writer.arrayField("deliveries") { writer in
                for delivery in story.deliveries {
                    writer.object { writer in
                        writer.field("subscription_id", delivery.subscription)
                        writer.delivery(delivery.summary)
                    }
                }
            }
        }
    }

    /// The envelope of seed 002 with what is known beside it. Withheld fields stand apart from the payload, so that
    /// nobody takes what the API shows for what is delivered.
    private static func write(_ event: DomainEvent, _ clearance: Privacy, _ writer: inout JSONWriter) throws {
        writer.field("event_id", event.id)
        writer.field("event_type", event.type)
        writer.field("timestamp", event.occurredAt)
        writer.field("tenant_id", event.scope.tenant)
        writer.field("org_id", event.scope.organisation)
        writer.field("user_id", event.actor.user)
        writer.field("role", event.actor.role)
        writer.field("entity_type", event.entity.type)
        writer.field("entity_id", event.entity.id)
        writer.field("source", event.source)
        writer.field("causation_id", event.causation)
        writer.key("payload")
        writer.raw(event.payload)
        let withheld = try event.withheld(upTo: clearance)
        if withheld.isEmpty { return }
        writer.objectField("withheld") { writer in
            for member in withheld { writer.field(member.name, member.value) }
        }
    }

    @Sendable private func resend(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let id: EventID = try context.id(of: "event")
        let target: SubscriptionID? = try await context.readOptional(request) { $0.id("subscription_id") }
        let targets = try await replays.resend(id, to: target, scope: context.principal.scope)
        return JSONResponse(status: .accepted) { writer in
            writer.field("status", "queued")
            writer.field("event_id", id)
            writer.arrayField("subscription_ids") { writer in for id in targets { writer.string(id.description) } }
        }
    }

    @Sendable private func erase(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let entity = try await context.read(request) { fields in
            if fields.value("entity_id") == nil { fields.fault("entity_id", "is required") }
            let id: ID<DomainEvent.Entity> = fields.id("entity_id") ?? .zero
            return DomainEvent.Entity(type: fields.requiredString("entity_type", upTo: 100), id: id)
        }
        let erased = try await erasure.erase(entity, scope: context.principal.scope)
        return JSONResponse { writer in
            writer.field("events_erased", erased.events)
            writer.field("inbox_entries_erased", erased.inboxEntries)
        }
    }
}

extension Role {
    /// The class of fields that a caller of this role may see (seed 003, "Payload Data & Privacy").
    var clearance: Privacy {
        switch self {
        case .viewer: .public
        case .member: .confidential
        case .admin: .restricted
        }
    }
}
