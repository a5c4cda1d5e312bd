import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("The record of admin actions")
struct AuditStoryTests {
    private static let subscriptions = "/api/v1/webhooks/subscriptions"

    @Test("A subscription's life is on record with its states, and without secrets", arguments: TestEngine.allCases)
    func subscription(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let admin = try await server.caller(token: server.token())
            let made = try await admin.post(
                Self.subscriptions,
                #"{"url": "https://example.com/in", "event_types": ["*"], "headers": {"X-Secret": "hush-hush"}}"#,
                [.userAgent: "test", try #require(HTTPField.Name("X-Request-ID")): "call-1"])
            #expect(made.status == 201, "\(made.text)")
            let id = try made.text("id")
            let path = "\(Self.subscriptions)/\(id)"
            #expect(try await admin.call(.patch, path, #"{"description": "mine"}"#).status == 200)
            #expect(try await admin.post(path + "/disable").status == 200)
            #expect(try await admin.post(path + "/disable").status == 200)
            #expect(try await admin.post(path + "/rotate-secret").status == 200)
            #expect(try await admin.call(.delete, path).status == 204)
            #expect(try await admin.call(.delete, path).status == 404)

            let all = try await admin.get("/api/v1/audit?resource_id=\(id)")
            let rows = try all.page()
            let actions = try rows.map { try $0.text("action") }
            #expect(
                actions == [
                    "deleteSubscription", "rotateSubscriptionSecret", "disableSubscription", "changeSubscription",
                    "createSubscription",
                ])
            #expect(!all.text.contains("hush-hush"))
            #expect(!all.text.contains(try made.text("secret")))
            let first = try #require(rows.last)
            #expect(first["before"] == .null)
            #expect(first["after"]?["url"]?.string == "https://example.com/in")
            #expect(first["request_id"]?.string == "call-1")
            #expect(first["address"]?.string == "127.0.0.1")
            #expect(first["user_id"]?.string == TestServer.tenant)
            #expect(first["role"]?.string == "admin")
            let disabled = rows[2]
            #expect(disabled["before"]?["status"]?.string == "active")
            #expect(disabled["after"]?["status"]?.string == "disabled")
            #expect(rows[0]["after"] == .null)
        }
    }

    @Test("It is read by filters and pages, by admins of the tenant alone", arguments: TestEngine.allCases)
    func reading(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let admin = try await server.caller(token: server.token())
            for name in ["North", "South", "East"] {
                #expect(try await admin.post("/api/v1/inventory/locations", #"{"name": "\#(name)"}"#).status == 201)
            }
            let key = try await admin.post("/api/v1/api-keys", #"{"label": "robot", "role": "admin"}"#)
            #expect(key.status == 201, "\(key.text)")
            let robot = server.caller(token: try key.text("key"))
            let settings = "/api/v1/webhooks/settings"
            #expect(try await robot.call(.patch, settings, #"{"retention_days": 14}"#).status == 200)

            let byRobot = try await admin.get("/api/v1/audit?action=changeWebhookSettings").page()
            #expect(byRobot.count == 1)
            #expect(byRobot.first?["api_key_id"]?.string == (try key.text("id")))
            #expect(byRobot.first?["after"]?["retention_days"] == .number("14"))
            let page = try await admin.get("/api/v1/audit?resource=location&limit=2")
            let rest = try await admin.get("/api/v1/audit?resource=location&limit=2&cursor=\(page.text("next_cursor"))")
            let names = try (page.page() + rest.page()).map { $0["after"]?["name"]?.string }
            #expect(names == ["East", "South", "North"])
            #expect(rest["next_cursor"] == .null)
            #expect(try await admin.get("/api/v1/audit?to=2020-01-01T00:00:00Z").page().isEmpty)
            #expect(try await admin.get("/api/v1/audit?actor=\(TestServer.stranger)").page().isEmpty)
            #expect(try await admin.get("/api/v1/audit?resource=nothing").status == 422)

            let member = try await server.caller(token: server.token(role: "member"))
            #expect(try await member.get("/api/v1/audit").status == 403)
            let token = try await server.token(tenant: TestServer.stranger)
            let stranger = server.caller(token: token, tenant: TestServer.stranger)
            #expect(try await stranger.get("/api/v1/audit").page().isEmpty)
        }
    }

