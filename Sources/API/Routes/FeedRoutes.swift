import Events
import Hummingbird
import Kernel
import Webhooks

/// `/api/v1/webhooks/events`: the event feed (seed 003), oldest first, nothing skipped or moved.
struct FeedRoutes {
    let feed: FeedReader

    func mount(on routes: some RouterMethods<TenantContext>) {
        routes.get("/api/v1/webhooks/events", use: page)
    }

    @Sendable private func page(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let after: EventID? = query.id("after")
        let entityType = query.text("entity_type")
        let pattern = pattern(&query)
        // `per_page` is the seed's own, with its limit; `limit` is ours and reaches further.
        let limit =
            query.integer("limit", in: 1...Limits.feedRows) ?? query.integer("per_page", in: 1...Limits.pageRows)
            ?? Limits.pageRowsDefault
        try query.finish()
        let page = try await feed.page(
            FeedReader.Query(after: after, pattern: pattern, entityType: entityType, limit: limit),
            scope: context.principal.scope)
        return answer(page, after: after)
    }

    private func pattern(_ query: inout QueryReader) -> EventPattern? {
        guard let text = query.text("event_type") else { return nil }
        if let pattern = EventPattern(text) { return pattern }
        query.fault(
            "event_type", "\"\(text)\" matches no event type; the nearest is \(EventNames.catalogue.nearest(to: text))")
        return nil
    }

    private func answer(_ page: FeedReader.Page, after: EventID?) -> JSONResponse {
        var writer = JSONWriter(reserving: page.events.count * 700 + 100)
        writer.object { writer in
            writer.arrayField("data") { writer in
                for event in page.events { writer.object { writer in write(event, &writer) } }
            }
            writer.field("next_cursor", (page.events.last?.id ?? after)?.ulid)
            writer.field("has_more", page.hasMore)
        }
        return JSONResponse(writer.bytes)
    }

    private func write(_ event: DomainEvent, _ writer: inout JSONWriter) {
        writer.field("id", event.id.ulid)
        writer.field("event_type", event.type)
        writer.field("entity_type", event.entity.type)
        writer.field("entity_id", event.entity.id)
        writer.field("occurred_at", event.occurredAt)
        writer.key("payload")
        writer.raw(event.payload)
    }
}
