import Events
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Webhooks

/// `/api/v1/webhooks/events`: the event feed (seed 003), oldest first, nothing skipped or moved, as pages and as a
/// stream.
struct FeedRoutes {
    /// The longest that an empty page may be waited for, in seconds: below the time-outs of usual proxies.
    private static let waitMost = 30
    /// What a stream shows when nothing happens, so that nobody between takes it for dead.
    private static let heartbeat: Duration = .seconds(15)
    /// Events that a stream reads at once: what one slow reader holds in memory.
    private static let streamRows = 200

    let feed: FeedFollower
    let types: OwnTypeService

    func mount(on routes: some RouterMethods<TenantContext>) {
        let events = routes.group("/api/v1/webhooks/events")
        events.get(use: page)
        events.get("stream", use: stream)
    }

    @Sendable private func page(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let after: EventID? = query.id("after")
        // `per_page` is the seed's own, with its limit; `limit` is ours and reaches further.
        let limit =
            query.integer("limit", in: 1...Limits.feedRows) ?? query.integer("per_page", in: 1...Limits.pageRows)
            ?? Limits.pageRowsDefault
        let wait = query.integer("wait", in: 0...Self.waitMost) ?? 0
        let names = try await types.names(tenant: context.principal.scope.tenant)
        let wanted = wanted(&query, names, after: after, limit: limit)
        try query.finish()
        let page = try await feed.page(wanted, scope: context.principal.scope, wait: .seconds(wait))
        var writer = JSONWriter(reserving: page.events.count * 700 + 100)
        writer.object { writer in
            writer.arrayField("data") { writer in
                for event in page.events { writer.object { writer in Self.write(event, &writer) } }
            }
            writer.field("next_cursor", page.next?.ulid)
            writer.field("has_more", page.hasMore)
        }
        return JSONResponse(writer.bytes)
    }

    private func wanted(
        _ query: inout QueryReader, _ names: EventNames, after: EventID?, limit: Int
    ) -> FeedReader.Query {
        FeedReader.Query(
            after: after, pattern: query.pattern("event_type", among: names), entityType: query.text("entity_type"),
            limit: limit)
    }

    private static func write(_ event: DomainEvent, _ writer: inout JSONWriter) {
        writer.field("id", event.id.ulid)
        writer.field("event_type", event.type)
        writer.field("entity_type", event.entity.type)
        writer.field("entity_id", event.entity.id)
        writer.field("occurred_at", event.occurredAt)
        writer.key("payload")
        writer.raw(event.payload)
    }

    // MARK: Stream

    /// Server-sent events (HTML Standard, 9.2). A reader that comes back names the last event that it has in
    /// `Last-Event-ID`, which its browser or library does by itself.
    @Sendable private func stream(_ request: Request, _ context: TenantContext) async throws -> Response {
        var query = QueryReader(request)
        var after: EventID? = query.id("after")
        if let last = request.headers[.lastEventID], !last.isEmpty {
            after = EventID(last)
            if after == nil { query.fault("Last-Event-ID", "must be the id of an event") }
        }
        let names = try await types.names(tenant: context.principal.scope.tenant)
        let wanted = wanted(&query, names, after: after, limit: Self.streamRows)
        try query.finish()
        let (feed, scope) = (feed, context.principal.scope)
        // Before the answer begins: a cursor that is no good and a reader too many still get a status of their own.
        let visit = try feed.watch.enter(scope)
        _ = try await feed.reader.page(wanted, scope: scope)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                // A client that is waiting for the first bytes learns at once that it is connected.
                try await writer.write(ByteBuffer(string: ": connected\n\n"))
                do {
                    try await feed.follow(wanted, scope: scope, visit: visit, heartbeat: Self.heartbeat) { signal in
                        try await writer.write(ByteBuffer(bytes: Self.bytes(of: signal)))
                        return true
                    }
                } catch let refusal as Refusal {
                    // Retention has overtaken the reader. It hears so when it comes back with the same cursor.
                    try await writer.write(ByteBuffer(string: ": \(refusal.sentence)\n\n"))
                }
                try await writer.finish(nil)
            })
    }

    private static func bytes(of signal: FeedFollower.Signal) -> [UInt8] {
        switch signal {
        // An id without data moves the reader's cursor on and shows it nothing.
        case .idle(let next): return Array((next.map { "id: \($0.ulid)\n: idle\n\n" } ?? ": idle\n\n").utf8)
        case .page(let page):
            var bytes: [UInt8] = []
            bytes.reserveCapacity(page.events.count * 700)
            for event in page.events {
                bytes.append(contentsOf: "id: \(event.id.ulid)\ndata: ".utf8)
                // A line end in JSON is a blank between its parts; here it would end the event.
                let json = JSONWriter.object { writer in write(event, &writer) }
                bytes.append(contentsOf: json.lazy.map { $0 == 10 || $0 == 13 ? 32 : $0 })
                bytes.append(contentsOf: "\n\n".utf8)
            }
            return bytes
        }
    }
}

extension QueryReader {
    /// An event type or a pattern of types; anything that matches no type is a fault that names the nearest one.
    mutating func pattern(_ name: String, among names: EventNames) -> EventPattern? {
        guard let text = text(name) else { return nil }
        if let pattern = EventPattern(text, among: names) { return pattern }
        fault(name, names.refusal(of: text))
        return nil
    }
}