    @Test(
        "Categories, collections and customers are on record with who changed them, before and after",
        arguments: TestEngine.allCases)
    func business(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let admin = try await server.caller(token: server.token())
            let member = try await server.caller(token: server.token(role: "member"))
            func row(_ action: String, _ id: String) async throws -> JSONValue {
                let found = try await admin.get("/api/v1/audit?action=\(action)&resource_id=\(id)")
                let rows = try found.page()
                #expect(rows.count == 1, "\(action): \(found.text)")
                let row = try #require(rows.first, "\(action)")
                #expect(row["user_id"]?.string == TestServer.tenant && row["role"]?.string == "member", "\(action)")
                return row
            }
            func call(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> Answer {
                let answer = try await member.call(method, path, body)
                #expect((200..<300).contains(answer.status), "\(method) \(path): \(answer.text)")
                return answer
            }

            let category = try await call(.post, "/api/v1/pim/categories", #"{"name": "Kitchen"}"#).text("id")
            _ = try await call(.patch, "/api/v1/pim/categories/\(category)", #"{"name": "Table"}"#)
            _ = try await call(.delete, "/api/v1/pim/categories/\(category)")
            let placed = try await row("createCategory", category)
            #expect(placed["before"] == .null && placed["after"]?["name"]?.string == "Kitchen")
            let renamed = try await row("changeCategory", category)
            #expect(renamed["before"]?["name"]?.string == "Kitchen" && renamed["after"]?["name"]?.string == "Table")
            let gone = try await row("deleteCategory", category)
            #expect(gone["before"]?["name"]?.string == "Table" && gone["after"] == .null)

            let sale = #"{"kind": "manual", "title": "Sale"}"#
            let collection = try await call(.post, "/api/v1/collections", sale).text("id")
            let path = "/api/v1/collections/\(collection)"
            _ = try await call(.patch, path, #"{"title": "Summer"}"#)
            _ = try await call(.put, path + "/products", #"{"product_ids": []}"#)
            _ = try await call(.delete, path)
            #expect(try await row("createCollection", collection)["after"]?["title"]?.string == "Sale")
            let retitled = try await row("changeCollection", collection)
            #expect(retitled["before"]?["title"]?.string == "Sale" && retitled["after"]?["title"]?.string == "Summer")
            let filled = try await row("setCollectionProducts", collection)
            #expect(filled["before"]?["version"] == .number("2") && filled["after"]?["version"] == .number("3"))
            #expect(try await row("deleteCollection", collection)["after"] == .null)
        }
    }

    @Test("A customer's change and end are on record, and nothing of who it is", arguments: TestEngine.allCases)
    func customer(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let admin = try await server.caller(token: server.token())
            let member = try await server.caller(token: server.token(role: "member"))
            let root = "/api/v1/crm/customers"
            let id = try await member.post(root, #"{"type": "individual", "first_name": "Ada"}"#).text("id")
            let changed = try await member.call(.patch, "\(root)/\(id)", #"{"email": "ada@example.com"}"#)
            #expect(changed.status == 200, "\(changed.text)")
            // Nothing differs, so nothing is changed.
            #expect(try await member.call(.patch, "\(root)/\(id)", #"{"email": "ada@example.com"}"#).status == 200)
            #expect(try await member.call(.delete, "\(root)/\(id)").status == 204)

            let told = try await admin.get("/api/v1/audit?resource=customer&resource_id=\(id)")
            let rows = try told.page()
            #expect(try rows.map { try $0.text("action") } == ["deleteCustomer", "changeCustomer"])
            for row in rows {
                #expect(row["user_id"]?.string == TestServer.tenant && row["role"]?.string == "member")
            }
            let (end, change) = (try #require(rows.first), try #require(rows.last))
            #expect(change["before"]?["version"] == .number("1") && change["after"]?["version"] == .number("2"))
            #expect(end["before"]?["deleted_at"] == .null && end["after"]?["deleted_at"]?.string != nil)
            #expect(!told.text.contains("ada@example.com") && !told.text.contains("Ada"))
        }
    }

    @Test("Each kind of change is on record", arguments: TestEngine.allCases)
    func kinds(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let api = shop.api
            let connection = "/api/v1/integrations/connections/\(shop.connection)"
            let product = try await api.post(
                "/api/v1/pim/products", #"{"title": "Cup", "variants": [{"sku": "CUP"}]}"#)
            let variant = try #require(product["variants"]?.array?.first).text("id")
            let buyer = try await api.post(
                "/api/v1/crm/customers", #"{"type": "individual", "email": "ada@example.com"}"#
            ).text("id")
            let type = #"{"name": "ticket.opened", "summary": "Open.", "schema": {"type": "object"}}"#
            let subscription = try await api.post(
                Self.subscriptions, #"{"url": "https://example.com/in", "event_types": ["*"]}"#
            ).text("id")
            let since = TimeSource.system.now() - .seconds(60)
            let calls: [(HTTPRequest.Method, String, String?, String)] = [
                (.patch, connection, #"{"status": "paused"}"#, "setConnectionStatus"),
                (.post, connection + "/rotate-secret", nil, "rotateConnectionSecret"),
                (.post, "/api/v1/integrations/workspace/rotate-secret", nil, "rotateWorkspaceSecret"),
                (
                    .put, connection + "/mappings", #"{"external_id": "x", "variant_id": "\#(variant)"}"#,
                    "putMapping"
                ),
                (.delete, connection + "/mappings?external_id=x", nil, "deleteMapping"),
                (.delete, connection, nil, "disconnect"),
                (.post, "/api/v1/crm/customers/\(buyer)/erase", nil, "eraseCustomer"),
                (
                    .put, "/api/v1/inventory/settings",
                    #"{"inventory_allocation_model": "HARD", "default_low_stock_threshold": 1}"#,
                    "replaceInventorySettings"
                ),
                (.post, "/api/v1/webhooks/event-types", type, "registerEventType"),
                (.patch, "/api/v1/webhooks/event-types/ticket.opened", #"{"summary": "Opened."}"#, "changeEventType"),
                (.delete, "/api/v1/webhooks/event-types/ticket.opened", nil, "deleteEventType"),
                (.put, "/api/v1/ucp/settings", #"{"seller_name": "Us"}"#, "replaceFeedSettings"),
                (
                    .post, "/api/v1/webhooks/replays",
                    #"{"subscription_id": "\#(subscription)", "since": "\#(since)"}"#, "beginReplay"
                ),
            ]
            for (method, path, body, action) in calls {
                let answer = try await api.call(method, path, body)
                #expect((200..<300).contains(answer.status), "\(action): \(answer.text)")
                let rows = try await api.get("/api/v1/audit?action=\(action)").page()
                #expect(rows.count == 1, "\(action) is on record \(rows.count) times")
            }
            let erased = try await api.get("/api/v1/audit?action=eraseCustomer")
            #expect(!erased.text.contains("ada@example.com"))
        }
    }
}
