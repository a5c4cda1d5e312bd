import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Catalogue and customers over HTTP")
struct CatalogueStoryTests {
    private static let products = "/api/v1/pim/products"
    private static let customers = "/api/v1/crm/customers"

    private func product(_ api: Caller, _ body: String) async throws -> Answer {
        let made = try await api.post(Self.products, body)
        #expect(made.status == 201, "\(made.text)")
        return made
    }

    @Test("A product lives through its states, and says what else it could do", arguments: TestEngine.allCases)
    func states(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = server.caller(token: try await server.token())
            let made = try await product(api, #"{"title":"Shirt","variants":[{"sku":"S","price":5,"currency":"USD"}]}"#)
            #expect(made.headers[.eTag] == "\"1\"" && made["status"]?.string == "draft")
            let path = "\(Self.products)/\(try made.text("id"))"
            let refused = try await api.post(path + "/discontinue")
            #expect(refused.status == 409 && refused["allowed"]?.array == [.string("active")])
            #expect(try await api.post(path + "/activate").text("status") == "active")
            #expect(try await api.post(path + "/activate").status == 409)
            let stale = try await api.call(.patch, path, #"{"title":"T"}"#, [.ifMatch: "\"1\""])
            #expect(stale.status == 412 && stale.headers[.eTag] == "\"2\"" && stale["etag"]?.string == "\"2\"")
            #expect(try await api.call(.patch, path, #"{"title":"T"}"#, [.ifMatch: "W/\"2\""]).status == 412)
            let changed = try await api.call(.patch, path, #"{"title":"T"}"#, [.ifMatch: "\"2\", \"9\""])
            #expect(changed.status == 200 && changed.headers[.eTag] == "\"3\"")
            #expect(try await api.call(.delete, path, nil, [.ifMatch: "*"]).status == 204)
            #expect(try await api.get(path).status == 404)
            #expect(try await api.call(.delete, path).status == 404)
        }
    }

    @Test("Costs, notes and lifetime values are for members", arguments: TestEngine.allCases)
    func confidential(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = server.caller(token: try await server.token(role: "member"))
            let viewer = server.caller(token: try await server.token(role: "viewer"))
            let made = try await product(
                api, #"{"title":"T","variants":[{"price":5,"cost_price":2,"currency":"USD"}]}"#)
            #expect(made["variants"]?.array?.first?["cost_price"] == .number("2.00"))
            let seen = try await viewer.get("\(Self.products)/\(try made.text("id"))")
            #expect(seen["variants"]?.array?.first?["price"] == .number("5.00"))
            let list = try await viewer.get(Self.products)
            #expect(!seen.text.contains("cost") && !list.text.contains("cost"))
            let ann = try await api.post(
                Self.customers,
                #"{"type":"individual","first_name":"Ann","notes":"n","lifetime_value":7,"lifetime_currency":"USD"}"#)
            #expect(ann.status == 201 && ann["lifetime_value"] == .number("7.00") && ann["duplicates"]?.array == [])
            let path = "\(Self.customers)/\(try ann.text("id"))"
            let shown = try await viewer.get(path)
            #expect(shown["first_name"]?.string == "Ann" && shown["notes"] == nil && shown["lifetime_value"] == nil)
            #expect(try await viewer.call(.patch, path, "{}").status == 403)
            #expect(try await api.post(path + "/erase").status == 403)
            let admin = server.caller(token: try await server.token())
            #expect(try await admin.post(path + "/erase")["first_name"] == .null)
        }
    }

    private struct Bad {
        let method: HTTPRequest.Method
        let path: String
        let body: String?
        let status: Int
        let pointers: [String]

        init(_ method: HTTPRequest.Method, _ path: String, _ body: String?, _ status: Int, _ pointers: String...) {
            self.method = method
            self.path = path
            self.body = body
            self.status = status
            self.pointers = pointers
        }
    }

    @Test("Bad input is refused with what and where", arguments: TestEngine.allCases)
    func badInput(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = server.caller(token: try await server.token())
            let id = try await product(api, #"{"title":"T","variants":[{"sku":"S"}]}"#).text("id")
            let customer = try await api.post(Self.customers, #"{"type":"individual","first_name":"A"}"#).text("id")
            let root = try await api.post("/api/v1/pim/categories", #"{"name":"Root"}"#).text("id")
            let leaf = try await api.post("/api/v1/pim/categories", #"{"name":"Leaf","parent_id":"\#(root)"}"#).text(
                "id")
            let cases = [
                Bad(.post, Self.products, "[]", 422, ""),
                Bad(.post, Self.products, "{", 400),
                Bad(.post, Self.products, #"{"title":5,"colour":"red"}"#, 422, "/colour", "/title"),
                Bad(
                    .post, Self.products, #"{"title":"T","variants":[{"price":5.001,"currency":"USD"}]}"#, 422,
                    "/variants/0/price"),
                Bad(
                    .post, Self.products, #"{"title":"T","variants":[{"price":5,"currency":"ABC"}]}"#, 422,
                    "/variants/0/currency"),
                Bad(
                    .post, Self.products, #"{"title":"T","variants":[{"price":-5,"currency":"USD"}]}"#, 422,
                    "/variants/0/price"),
                Bad(
                    .post, Self.products, #"{"title":"T","attributes":{"a":[1]},"tags":["x","x"]}"#, 422,
                    "/attributes/a", "/tags/1"),
                Bad(
                    .get, Self.products + "?limit=101&status=sold&updated_since=today&cursor=x", nil, 422,
                    "/cursor", "/limit", "/status", "/updated_since"),
                Bad(.patch, "\(Self.products)/\(id)", #"{"title":null}"#, 422, "/title"),
                Bad(.patch, "/api/v1/pim/categories/\(root)", #"{"parent_id":"\#(leaf)"}"#, 422, "/parent_id"),
                Bad(.delete, "/api/v1/pim/categories/\(root)", nil, 409),
                Bad(
                    .post, Self.customers, #"{"type":"individual","email":"x","addresses":[{"country":"XX"}]}"#, 422,
                    "/addresses/0/country", "/email"),
                Bad(.post, "\(Self.customers)/\(customer)/status", #"{"status":"gone"}"#, 422, "/status"),
                Bad(.post, "\(Self.customers)/\(customer)/status", #"{"status":"active"}"#, 409),
                Bad(.post, "\(Self.customers)/\(customer)/assign", "{}", 422, "/user_id"),
                Bad(.post, "/api/v1/collections", #"{"kind":"rule","title":"T"}"#, 422, "/rule"),
                Bad(.put, "/api/v1/ucp/settings", #"{"country":"XX"}"#, 422, "/country"),
            ]
            let taken = try await api.post(Self.products, #"{"title":"T","variants":[{"sku":"S"}]}"#)
            #expect(taken.status == 409 && taken["holder_product_id"]?.string == id, "\(taken.text)")
            for bad in cases {
                let answer = try await api.call(bad.method, bad.path, bad.body)
                let pointers = answer["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
                #expect(answer.status == bad.status, "\(bad.method) \(bad.path) \(bad.body ?? ""): \(answer.text)")
                #expect(Set(pointers) == Set(bad.pointers), "\(bad.path) \(bad.body ?? ""): \(answer.text)")
            }
        }
    }

    @Test("Pages follow each other by their cursors", arguments: TestEngine.allCases)
    func pages(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = server.caller(token: try await server.token())
            for number in 0..<5 { _ = try await product(api, #"{"title":"Red hat \#(number)"}"#) }
            for filter in ["?limit=2", "?limit=2&q=red%20ha*", "?limit=2&updated_since=2020-01-01T00:00:00Z"] {
                var titles: [String] = []
                var cursor: String? = ""
                while let next = cursor {
                    let page = try await api.get(Self.products + filter + (next.isEmpty ? "" : "&cursor=\(next)"))
                    titles += try page["data"]?.array?.map { try $0.text("title") } ?? []
                    cursor = page["next_cursor"]?.string
                }
                #expect(titles == (0..<5).map { "Red hat \($0)" }, "\(filter)")
            }
        }
    }
}
