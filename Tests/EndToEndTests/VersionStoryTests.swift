import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Changes that are meant for one version")
struct VersionStoryTests {
    private struct Change {
        let method: HTTPRequest.Method
        /// What stands behind the thing's own path; `{variant}` is its last one.
        let tail: String
        let body: String?

        init(_ method: HTTPRequest.Method, _ tail: String = "", _ body: String? = nil) {
            self.method = method
            self.tail = tail
            self.body = body
        }
    }

    /// A thing with a version, and what changes it. Each of the changes makes a difference.
    private struct Thing {
        let root: String
        let body: String
        let changes: [Change]
    }

    private static let things = [
        Thing(
            root: "/api/v1/pim/products",
            body: #"{"title": "Cup", "variants": [{"sku": "V-1", "price": 1, "currency": "USD"}]}"#,
            changes: [
                Change(.patch, "", #"{"title": "Mug"}"#), Change(.post, "/activate"), Change(.post, "/deactivate"),
                Change(.post, "/activate"),
                Change(.post, "/variants", #"{"sku": "V-2", "price": 1, "currency": "USD"}"#),
                Change(.patch, "/variants/{variant}", #"{"price": 2}"#), Change(.delete, "/variants/{variant}"),
                Change(.post, "/discontinue"), Change(.delete),
            ]),
        Thing(
            root: "/api/v1/pim/categories", body: #"{"name": "Kitchen"}"#,
            changes: [Change(.patch, "", #"{"name": "Table"}"#), Change(.delete)]),
        Thing(
            root: "/api/v1/collections", body: #"{"kind": "manual", "title": "Sale"}"#,
            changes: [
                Change(.patch, "", #"{"title": "Summer"}"#), Change(.put, "/products", #"{"product_ids": []}"#),
                Change(.delete),
            ]),
        Thing(
            root: "/api/v1/crm/customers", body: #"{"type": "individual", "first_name": "Ada"}"#,
            changes: [
                Change(.patch, "", #"{"first_name": "Eve"}"#), Change(.post, "/status", #"{"status": "at_risk"}"#),
                Change(.post, "/assign", #"{"user_id": "\#(TestServer.tenant)"}"#), Change(.delete),
            ]),
        Thing(
            root: "/api/v1/inventory/locations", body: #"{"name": "North"}"#,
            changes: [Change(.patch, "", #"{"name": "South"}"#)]),
        Thing(
            root: "/api/v1/oms/orders",
            body: """
                {"idempotency_key": "v", "currency": "USD", "items": [{"sku": "X", "quantity": 2, "unit_price": 10}]}
                """,
            changes: [
                Change(.patch, "", #"{"tags": ["gift"]}"#), Change(.post, "/notes", #"{"text": "Called."}"#),
                Change(.post, "/transition", #"{"to": "payment_authorized"}"#),
                Change(.post, "/transition", #"{"to": "confirmed"}"#),
                Change(.post, "/transition", #"{"to": "processing"}"#), Change(.post, "/fulfilments", "{}"),
                Change(.post, "/transition", #"{"to": "return_requested"}"#), Change(.post, "/returns", "{}"),
                Change(.post, "/refunds", #"{"external_id": "r-1", "amount": 5}"#),
            ]),
    ]

    /// A call that takes the header and is forgotten here is found by the document.
    @Test(
        "Each call that takes If-Match is 412 for an older version, and is done to the one that was read",
        arguments: TestEngine.allCases)
    func versions(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            var called: Set<String> = []
            for thing in Self.things { called.formUnion(try await walk(thing, api)) }
            let taking = DocumentCheck.shared.routes.filter { route in
                route.operation["parameters"]?.array?.contains { $0["name"]?.string == "If-Match" } ?? false
            }
            #expect(called == Set(taking.map { "\($0.method) \($0.path)" }))
        }
    }

    /// Makes a thing and every change of it; answers the routes that were called for that.
    private func walk(_ thing: Thing, _ api: Caller) async throws -> Set<String> {
        let made = try await api.post(thing.root, thing.body)
        #expect(made.status == 201 && made.headers[.eTag] == "\"1\"", "\(thing.root): \(made.text)")
        let path = "\(thing.root)/\(try made.text("id"))"
        var called: Set<String> = []
        for change in thing.changes {
            let read = try await api.get(path)
            let version = try #require(read["version"]?.integer, "\(path): \(read.text)")
            let tag = "\"\(version)\""
            #expect(read.headers[.eTag] == tag, "\(path)")
            let variant = read["variants"]?.array?.last?["id"]?.string ?? ""
            let target = path + change.tail.replacing("{variant}", with: variant)
            let name = try #require(DocumentCheck.shared.operation(change.method, target)?.0)
            called.insert(name)

            let stale = try await api.call(change.method, target, change.body, [.ifMatch: "\"\(version - 1)\""])
            #expect(stale.status == 412, "\(name): \(stale.text)")
            #expect(stale.headers[.eTag] == tag && stale["etag"]?.string == tag, "\(name): \(stale.text)")
            #expect(try await api.get(path).headers[.eTag] == tag, "\(name) was refused and has changed something")

            let done = try await api.call(change.method, target, change.body, [.ifMatch: tag])
            #expect((200..<300).contains(done.status), "\(name): \(done.text)")
            let after = try await api.get(path)
            if change.method == .delete, change.tail.isEmpty {
                #expect(after.status == 404, "\(name)")
            } else {
                #expect(after.headers[.eTag] == "\"\(version + 1)\"", "\(name): \(after.text)")
                #expect(done.headers[.eTag] == after.headers[.eTag], "\(name)")
            }
        }
        return called
    }
}
