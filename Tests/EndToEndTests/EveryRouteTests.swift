import API
import HTTPTypes
import Kernel
import TestSupport
import Testing

/// A forgotten route or answer is named by the test: add its call to the part of its noun.
@Suite("Every route", .endsWhenHung)
struct EveryRouteTests {
    @Test("Each gives every good answer that the document tells of", arguments: TestEngine.allCases)
    func walk(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let walk = RouteWalk(try await Shop.open(server))
                try await walk.system()
                try await walk.keys()
                let (product, variant) = try await walk.products()
                try await walk.imports()
                try await walk.categories()
                try await walk.collections(product)
                try await walk.customers()
                try await walk.inventory(variant)
                try await walk.connections(variant)
                try await walk.inbox()
                try await walk.orders()
                let subscription = try await walk.subscriptions(receiver.url)
                try await walk.eventTypes()
                try await walk.events(subscription)
                try await walk.stream(server)
                try await walk.replays(subscription)
                try await walk.feedFiles()
                #expect(walk.missing == [])
            }
        }
    }

    @Test("Each that needs a bearer is 401 without one, and 403 for a role below its own")
    func roles() async throws {
        try await withServer(.sqlite) { server in
            let viewer = try await server.caller(token: server.token(role: "viewer"))
            let member = try await server.caller(token: server.token(role: "member"))
            var refused = 0
            for route in DocumentCheck.shared.routes {
                let method = try #require(HTTPRequest.Method(route.method))
                let path = route.path.split(separator: "/").map { $0.hasPrefix("{") ? TestServer.stranger : String($0) }
                    .reduce("") { "\($0)/\($1)" }
                if route.operation["security"]?.array?.isEmpty != false { continue }
                #expect(try await server.caller().call(method, path).status == 401, "\(method) \(path)")
                guard let role = route.operation["x-role"]?.string, role != "viewer" else { continue }
                let low = role == "admin" ? member : viewer
                #expect(try await low.call(method, path, "{}").status == 403, "\(method) \(path)")
                refused += 1
            }
            #expect(refused > 60, "the document's roles were not read")
        }
    }
}

extension RouteWalk {
    fileprivate func system() async throws {
        for path in ["/healthz", "/readyz", "/metrics"] { try await call(.get, path, isPublic: true) }
        for path in ["/openapi.json", "/docs"] {
            let tag = try #require(try await call(.get, path, isPublic: true).headers[.eTag])
            try await call(.get, path, nil, [.ifNoneMatch: tag], isPublic: true)
        }
    }

