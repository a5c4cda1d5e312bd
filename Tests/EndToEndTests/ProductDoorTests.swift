import HTTPTypes
import Kernel
import TestSupport
import Testing

/// New products are answered in front of the router, where they come in their usual form.
@Suite("New products at the door")
struct ProductDoorTests {
    private static let path = "/api/v1/pim/products"

    /// A request with its length announced, or in pieces: those go to the router.
    private static func request(
        _ shop: Shop, _ body: String, isChunked: Bool, _ more: HTTPFields = [:]
    ) -> [UInt8] {
        var text = "POST \(path) HTTP/1.1\r\nHost: x\r\n"
        for field in shop.api.headers + more { text += "\(field.name.rawName): \(field.value)\r\n" }
        let length = body.utf8.count
        text +=
            isChunked
            ? "Transfer-Encoding: chunked\r\n\r\n\(String(length, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
            : "Content-Length: \(length)\r\n\r\n\(body)"
        return Array(text.utf8)
    }

    /// What the door says where a connection ends; the router only ends it.
    private static let ending = "connection: close"

    /// The first line, the fields and the body of an answer, without what differs from one product to the next.
    private static func shape(_ answer: String) -> [String] {
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        let lines = parts[0].lowercased().split(separator: "\r\n").filter { $0 != ending }.map { line in
            let name = line.prefix { $0 != ":" }
            return String(["x-request-id", "date", "content-length"].contains(name) ? name : line)
        }
        let body = (parts.count > 1 ? String(parts[1]) : "")
            .replacing(/[0-9a-f]{8}-[0-9a-f-]{27}/, with: "id").replacing(/20[0-9-]{8}T[0-9:.]+Z/, with: "time")
            .replacing(/N-[a-z]+/, with: "sku").replacing(/h-[a-z]+/, with: "handle")
        return lines.sorted() + [body]
    }

    private static let bodies: [(name: String, body: String)] = [
        ("a product", #"{"title":"Boots","handle":"h-{n}","tags":["new"],"variants":[{"sku":"N-{n}"}]}"#),
        ("a SKU that is taken", #"{"title":"Boots","variants":[{"sku":"TAKEN"}]}"#),
        ("a SKU twice", #"{"title":"Boots","variants":[{"sku":"A"},{"sku":"A"}]}"#),
        ("options that don't fit", #"{"title":"B","options":["a"],"variants":[{"options":{"b":"c"}}]}"#),
        ("an unknown category", #"{"title":"Boots","category_id":"01890000-0000-7000-8000-000000000000"}"#),
        ("an unknown field", #"{"title":"Boots","colour":"red"}"#),
        ("no JSON", "title=Boots"),
        ("an array", "[]"),
    ]

    @Test("The door answers in the router's words", arguments: TestEngine.allCases)
    func words(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.makeProduct("Taken", sku: "TAKEN")
            for (name, body) in Self.bodies {
                var shapes: [[String]] = []
                for (isChunked, text) in [(false, "door"), (true, "router")] {
                    let peer = try await RawConnection.open(server)
                    let body = body.replacing("{n}", with: text)
                    await peer.send(Self.request(shop, body, isChunked: isChunked, [.connection: "close"]))
                    try await until("the connection is closed after its answer") { peer.isClosed }
                    #expect(peer.text.lowercased().contains(Self.ending) == !isChunked, "\(text) answers \(name)")
                    shapes.append(Self.shape(peer.text))
                }
                #expect(shapes[0] == shapes[1], "\(name)")
            }
        }
    }

    @Test("Products, reads and repeats on one connection are answered in their order", arguments: TestEngine.allCases)
    func order(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            _ = try await shop.makeProduct("First", sku: "FIRST")
            func product(_ sku: String, _ more: HTTPFields = [:]) -> [UInt8] {
                Self.request(shop, #"{"title":"\#(sku)","variants":[{"sku":"\#(sku)"}]}"#, isChunked: false, more)
            }
            let key: HTTPFields = [HTTPField.Name("Idempotency-Key")!: "k-1"]
            var list = "GET \(Self.path)?sku=A HTTP/1.1\r\nHost: x\r\n"
            for field in shop.api.headers { list += "\(field.name.rawName): \(field.value)\r\n" }
            let peer = try await RawConnection.open(server)
            await peer.send(
                product("A") + Array((list + "\r\n").utf8) + product("A") + product("B", key) + product("B", key)
                    + product("C", [.connection: "close"]))
            try await until("the connection is closed after its last answer") { peer.isClosed }
            let answers = peer.text.split(separator: "HTTP/1.1 ").map { String($0.prefix(3)) }
            #expect(answers == ["201", "200", "409", "201", "201", "201"], "\(peer.text)")
            let made = try await shop.api.get(Self.path).page().compactMap { $0["title"]?.string }
            #expect(Set(made) == ["First", "A", "B", "C"] && made.count == 4)
        }
    }
}
