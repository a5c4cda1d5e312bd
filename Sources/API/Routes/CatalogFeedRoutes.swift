import CatalogFeed
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// What the routes of the catalogue feed call.
package struct CatalogFeedServices: Sendable {
    package let feeds: CatalogFeeds
    package let settings: FeedSettingService
    package let search: CatalogSearch
    package let addresses: FeedAddresses
    /// The base of addresses that others are given; without one, files are named by their paths.
    package let publicURL: String?
    package let time: TimeSource

    package init(
        feeds: CatalogFeeds, settings: FeedSettingService, search: CatalogSearch, addresses: FeedAddresses,
        publicURL: String?, time: TimeSource = .system
    ) {
        self.feeds = feeds
        self.settings = settings
        self.search = search
        self.addresses = addresses
        self.publicURL = publicURL
        self.time = time
    }
}

/// `/api/v1/ucp`: the way to the catalogue's file (seed 000), what it leaves out, and what the seller says of itself.
struct CatalogFeedRoutes {
    let services: CatalogFeedServices

    func mount(on routes: some RouterMethods<TenantContext>) {
        let all = routes.group("/api/v1/ucp")
        all.get("catalog.json", use: catalog)
        all.get("report", use: report)
        all.get("settings", use: settings)
        all.requiring(.admin).put("settings", use: set)
    }

    /// The address is new each time and good for minutes, so nobody may keep the answer.
    @Sendable private func catalog(_ request: Request, _ context: TenantContext) throws -> Response {
        var query = QueryReader(request)
        let format: FeedFormat = query.choice("format") ?? .jsonld
        try query.finish()
        let target = FeedAddresses.Target(scope: context.principal.scope, format: format)
        let path = services.addresses.path(target, now: services.time.now())
        return Response(
            status: .found, headers: [.location: (services.publicURL ?? "") + path, .cacheControl: "no-store"])
    }

    @Sendable private func report(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        var query = QueryReader(request)
        let limit = query.limit()
        let cursor = query.text("cursor")
        let after = cursor.flatMap { FeedReport.Cursor($0) }
        if cursor != nil, after == nil { query.fault("cursor", "is none of this list's") }
        try query.finish()
        let (file, data) = try await services.feeds.open(context.principal.scope)
        let report = FeedReport(file)
        let (lines, next) = try report.page(after: after, limit: limit, in: data)
        return JSONResponse { writer in
            report.writeSummary(&writer)
            writer.arrayField("data") { writer in for line in lines { writer.raw(line) } }
            writer.field("next_cursor", next?.description)
        }
    }

    @Sendable private func settings(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        answer(try await services.settings.settings(context.principal.scope))
    }

    @Sendable private func set(_ request: Request, _ context: TenantContext) async throws -> JSONResponse {
        let wanted = try await context.read(request) { FeedSettings($0) }
        try await services.settings.set(wanted, context.principal.scope)
        return answer(wanted)
    }

    private func answer(_ settings: FeedSettings) -> JSONResponse {
        JSONResponse { writer in
            writer.field("seller_name", settings.sellerName)
            writer.field("seller_url", settings.sellerURL)
            writer.field("product_url", settings.productURL)
            writer.field("country", settings.country)
        }
    }
}
