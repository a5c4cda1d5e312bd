import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Tenants beside each other")
struct TenantWallTests {
    private struct Route {
        let method: HTTPRequest.Method
        let path: String
        var body: String?
    }

    /// Each route that takes an id, with ids of a tenant's own rows.
    private static func routes(_ shop: Shop, receiver: String) async throws -> [Route] {
        let product = try await shop.makeProduct("Shirt", sku: "SHIRT-M")
        let variant = try #require(product["variants"]?.array?.first).text("id")
        let productPath = "/api/v1/pim/products/\(try product.text("id"))"
        let subscription = "/api/v1/webhooks/subscriptions/\(try await shop.subscribe(receiver).id)"
        let entry = try await shop.deliver(shop.orderEvent("o-1")).text("id")
        _ = try await shop.settled(entry)
        let order = "/api/v1/oms/orders/\(try await shop.order("o-1").text("id"))"
        let connection = "/api/v1/integrations/connections/\(shop.connection)"
        let key = try await shop.api.post("/api/v1/api-keys", #"{"label": "a key", "role": "viewer"}"#).text("id")
        let adjustment = #"{"variant_id": "\#(variant)", "quantity_delta": 1}"#
        let counted = try await shop.api.post("/api/v1/inventory/adjust", adjustment)
        let location = "/api/v1/inventory/locations/\(try counted.text("location_id"))"
        let levels = try await shop.api.get("/api/v1/inventory/levels").page()
        let level = "/api/v1/inventory/levels/\(try #require(levels.first).text("id"))"
        let mapping = #"{"external_id": "a", "variant_id": "\#(variant)"}"#
        return try await [
            Route(method: .get, path: connection),
            Route(method: .patch, path: connection, body: #"{"status": "paused"}"#),
            Route(method: .post, path: connection + "/rotate-secret", body: "{}"),
            Route(method: .get, path: connection + "/inbox"),
            Route(method: .post, path: connection + "/inbox/\(entry)/retry"),
            Route(method: .get, path: "/api/v1/workflows/\(entry)"),
            Route(method: .post, path: "/api/v1/workflows/\(entry)/retry"),
            Route(method: .get, path: productPath),
            Route(method: .patch, path: productPath, body: #"{"title": "Mine"}"#),
            Route(method: .get, path: productPath + "/variants"),
            Route(method: .post, path: productPath + "/variants", body: #"{"sku": "X"}"#),
            Route(method: .patch, path: productPath + "/variants/\(variant)", body: #"{"title": "Mine"}"#),
            Route(method: .delete, path: productPath + "/variants/\(variant)"),
            Route(method: .get, path: order),
            Route(method: .post, path: order + "/transition", body: #"{"to": "cancelled"}"#),
            Route(method: .patch, path: order, body: #"{"tags": ["mine"]}"#),
            Route(method: .post, path: order + "/notes", body: #"{"text": "mine"}"#),
            Route(method: .post, path: order + "/fulfilments", body: "{}"),
            Route(method: .post, path: order + "/returns", body: "{}"),
            Route(method: .post, path: order + "/refunds", body: #"{"external_id": "r", "amount": 1}"#),
            Route(method: .get, path: connection + "/mappings"),
            Route(method: .put, path: connection + "/mappings", body: mapping),
            Route(method: .delete, path: connection + "/mappings?external_id=a"),
            Route(method: .get, path: location),
            Route(method: .patch, path: location, body: #"{"name": "Mine"}"#),
            Route(method: .patch, path: level, body: #"{"low_stock_threshold": 1}"#),
            Route(method: .post, path: "/api/v1/inventory/adjust", body: adjustment),
            Route(method: .get, path: subscription),
            Route(method: .get, path: subscription + "/deliveries"),
            Route(method: .get, path: subscription + "/stats"),
            Route(method: .get, path: subscription + "/keys"),
            Route(method: .patch, path: subscription, body: #"{"description": "Mine"}"#),
            Route(method: .post, path: subscription + "/rotate-secret", body: "{}"),
            Route(method: .post, path: subscription + "/test", body: "{}"),
            Route(method: .post, path: subscription + "/disable"),
            Route(method: .post, path: subscription + "/activate"),
            Route(method: .delete, path: subscription),
            Route(method: .delete, path: productPath),
            Route(method: .delete, path: connection),
            Route(method: .delete, path: "/api/v1/api-keys/\(key)"),
        ] + ["activate", "deactivate", "discontinue"].map { Route(method: .post, path: "\(productPath)/\($0)") }
            + catalogueRoutes(shop) + eventRoutes(shop, String(subscription.split(separator: "/").last ?? ""))
    }

    private static func catalogueRoutes(_ shop: Shop) async throws -> [Route] {
        let category =
            "/api/v1/pim/categories/"
            + (try await shop.api.post("/api/v1/pim/categories", #"{"name": "Shirts"}"#).text("id"))
        let collection =
            "/api/v1/collections/"
            + (try await shop.api.post("/api/v1/collections", #"{"kind": "manual", "title": "Sale"}"#).text("id"))
        let customer =
            "/api/v1/crm/customers/"
            + (try await shop.api.post("/api/v1/crm/customers", #"{"type": "individual", "first_name": "Ann"}"#)
                .text("id"))
        return [
            Route(method: .get, path: category),
            Route(method: .patch, path: category, body: #"{"name": "Mine"}"#),
            Route(method: .get, path: collection),
            Route(method: .get, path: collection + "/products"),
            Route(method: .put, path: collection + "/products", body: #"{"product_ids": []}"#),
            Route(method: .patch, path: collection, body: #"{"title": "Mine"}"#),
            Route(method: .get, path: customer),
            Route(method: .patch, path: customer, body: #"{"first_name": "Bo"}"#),
            Route(method: .post, path: customer + "/status", body: #"{"status": "churned"}"#),
            Route(method: .post, path: customer + "/assign", body: #"{"user_id": null}"#),
            Route(method: .post, path: customer + "/erase"),
            Route(method: .delete, path: category),
            Route(method: .delete, path: collection),
            Route(method: .delete, path: customer),
        ]
    }

    private static func eventRoutes(_ shop: Shop, _ subscription: String) async throws -> [Route] {
        let first = try await eventually("there is an event") { try await shop.feed().first }
        let event = "/api/v1/events/\(try first.text("id"))"
        let type = "/api/v1/webhooks/event-types/ticket.opened"
        let schema = #"{"name": "ticket.opened", "summary": "Opened.", "schema": {"type": "object"}}"#
        #expect(try await shop.api.post("/api/v1/webhooks/event-types", schema).status == 201)
        let since = TimeSource.system.now() - .seconds(3600)
        let replay =
            "/api/v1/webhooks/replays/"
            + (try await shop.api.post(
                "/api/v1/webhooks/replays", #"{"subscription_id": "\#(subscription)", "since": "\#(since)"}"#
            ).text("id"))
        let sheet =
            "/api/v1/pim/imports/"
            + (try await shop.api.post("/api/v1/pim/imports?format=csv", "sku,title\nIN-1,Inlet\n").text("id"))
        return [
            Route(method: .get, path: event), Route(method: .post, path: event + "/replay", body: "{}"),
            Route(method: .get, path: replay), Route(method: .patch, path: replay, body: #"{"rate": 1}"#),
            Route(method: .get, path: type), Route(method: .patch, path: type, body: #"{"summary": "Mine."}"#),
            Route(method: .delete, path: type), Route(method: .get, path: sheet),
            Route(method: .get, path: sheet + "/errors"),
        ]
            + ["pause", "resume", "cancel"].flatMap { move in
                [replay, sheet].map { Route(method: .post, path: "\($0)/\(move)") }
            }
    }

    /// Known by a signature in place of a tenant.
    private static let signed: Set<String> = [
        "GET /feeds/{token}/{name}", "POST /webhooks/{provider}/{connection}",
    ]

    /// A route with an id that is forgotten here is found by the document.
    private func expectComplete(_ routes: [Route]) {
        let tried = routes.compactMap { DocumentCheck.shared.operation($0.method, $0.path)?.0 }
        let named = DocumentCheck.shared.routes.map { "\($0.method) \($0.path)" }
        #expect(Set(named.filter { $0.contains("{") }).subtracting(tried) == Self.signed)
    }

    @Test("Another tenant gets 404 on each route with an id, and changes nothing", arguments: TestEngine.allCases)
    func wall(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let routes = try await Self.routes(shop, receiver: receiver.url)
                expectComplete(routes)
                let token = try await server.token(tenant: TestServer.stranger)
                let stranger = server.caller(token: token, tenant: TestServer.stranger)

                for route in routes {
                    let answer = try await stranger.call(route.method, route.path, route.body)
                    #expect(answer.status == 404, "\(route.method) \(route.path): \(answer.text)")
                }
                for route in routes where route.method == .get {
                    #expect(try await shop.api.get(route.path).status == 200, "\(route.path)")
                }
                #expect(try await shop.order("o-1")["status"]?.string != "cancelled")
                #expect(try await shop.deliver(shop.orderEvent("o-2")).status == 200)
            }
        }
    }

    @Test(
        "Another tenant's subscription can't be named in a body either, and gets nothing",
        arguments: TestEngine.allCases)
    func bodies(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { theirs in
                try await Receiver.run { receiver in
                    let target = try await Shop.open(server).subscribe(theirs.url, to: "*").id
                    let token = try await server.token(tenant: TestServer.stranger)
                    let stranger = try await Shop.open(
                        server.caller(token: token, tenant: TestServer.stranger), externalID: "conn-2")
                    try await stranger.makeProduct("Cup", sku: "CUP")
                    let first = try await eventually("there is an event") { try await stranger.feed().first }
                    let resend = "/api/v1/events/\(try first.text("id"))/replay"
                    let since = TimeSource.system.now() - .seconds(3600)
                    func calls(_ subscription: String) -> [(path: String, body: String)] {
                        let named = #""subscription_id": "\#(subscription)""#
                        return [
                            (resend, "{\(named)}"),
                            ("/api/v1/webhooks/replays", #"{\#(named), "since": "\#(since)", "dry_run": true}"#),
                            ("/api/v1/webhooks/replays", #"{\#(named), "since": "\#(since)"}"#),
                        ]
                    }
                    for (path, body) in calls(target) {
                        let answer = try await stranger.api.post(path, body)
                        #expect(answer.status == 404, "\(path) \(body): \(answer.text)")
                    }
                    // The same calls are good ones where the subscription is the caller's own.
                    let own = try await stranger.subscribe(receiver.url, to: "product.*").id
                    for (path, body) in calls(own) {
                        let answer = try await stranger.api.post(path, body)
                        #expect([200, 202].contains(answer.status), "\(path) \(body): \(answer.text)")
                    }
                    try await until("its own endpoint has got both") { receiver.deliveries.count >= 2 }
                    #expect(theirs.deliveries.isEmpty)
                }
            }
        }
    }

    @Test("Lists and the feed show a tenant its own rows only", arguments: TestEngine.allCases)
    func lists(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await Self.routes(shop, receiver: "http://127.0.0.1:9/nobody")
            let token = try await server.token(tenant: TestServer.stranger)
            let stranger = server.caller(token: token, tenant: TestServer.stranger)

            for path in [
                "/api/v1/oms/orders", "/api/v1/pim/products", "/api/v1/pim/categories", "/api/v1/collections",
                "/api/v1/crm/customers", "/api/v1/webhooks/subscriptions", "/api/v1/webhooks/events",
                "/api/v1/workflows", "/api/v1/api-keys", "/api/v1/inventory/locations", "/api/v1/inventory/levels",
                "/api/v1/inventory/ledger",
            ] {
                #expect(try await stranger.get(path).page().isEmpty, "\(path)")
            }
            let connections = try await stranger.get("/api/v1/integrations/connections?status=all")
            #expect(connections["connections"]?.array?.isEmpty == true)
            let event = try await eventually("there is an event") { try await shop.feed().first }
            #expect(try await stranger.get("/api/v1/webhooks/events?after=\(event.text("id"))").status == 410)
            // The connection_id of a tenant is no other's to take.
            let taken = try await stranger.post(
                "/api/v1/integrations/callback", #"{"connection_id": "conn-1", "provider": "unified"}"#)
            #expect(taken.status == 409)
        }
    }

    @Test(
        "Headers that are not the token's are refused, and so is a role that is too low",
        arguments: TestEngine.allCases)
    func headers(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let mixed = server.caller(token: try await server.token(), tenant: TestServer.stranger)
            #expect(try await mixed.get("/api/v1/oms/orders").status == 403)
            let viewer = server.caller(token: try await server.token(role: "viewer"))
            #expect(try await viewer.get("/api/v1/oms/orders").status == 200)
            #expect(try await viewer.post("/api/v1/pim/products", #"{"title": "Shirt"}"#).status == 403)
            #expect(try await server.caller().get("/api/v1/oms/orders").status == 401)
            var bare = viewer
            bare.headers = [.authorization: viewer.headers[.authorization] ?? ""]
            #expect(try await bare.get("/api/v1/oms/orders").status == 400)
            #expect(try await server.caller(token: "nonsense").get("/api/v1/oms/orders").status == 401)
        }
    }
}
