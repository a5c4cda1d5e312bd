import Commerce
import Crypto
import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore

/// `/api/v1/pim/imports`: catalogue files that are brought in, row by row.
struct ImportRoutes {
    let imports: ImportService
    /// Bytes of a file at the most.
    let limit: Int

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/pim/imports")
        all.get(use: list)
        all.get("{id}", use: one)
        all.get("{id}/errors", use: errors)
        let members = all.requiring(.member)
        members.post(use: begin)
        members.post("{id}/pause") { try await move($1, to: .paused) }
        members.post("{id}/resume") { try await move($1, to: .running) }
        members.post("{id}/cancel") { try await move($1, to: .cancelled) }
    }

    // MARK: Sending

    @Sendable private func begin(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try Self.wanted(request)
        let caller = context.principal
        switch try await imports.open(wanted, scope: caller.scope, actor: caller.actor, user: caller.user) {
        case .new(let one): return try await take(request, context, into: one)
        case .known(let one):
            // The same file again is answered as before; it is read to its end to know that it is the same.
            var hash = SHA256()
            _ = try await context.bodies.pieces(
                of: request, on: context.channel, size: ImportService.pieceBytes, limit: limit
            ) { piece, _ in hash.update(data: piece) }
            guard Array(hash.finalize()) == one.digest, one.format == wanted.format, one.isDryRun == wanted.isDryRun
            else { throw Problem.conflict("This Idempotency-Key was used for another file.") }
            return JSONResponse(status: .accepted) { writer in write(one, &writer) }
        }
    }

    private func take(
        _ request: Request, _ context: TenantContext, into one: CatalogueImport
    ) async throws -> JSONResponse {
        do {
            var hash = SHA256()
            var head: [UInt8] = []
            let size = try await context.bodies.pieces(
                of: request, on: context.channel, size: ImportService.pieceBytes, limit: limit
            ) { piece, position in
                if position == 0 { head = piece }
                hash.update(data: piece)
                try await imports.append(piece, at: position, to: one)
            }
            let begun = try await imports.begin(one, head: head, size: size, digest: Array(hash.finalize()))
            return JSONResponse(status: .accepted) { writer in write(begun, &writer) }
        } catch {
            do { try await imports.discard(one) } catch {
                context.log.warning("an upload was not discarded; it ends by itself", metadata: ["error": "\(error)"])
            }
            throw error
        }
    }

    private static func wanted(_ request: Request) throws -> ImportRequest {
        var query = QueryReader(request)
        let type = request.headers[.contentType]?.lowercased() ?? ""
        var format: CatalogueImport.Format? = query.choice("format")
        if format == nil, type.hasPrefix("text/csv") { format = .csv }
        if format == nil, type.contains("ndjson") || type.contains("jsonl") { format = .jsonl }
        if format == nil, query.faults.isEmpty {
            query.fault("format", "must be csv or jsonl, or the content type text/csv or application/x-ndjson")
        }
        var currency: Currency?
        if let text = query.text("currency") {
            currency = Currency(code: text)
            if currency == nil { query.fault("currency", "\"\(text)\" is not a currency code of ISO 4217") }
        }
        let isDryRun = query.flag("dry_run") ?? false
        let key = try IdempotencyMiddleware.key(of: request)
        try query.finish()
        return ImportRequest(
            format: format ?? .csv, currency: currency, isDryRun: isDryRun, idempotencyKey: key)
    }

    // MARK: Following

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let before: ImportID? = query.id("cursor")
        try query.finish()
        let found = try await imports.list(scope: context.principal.scope, before: before, limit: limit + 1)
        return .page(found, limit: limit, cursor: \.id, write)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let one = try await imports.require(context.id(of: "import"), scope: context.principal.scope)
        return JSONResponse { writer in write(one, &writer) }
    }

    @Sendable private func errors(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit(most: 1000)
        let after = query.integer("cursor", in: 0...Int.max) ?? 0
        try query.finish()
        let found = try await imports.faults(
            of: context.id(of: "import"), scope: context.principal.scope, after: after, limit: limit + 1)
        return .page(found, limit: limit, cursor: { String($0.number) }) { row, writer in
            writer.field("line", row.fault.line)
            writer.field("column", row.fault.field)
            writer.field("reason", row.fault.reason)
        }
    }

    private func move(_ context: TenantContext, to state: CatalogueImport.State) async throws -> JSONResponse {
        let one = try await imports.move(context.id(of: "import"), to: state, scope: context.principal.scope)
        return JSONResponse { writer in write(one, &writer) }
    }

    private func write(_ one: CatalogueImport, _ writer: inout JSONWriter) {
        writer.field("id", one.id)
        // An import is its workflow, under one id.
        writer.field("workflow_id", one.id)
        writer.field("format", one.format.rawValue)
        writer.field("source", one.source)
        writer.field("dry_run", one.isDryRun)
        writer.field("state", one.state.rawValue)
        writer.field("reason", one.failure)
        writer.field("bytes", one.size)
        writer.field("bytes_done", one.position)
        writer.objectField("rows") { writer in
            writer.field("read", one.counts.rows)
            writer.field("created", one.counts.created)
            writer.field("updated", one.counts.updated)
            writer.field("unchanged", one.counts.unchanged)
            writer.field("refused", one.counts.refused)
        }
        writer.field("errors", one.faultCount)
        writer.field("requested_by", one.requestedBy)
        writer.field("created_at", one.createdAt)
        writer.field("updated_at", one.updatedAt)
        writer.field("finished_at", one.finishedAt)
    }
}

/// `/api/v1/pim/export`: the catalogue as a file that an import takes.
struct ExportRoutes {
    let products: ProductService
    let categories: CategoryService

    func mount(on routes: some RouterMethods<TenantContext>) {
        // Costs are in it, which viewers are not told.
        routes.requiring(.member).get("/api/v1/pim/export", use: file)
    }

    @Sendable private func file(_ request: Request, _ context: TenantContext) async throws -> Response {
        var query = QueryReader(request)
        let format: CatalogueImport.Format = query.choice("format") ?? .csv
        try query.finish()
        let export = CatalogueExport(products: products, categories: categories)
        let scope = context.principal.scope
        // Counted before the first of them is read, so that whoever waits can tell how far it is.
        let total = try await export.count(scope: scope)
        let headers: HTTPFields = [
            .totalCount: String(total),
            .contentType: format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
            .contentDisposition: "attachment; filename=\"catalogue.\(format.rawValue)\"",
        ]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await export.write(format, scope: scope) { piece, _ in
                    try await writer.write(ByteBuffer(bytes: piece))
                }
                try await writer.finish(nil)
            })
    }
}