    fileprivate func keys() async throws {
        let root = "/api/v1/api-keys"
        let id = try await call(.post, root, #"{"label": "walk", "role": "viewer"}"#).text("id")
        try await call(.get, root)
        try await call(.delete, "\(root)/\(id)")
        try await call(.get, "/api/v1/audit")
    }

    /// The workflow that an answer names, of work that goes on behind it.
    private func workflow(of answer: Answer) async throws -> Answer {
        try await call(.get, "/api/v1/workflows/\(answer.text("workflow_id"))")
    }

    // MARK: Catalogue

    fileprivate func products() async throws -> (product: String, variant: String) {
        let root = "/api/v1/pim/products"
        let made = try await call(
            .post, root, #"{"title": "Cup", "variants": [{"sku": "WALK", "price": 10, "currency": "USD"}]}"#)
        let one = "\(root)/\(try made.text("id"))"
        try await call(.get, root)
        try await call(.get, one)
        try await call(.patch, one, #"{"title": "Large cup"}"#)
        try await call(.post, one + "/activate")
        try await call(.post, one + "/deactivate")
        try await call(.post, one + "/activate")
        let second = try await call(.post, one + "/variants", #"{"sku": "WALK-2", "price": 1, "currency": "USD"}"#)
        let variant = "\(one)/variants/\(try second.text("id"))"
        try await call(.get, one + "/variants")
        try await call(.patch, variant, #"{"price": 2}"#)
        try await call(.delete, variant)
        let old = "\(root)/\(try await call(.post, root, #"{"title": "Old", "status": "active"}"#).text("id"))"
        try await call(.post, old + "/discontinue")
        try await call(.delete, old)
        return (try made.text("id"), try #require(made["variants"]?.array?.first).text("id"))
    }

    fileprivate func imports() async throws {
        let root = "/api/v1/pim/imports"
        let head = "sku,title,price,currency\n"
        try await call(.post, root + "?format=csv", head + "IN-1,Inlet,1,USD\n")
        // Long enough for the moves to come while it runs.
        let rows = (0..<20_000).reduce(into: head) { $0 += "M\($1),Many,1,USD\n" }
        let begun = try await call(.post, root + "?format=csv", rows, isOnce: false)
        let id = try begun.text("id")
        #expect(try await workflow(of: begun)["kind"]?.string == "catalogue_import")
        try await call(.post, "\(root)/\(id)/pause")
        try await call(.post, "\(root)/\(id)/resume")
        try await call(.post, "\(root)/\(id)/cancel")
        try await call(.get, root)
        try await call(.get, "\(root)/\(id)")
        try await call(.get, "\(root)/\(id)/errors")
        try await call(.get, "/api/v1/pim/export?format=jsonl")
    }

    fileprivate func categories() async throws {
        let root = "/api/v1/pim/categories"
        let one = "\(root)/\(try await call(.post, root, #"{"name": "Kitchen"}"#).text("id"))"
        try await call(.get, root)
        try await call(.get, one)
        try await call(.patch, one, #"{"name": "Table"}"#)
        try await call(.delete, one)
    }

    fileprivate func collections(_ product: String) async throws {
        let root = "/api/v1/collections"
        let one = "\(root)/\(try await call(.post, root, #"{"kind": "manual", "title": "Sale"}"#).text("id"))"
        try await call(.get, root)
        try await call(.get, one)
        try await call(.put, one + "/products", #"{"product_ids": ["\#(product)"]}"#)
        #expect(try await call(.get, one + "/products").page().count == 1)
        try await call(.patch, one, #"{"title": "Summer sale"}"#)
        try await call(.delete, one)
    }

    // MARK: Customers and stock

    fileprivate func customers() async throws {
        let root = "/api/v1/crm/customers"
        let one = "\(root)/\(try await call(.post, root, #"{"type": "individual", "first_name": "Ada"}"#).text("id"))"
        try await call(.get, root)
        try await call(.get, one)
        try await call(.patch, one, #"{"phone": "+1 555 0100"}"#)
        try await call(.post, one + "/status", #"{"status": "at_risk"}"#)
        try await call(.post, one + "/assign", #"{"user_id": "\#(TestServer.tenant)"}"#)
        try await call(.post, one + "/erase")
        try await call(.delete, one)
    }

    fileprivate func inventory(_ variant: String) async throws {
        let root = "/api/v1/inventory"
        let piece = #""variant_id": "\#(variant)""#
        let first = try await call(.post, root + "/adjust", "{\(piece), \"quantity_delta\": 9}").text("location_id")
        try await call(.post, root + "/adjust", "{\(piece), \"quantity_delta\": 0}")
        try await call(.post, root + "/adjust/bulk", "{\"adjustments\": [{\(piece), \"quantity_delta\": 1}]}")
        let second = try await call(.post, root + "/locations", #"{"name": "North"}"#).text("id")
        try await call(.get, root + "/locations")
        try await call(.get, "\(root)/locations/\(second)")
        try await call(.patch, "\(root)/locations/\(second)", #"{"name": "South"}"#)
        let places = #""from_location_id": "\#(first)", "to_location_id": "\#(second)""#
        try await call(.post, root + "/transfers", "{\(piece), \(places), \"quantity\": 1}")
        let level = try #require(try await call(.get, root + "/levels").page().first).text("id")
        try await call(.patch, "\(root)/levels/\(level)", #"{"low_stock_threshold": 2}"#)
        try await call(.get, root + "/ledger")
        try await call(.get, root + "/settings")
        try await call(
            .put, root + "/settings", #"{"inventory_allocation_model": "SOFT", "default_low_stock_threshold": 1}"#)
    }

    // MARK: Connections and orders

    fileprivate func connections(_ variant: String) async throws {
        let root = "/api/v1/integrations"
        let made = try await call(.post, root + "/callback", #"{"connection_id": "w", "provider": "woocommerce"}"#)
        let id = try #require(made["connection"]).text("id")
        let one = "\(root)/connections/\(id)"
        try await call(.get, root + "/connections")
        try await call(.get, one)
        try await call(.patch, one, #"{"status": "paused"}"#)
        try await call(.patch, one, #"{"status": "active"}"#)
        try await call(.post, one + "/rotate-secret", #"{"overlap_hours": 1, "secret": "a secret of ours"}"#)
        try await call(.post, "\(root)/workspace/rotate-secret")
        try await call(.post, "/webhooks/woocommerce/\(id)", "webhook_id=7", isPublic: true)
        let mapping = #"{"external_id": "x", "variant_id": "\#(variant)"}"#
        try await call(.put, one + "/mappings", mapping)
        try await call(.get, one + "/mappings")
        try await call(.delete, one + "/mappings?external_id=x")
        try await call(.delete, one)
    }

    fileprivate func inbox() async throws {
        // Without a quantity it can't become an order.
        let line = #"{"item_id": "a", "sku": "WALK", "name": "Cup", "unit_amount": 1}"#
        let body = shop.orderEvent("walk", lines: [line])
        let entry = try await call(
            .post, "/unified/webhook", String(decoding: body, as: UTF8.self), shop.signature(of: body), isPublic: true
        ).text("id")
        #expect(try await shop.settled(entry)["state"]?.string == "parked")
        let inbox = "/api/v1/integrations/connections/\(shop.connection)/inbox"
        try await call(.get, inbox)
        let retried = try await call(.post, "\(inbox)/\(entry)/retry")
        #expect(try await workflow(of: retried)["kind"]?.string == "order_import")
        try await until("it is dead again") { try await shop.settled(entry)["state"]?.string == "parked" }
        try await call(.get, "/api/v1/workflows?state=dead")
        try await call(.post, "/api/v1/workflows/\(entry)/retry")
    }

    fileprivate func orders() async throws {
        let root = "/api/v1/oms/orders"
        let body = """
            {"idempotency_key": "walk", "currency": "USD",
             "items": [{"sku": "WALK", "quantity": 2, "unit_price": 10}]}
            """
        let one = "\(root)/\(try await call(.post, root, body).text("id"))"
        try await call(.post, root, body, isOnce: false)
        try await call(.get, root)
        try await call(.patch, one, #"{"tags": ["gift"]}"#)
        for state in ["payment_authorized", "confirmed", "processing"] {
            try await call(.post, one + "/transition", #"{"to": "\#(state)"}"#)
        }
        try await call(.post, one + "/notes", #"{"text": "Called."}"#)
        // The second time under another key, the parcel and the refund are known by their own ids.
        for isOnce in [true, false] {
            try await call(.post, one + "/fulfilments", #"{"external_id": "p-1"}"#, isOnce: isOnce)
        }
        try await call(.post, one + "/transition", #"{"to": "return_requested"}"#)
        for isOnce in [true, false] {
            try await call(.post, one + "/returns", #"{"external_id": "b-1"}"#, isOnce: isOnce)
            try await call(.post, one + "/refunds", #"{"external_id": "r-1", "amount": 5}"#, isOnce: isOnce)
        }
        try await call(.get, one)
    }

    // MARK: Events

    fileprivate func subscriptions(_ url: String) async throws -> String {
        let root = "/api/v1/webhooks/subscriptions"
        let body = #"{"url": "\#(url)", "event_types": ["order.*", "product.*"]"#
        let id = try await call(.post, root, body + "}").text("id")
        let one = "\(root)/\(id)"
        try await call(.get, root)
        try await call(.get, one)
        try await call(.patch, one, #"{"description": "Walk"}"#)
        try await call(.post, one + "/rotate-secret", #"{"overlap_hours": 0}"#)
        try await call(.post, one + "/disable")
        try await call(.post, one + "/activate")
        try await call(.post, one + "/test")
        try await call(.get, one + "/deliveries")
        try await call(.get, one + "/stats")
        let pair = "\(root)/\(try await call(.post, root, body + #", "signature": "ed25519"}"#).text("id"))"
        try await call(.get, pair + "/keys")
        try await call(.delete, pair)
        try await call(.get, "/api/v1/webhooks/settings")
        try await call(.patch, "/api/v1/webhooks/settings", #"{"retention_days": 30}"#)
        return id
    }

    fileprivate func eventTypes() async throws {
        let root = "/api/v1/webhooks/event-types"
        try await call(
            .post, root, #"{"name": "ticket.opened", "summary": "Opened.", "schema": {"type": "object"}}"#)
        try await call(.get, root)
        try await call(.get, root + "/ticket.opened")
        try await call(.patch, root + "/ticket.opened", #"{"summary": "A ticket was opened."}"#)
        try await call(.post, "/api/v1/events", #"{"event_type": "ticket.opened", "payload": {"title": "Wet"}}"#)
        try await call(.delete, root + "/ticket.opened")
    }

    fileprivate func events(_ subscription: String) async throws {
        let root = "/api/v1/events"
        let order = try #require(try await call(.get, root + "?event_type=order.created").page().first)
        let one = "\(root)/\(try order.text("event_id"))"
        try await call(.get, one)
        try await call(.post, one + "/replay", #"{"subscription_id": "\#(subscription)"}"#)
        let entity = #"{"entity_type": "order", "entity_id": "\#(try order.text("entity_id"))"}"#
        try await call(.post, root + "/erase", entity)
        try await call(.get, "/api/v1/webhooks/events?limit=1000")
    }

    fileprivate func stream(_ server: TestServer) async throws {
        let path = "/api/v1/webhooks/events/stream"
        let stream = try await RawConnection.open(server)
        let headers = shop.api.headers.map { "\($0.name.rawName): \($0.value)\r\n" }.joined()
        await stream.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
        note("GET \(path) \(try #require(try await stream.outcome()))")
        await stream.close()
    }

    fileprivate func replays(_ subscription: String) async throws {
        let root = "/api/v1/webhooks/replays"
        let since = TimeSource.system.now() - .seconds(3600)
        // One event a second: enough time to move it about.
        let body = #"{"subscription_id": "\#(subscription)", "since": "\#(since)", "rate": 1"#
        #expect(try await call(.post, root, body + #", "dry_run": true}"#)["total"]?.integer ?? 0 > 5)
        let begun = try await call(.post, root, body + "}")
        let one = "\(root)/\(try begun.text("id"))"
        #expect(try await workflow(of: begun)["kind"]?.string == "webhook_replay")
        try await call(.get, root)
        try await call(.get, one)
        try await call(.post, one + "/pause")
        try await call(.post, one + "/resume")
        #expect(try await call(.patch, one, #"{"rate": 2}"#)["rate"]?.integer == 2)
        try await call(.post, one + "/cancel")
    }

    // MARK: Catalogue feed

    fileprivate func feedFiles() async throws {
        let root = "/api/v1/ucp"
        try await call(.put, root + "/settings", #"{"seller_name": "Hub Shop", "country": "DE"}"#)
        try await call(.get, root + "/settings")
        try await call(.get, root + "/report")
        let address = try #require(try await call(.get, root + "/catalog.json").headers[.location])
        let tag = try #require(try await call(.get, address, isPublic: true).headers[.eTag])
        try await call(.get, address, nil, [.ifNoneMatch: tag], isPublic: true)
        try await call(.get, address, nil, [.range: "bytes=0-9"], isPublic: true)
        try await call(.get, "/.well-known/ucp", isPublic: true)
        try await call(.post, "/catalog/search", #"{"query": "cup"}"#)
        try await call(.post, "/catalog/lookup", #"{"ids": ["WALK"]}"#)
        try await call(.post, "/catalog/product", #"{"id": "WALK"}"#)
    }
}
