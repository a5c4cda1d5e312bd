import HTTPTypes
import Hummingbird
import Kernel

/// The server's API. Every resource is one file in `Routes/` and one line here.
///
/// - Parameter services: nil leaves only the front: health, figures and API keys.
package func buildRouter(_ dependencies: APIDependencies, _ services: APIServices? = nil) -> Router<AppContext> {
    let router = mountedRouter(dependencies, services)
    router.refuseOtherMethods()
    return router
}

/// Every route that is mounted, as its method and path: what `OperationCatalog` is compared with. HEAD comes with GET.
package func mountedRoutes(_ dependencies: APIDependencies, _ services: APIServices) -> Set<String> {
    let routes = mountedRouter(dependencies, services).routes.filter { $0.method != .head }
    return Set(routes.map { "\($0.method.rawValue) \($0.path)" })
}

private func mountedRouter(_ dependencies: APIDependencies, _ services: APIServices?) -> Router<AppContext> {
    let router = Router(context: AppContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: dependencies.edge)

    // Anyone: monitors, providers' deliveries and callbacks, signed addresses.
    let health = HealthRoutes(readiness: dependencies.readiness, registry: dependencies.registry)
    health.mount(on: router)
    if dependencies.settings.metricsArePublic { health.mountMetrics(on: router) }

    DocumentRoutes().mount(on: dependencies.publicGroup(of: router))
    if let services {
        InboundRoutes(intake: services.intake).mount(on: dependencies.inboundGroup(of: router))
        FeedFileRoutes(services: services.catalogFeed).mount(on: dependencies.publicGroup(of: router))
        UCPRoutes(services: services.catalogFeed).mountProfile(on: dependencies.publicGroup(of: router))
    }

    // Callers with a token or key.
    let tenant = dependencies.tenantGroup(of: router)
    let idempotency = dependencies.idempotency
    APIKeyRoutes(keys: dependencies.keys, idempotency: idempotency).mount(on: tenant)
    AuditRoutes(audit: dependencies.audit).mount(on: tenant)
    if let services {
        ConnectionRoutes(connections: services.connections, inbox: services.inbox, idempotency: idempotency)
            .mount(on: tenant)
        ProductRoutes(products: services.products, idempotency: idempotency).mount(on: tenant)
        ImportRoutes(imports: services.imports, limit: dependencies.settings.importBytesLimit).mount(on: tenant)
        ExportRoutes(products: services.products, categories: services.categories).mount(on: tenant)
        CategoryRoutes(categories: services.categories, idempotency: idempotency).mount(on: tenant)
        CollectionRoutes(collections: services.collections, idempotency: idempotency).mount(on: tenant)
        CustomerRoutes(customers: services.customers, erasure: services.erasure, idempotency: idempotency)
            .mount(on: tenant)
        OrderRoutes(orders: services.orders, idempotency: idempotency).mount(on: tenant)
        EventTypeRoutes(types: services.ownTypes, idempotency: idempotency).mount(on: tenant)
        OrderLifeRoutes(orders: services.orders, idempotency: idempotency).mount(on: tenant)
        MappingRoutes(connections: services.connections, mappings: services.mappings).mount(on: tenant)
        LocationRoutes(locations: services.locations, idempotency: idempotency).mount(on: tenant)
        InventoryRoutes(inventory: services.inventory, idempotency: idempotency).mount(on: tenant)
        SubscriptionRoutes(subscriptions: services.subscriptions, idempotency: idempotency).mount(on: tenant)
        SubscriptionDeliveryRoutes(subscriptions: services.subscriptions).mount(on: tenant)
        WebhookSettingsRoutes(subscriptions: services.subscriptions).mount(on: tenant)
        FeedRoutes(feed: services.feed, types: services.ownTypes).mount(on: tenant)
        EventLogRoutes(
            log: services.log, replays: services.replays, erasure: services.erasure, types: services.ownTypes,
            idempotency: idempotency
        ).mount(on: tenant)
        ReplayRoutes(replays: services.replays, idempotency: idempotency).mount(on: tenant)
        WorkflowRoutes(workflows: services.workflows).mount(on: tenant)
        let keyed = dependencies.keyedGroup(of: router)
        CatalogFeedRoutes(services: services.catalogFeed).mount(on: keyed)
        UCPRoutes(services: services.catalogFeed).mount(on: keyed)
    }
    if !dependencies.settings.metricsArePublic { health.mountMetrics(on: tenant.requiring(.admin)) }
    return router
}

extension APIDependencies {
    package var edge: EdgeMiddleware {
        EdgeMiddleware(bodies: bodies, ids: ids, metrics: RouteMetrics(factory: registry))
    }

    var authenticator: Authenticator { Authenticator(tokens: tokens, keys: keys, tenants: tenants) }
    private var address: ClientAddress { ClientAddress(proxies: settings.proxies) }

    /// The group that a bearer opens, limited by address before and by token after it is known who calls.
    package func tenantGroup(of router: Router<AppContext>) -> RouterGroup<TenantContext> {
        tenantGroup(of: router, authenticator)
    }

    /// The same for callers that can send none of our headers: an API key by itself opens it too.
    package func keyedGroup(of router: Router<AppContext>) -> RouterGroup<TenantContext> {
        tenantGroup(of: router, KeyAuthenticator(others: authenticator))
    }

    /// The group for anyone, limited by address alone.
    package func publicGroup(of router: Router<AppContext>) -> RouterGroup<AppContext> {
        group(of: router, RateLimit(perMinute: settings.addressRequestsPerMinute, whose: "address", time: time))
    }

    /// The group of routes that providers post their deliveries to: no token, and a limit by address that is off by
    /// default, because one address of a provider may stand for thousands of stores.
    package func inboundGroup(of router: Router<AppContext>) -> RouterGroup<AppContext> {
        group(of: router, RateLimit(perMinute: settings.inboundRequestsPerMinute, whose: "address", time: time))
    }

    private func group(of router: Router<AppContext>, _ limit: RateLimit<String>?) -> RouterGroup<AppContext> {
        let group = router.group()
        if let limit = RateLimitMiddleware(limit, address: address) { group.add(middleware: limit) }
        return group
    }

    private func tenantGroup(
        of router: Router<AppContext>, _ authenticator: some RouterMiddleware<AppContext>
    ) -> RouterGroup<TenantContext> {
        let group = group(of: router, rates.addresses)
        group.add(middleware: authenticator)
        group.add(middleware: AuditMiddleware(address: address))
        if let limit = RateLimitMiddleware(rates.tokens, key: { $1.credential }) { group.add(middleware: limit) }
        return group.group(context: TenantContext.self)
    }
}

extension Router where Context == AppContext {
    /// Answers 405 with `Allow` where a path is known and its method is not; Hummingbird alone would say 404.
    func refuseOtherMethods() {
        let known = Dictionary(grouping: routes) { $0.path.description }
        let all: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for routes in known.values {
            guard let path = routes.first?.path else { continue }
            var taken = Set(routes.map(\.method))
            if taken.contains(.get) { taken.insert(.head) }
            let allow = taken.map(\.rawValue).sorted().joined(separator: ", ")
            let problem = Problem(
                .methodNotAllowed, "This route takes only \(allow).", headers: [.allow: allow])
            for method in all where !taken.contains(method) {
                on(path, method: method) { _, _ -> Response in throw problem }
            }
        }
    }
}
