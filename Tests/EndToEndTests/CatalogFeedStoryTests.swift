import Foundation
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// A catalogue behind a running server, and crawlers that come for it.
private struct Catalogue: Sendable {
    let api: Caller
    /// Somebody who has nothing but an API key.
    let key: String

    init(_ server: TestServer) async throws {
        api = try await server.caller(token: server.token())
        key = try await api.post("/api/v1/api-keys", #"{"label": "crawler", "role": "viewer"}"#).text("key")
        let settings = try await api.call(
            .put, "/api/v1/ucp/settings",
            """
            {"seller_name": "Hub Shop", "seller_url": "https://shop.example", "country": "DE",
             "product_url": "https://shop.example/p/{product_id}"}
            """)
        #expect(settings.status == 200, "\(settings.text)")
        try await make(Self.shirt)
        try await make(Self.mug)
        try await make(#"{"title": "Unpriced", "status": "active", "variants": [{"sku": "U"}]}"#)
        try await make(#"{"title": "Draft", "variants": [{"sku": "D", "price": 1, "currency": "USD"}]}"#)
    }

    static let shirt = """
        {"title": "Shirt", "status": "active", "brand": "Hub", "category": "Clothes", "options": ["Color", "Size"],
         "description": "<p>A <b>shirt</b></p>", "media": [{"url": "https://shop.example/shirt.jpg"}], "variants": [
            {"sku": "S-BM", "price": 20.00, "compare_at_price": 25, "currency": "USD",
             "options": {"Color": "Black", "Size": "M"}, "gtin": "4006381333931"},
            {"sku": "S-WM", "price": 21.50, "currency": "USD", "options": {"Color": "White", "Size": "M"}}]}
        """
    static let mug = """
        {"title": "\u{6E6F}\u{306E}\u{307F}", "status": "active", "brand": "Hub", "tags": ["mug"],
         "media": [{"url": "https://shop.example/mug.jpg"}],
         "variants": [{"sku": "M-1", "price": 1980, "currency": "JPY"}]}
        """

    @discardableResult
    func make(_ body: String) async throws -> String {
        let answer = try await api.post("/api/v1/pim/products", body)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.text("id")
    }

    /// Where the redirect leads.
    func address(_ format: String? = nil) async throws -> String {
        let answer = try await api.get("/api/v1/ucp/catalog.json" + (format.map { "?format=\($0)" } ?? ""))
        #expect(answer.status == 302 && answer.headers[.cacheControl] == "no-store")
        return try #require(answer.headers[.location])
    }

    var crawler: Caller { api.bare }

    func file(_ format: String? = nil, _ more: HTTPFields = [:]) async throws -> Answer {
        try await crawler.call(.get, try await address(format), nil, more)
    }
}

@Suite("The catalogue feed")
struct CatalogFeedStoryTests {
    private static let judge = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("CatalogFeedTests/Judges/feed_judge.py").path

    private func complaints(_ texts: KeyValuePairs<String, [UInt8]>) async throws -> JSONValue {
        let python = try JudgePython.path()
        let input = JSONWriter.object { writer in
            for (name, text) in texts { writer.field(name, String(decoding: text, as: UTF8.self)) }
        }
        let outcome = try await Program.run([python, Self.judge], input: input)
        #expect(outcome.exit == .code(0), "the judge itself failed: \(outcome.errors)")
        return try JSONValue(parsing: Array(outcome.output.utf8))
    }

    @Test("What is crawled and what agents are answered passes foreign judges", arguments: TestEngine.allCases)
    func judges(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let agent = Caller(address: server.address, headers: [.authorization: "Bearer \(catalogue.key)"])
            let search = try await agent.post("/catalog/search", #"{"pagination": {"limit": 1}}"#)
            let product = try #require(search["products"]?.array?.first)
            let id = try product.text("id")
            let answers: KeyValuePairs<String, [UInt8]> = [
                "jsonld": try await catalogue.file().body, "jsonl": try await catalogue.file("jsonl").body,
                "openai": try await catalogue.file("openai").body, "search": search.body,
                "profile": try await catalogue.crawler.get("/.well-known/ucp").body,
                "lookup": try await agent.post("/catalog/lookup", #"{"ids": ["\#(id)", "S-WM", "nothing"]}"#).body,
                "product": try await agent.post("/catalog/product", #"{"id": "\#(id)"}"#).body,
            ]
            let verdicts = try #require(try await complaints(answers).object)
            for verdict in verdicts.members { #expect(verdict.value == .array([]), "\(verdict.name)") }
            #expect(verdicts.members.count == 7)
            #expect(search["pagination"]?["has_next_page"] == .bool(true))
        }
    }

    @Test(
        "A crawler gets the file by its address, whole, in part and only when it is new", arguments: TestEngine.allCases
    )
    func crawl(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let address = try await catalogue.address()
            let whole = try await catalogue.crawler.get(address)
            #expect(whole.status == 200 && whole.headers[.contentType] == "application/ld+json")
            let names = whole["@graph"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["Hub Shop", "Shirt", "\u{6E6F}\u{306E}\u{307F}"])
            let tag = try #require(whole.headers[.eTag])
            #expect(whole.headers[.vary] == "Accept-Encoding" && whole.headers[.lastModified] != nil)

            let head = try await catalogue.crawler.call(.head, address)
            #expect(head.status == 200 && head.body.isEmpty && head.headers[.eTag] == tag)
            #expect(head.headers[.contentLength] == String(whole.body.count))
            let same = try await catalogue.crawler.call(.get, address, nil, [.ifNoneMatch: tag])
            #expect(same.status == 304 && same.body.isEmpty && same.headers[.eTag] == tag)
            let part = try await catalogue.crawler.call(.get, address, nil, [.range: "bytes=10-99", .ifRange: tag])
            #expect(part.status == 206 && part.body == Array(whole.body[10...99]))
            #expect(part.headers[.contentRange] == "bytes 10-99/\(whole.body.count)")
            let beyond = try await catalogue.crawler.call(.get, address, nil, [.range: "bytes=999999-"])
            #expect(beyond.status == 416 && beyond.headers[.contentRange] == "bytes */\(whole.body.count)")
            let packed = try await catalogue.crawler.call(.get, address, nil, [.acceptEncoding: "gzip"])
            #expect(packed.headers[.contentEncoding] == "gzip" && packed.headers[.eTag] != tag)
            #expect(packed.body.count < whole.body.count && packed.body.prefix(2) == [0x1F, 0x8B])
        }
    }

    @Test(
        "An altered address opens nothing, and an API key is all that a crawler needs", arguments: TestEngine.allCases)
    func doors(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let address = try await catalogue.address()
            let parts = address.split(separator: "/")
            let token = try #require(parts.dropFirst().first)
            let altered = "/feeds/\(token.dropLast(3))AAA/\(parts[2])"
            #expect([403, 404].contains(try await catalogue.crawler.get(altered).status))
            #expect(try await catalogue.crawler.get("/feeds/\(token)/openai.jsonl").status == 404)
            #expect(try await catalogue.crawler.get("/feeds/x/catalog.jsonld").status == 404)

            let path = "/api/v1/ucp/catalog.json"
            #expect(try await catalogue.address().hasSuffix("/catalog.jsonld"))
            #expect(try await catalogue.api.get(path + "?format=xml").status == 422)
            let refused = try await catalogue.crawler.get(path)
            #expect(refused.status == 401 && refused.headers[.wwwAuthenticate]?.contains("Basic") == true)
            for password in [catalogue.key, "wrong"] {
                let basic = "Basic " + Base64.encode(Array("crawler:\(password)".utf8))
                let answer = try await catalogue.crawler.call(.get, path, nil, [.authorization: basic])
                #expect(answer.status == (password == catalogue.key ? 302 : 401))
            }

            let token2 = try await server.token(tenant: TestServer.stranger)
            let stranger = server.caller(token: token2, tenant: TestServer.stranger)
            let theirs = try #require(try await stranger.get(path).headers[.location])
            let file = try await catalogue.crawler.get(theirs)
            #expect(file.status == 200 && !file.text.contains("Shirt"))
        }
    }

    @Test("A change shows within seconds, and a deleted product vanishes", arguments: TestEngine.allCases)
    func change(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let cup = try await catalogue.make(
                #"{"title": "Cup", "status": "active", "variants": [{"sku": "C", "price": 5, "currency": "USD"}]}"#)
            #expect(try await catalogue.file("jsonl").text.contains("\"Cup\""))
            let change = try await catalogue.api.call(.patch, "/api/v1/pim/products/\(cup)", #"{"title": "Beaker"}"#)
            #expect(change.status == 200)
            try await until("the new title is in the file", within: .seconds(5)) {
                try await catalogue.file("jsonl").text.contains("\"Beaker\"")
            }
            #expect(try await catalogue.api.call(.delete, "/api/v1/pim/products/\(cup)").status == 204)
            try await until("the product has vanished", within: .seconds(5)) {
                try await !catalogue.file("jsonl").text.contains("\"Beaker\"")
            }
        }
    }

    @Test("The report tells what is missing and why", arguments: TestEngine.allCases)
    func report(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let report = try await catalogue.api.get("/api/v1/ucp/report")
            #expect(report["products"] == .number("3") && report["variants"]?["jsonld"] == .number("3"))
            let lines = try report.page()
            #expect(lines.map { $0["reason"] } == [.string("no_price"), .string("no_price")])
            #expect(lines.first?["sku"] == .string("U") && report["next_cursor"] == .null)
        }
    }

    @Test("Agents find products by words, category and price, and narrow one down", arguments: TestEngine.allCases)
    func agents(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let catalogue = try await Catalogue(server)
            let agent = Caller(address: server.address, headers: [.authorization: "Bearer \(catalogue.key)"])
            func found(_ body: String) async throws -> [String] {
                let answer = try await agent.post("/catalog/search", body)
                #expect(answer.status == 200, "\(answer.text)")
                return try answer["products"]?.array?.map { try $0.text("title") } ?? []
            }
            let mug = "\u{6E6F}\u{306E}\u{307F}"
            #expect(try await found("{}") == ["Shirt", mug])
            #expect(try await found(#"{"query": "shirt"}"#) == ["Shirt"])
            #expect(try await found(#"{"query": "nothing"}"#) == [])
            #expect(try await found(#"{"filters": {"categories": ["Clothes", "Else"]}}"#) == ["Shirt"])
            let price = #""filters": {"price": {"min": 2100, "max": 2200}}"#
            #expect(try await found("{\(price), \"context\": {\"currency\": \"USD\"}}") == ["Shirt"])
            #expect(try await found("{\(price), \"context\": {\"currency\": \"JPY\"}}") == [])
            #expect(try await found("{\(price)}").count == 2)
            let clothes = try await catalogue.api.post("/api/v1/pim/categories", #"{"name": "Clothes"}"#).text("id")
            try await catalogue.make(
                """
                {"title": "Sock", "status": "active", "category_id": "\(clothes)",
                 "variants": [{"sku": "K", "price": 5, "currency": "USD"}]}
                """)
            #expect(try await found(#"{"filters": {"categories": ["Clothes"]}}"#) == ["Shirt", "Sock"])

            let detail = try await agent.post(
                "/catalog/product", #"{"id": "S-BM", "selected": [{"name": "Color", "label": "White"}]}"#)
            #expect(detail["product"]?["variants"]?.array?.compactMap { $0["sku"]?.string } == ["S-WM"])
            let none = try await agent.post("/catalog/product", #"{"id": "nothing"}"#)
            #expect(none.status == 200 && none["ucp"]?["status"] == .string("error"))
            let ids = (0...50).map { "\"\($0)\"" }.joined(separator: ",")
            #expect(try await agent.post("/catalog/lookup", "{\"ids\": [\(ids)]}").status == 400)
            #expect(try await agent.post("/catalog/lookup", #"{"ids": []}"#).status == 422)
            #expect(try await catalogue.crawler.post("/catalog/search", "{}").status == 401)
        }
    }
}
