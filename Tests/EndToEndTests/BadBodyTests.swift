import HTTPTypes
import Kernel
import TestSupport
import Testing

/// A signed body and what becomes of it.
private struct BadBody: Sendable, CustomTestStringConvertible {
    enum Fate: Sendable, Equatable {
        case refused
        /// Kept, with this in its reason.
        case parked(String)
        case processed
    }

    let name: String
    let fate: Fate
    let body: [UInt8]

    var testDescription: String { name }

    init(_ name: String, _ fate: Fate, _ body: [UInt8]) {
        self.name = name
        self.fate = fate
        self.body = body
    }

    init(_ name: String, _ fate: Fate, _ text: String) { self.init(name, fate, Array(text.utf8)) }

    /// An order whose data is given as the members of a JSON object.
    static func order(_ name: String, _ fate: Fate, _ members: String) -> BadBody {
        BadBody(name, fate, #"{"connection_id": "conn-1", "event": "order.created", "data": {\#(members)}}"#)
    }

    /// An order with one line, of which one member is given.
    static func line(_ name: String, _ fate: Fate, _ member: String, currency: String = "USD") -> BadBody {
        var members = ["\"quantity\": 1", "\"unit_amount\": 5"]
        members.removeAll { $0.prefix { $0 != ":" } == member.prefix { $0 != ":" } }
        let all = (members + [member, "\"sku\": \"S\""]).joined(separator: ", ")
        return order(name, fate, #""id": "\#(name)", "currency": "\#(currency)", "line_items": [{\#(all)}]"#)
    }
}

@Suite("Bad bodies under a good signature")
struct BadBodyTests {
    private static let refused: [BadBody] = [
        BadBody("empty", .refused, ""),
        BadBody("not JSON", .refused, "order=1"),
        BadBody("null", .refused, "null"),
        BadBody("an array", .refused, "[]"),
        BadBody("two documents", .refused, #"{"connection_id": "conn-1", "event": "a"} {}"#),
        BadBody("no event", .refused, #"{"connection_id": "conn-1", "data": {}}"#),
        BadBody("an event that is a number", .refused, #"{"connection_id": "conn-1", "event": 7}"#),
        BadBody("a name that stands twice", .refused, #"{"connection_id": "conn-1", "event": "a", "event": "b"}"#),
        .order("malformed UTF-8", .refused, "\"id\": \"").broken([0xC3, 0x28]),
        .order("an overlong slash", .refused, "\"id\": \"").broken([0xC0, 0xAF]),
        .order("a bare control character", .refused, "\"id\": \"\u{1}\""),
        BadBody(
            "10 000 deep", .refused,
            #"{"connection_id": "conn-1", "event": "order.created", "data": "#
                + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000) + "}"),
        .order("cut off", .refused, #""id": "1""#).cut(2),
    ]

    private static let kept: [BadBody] = [
        .line("1e400", .parked("unit_amount"), #""unit_amount": 1e400"#),
        .line("minus zero pieces", .parked("quantity"), #""quantity": -0"#),
        .line("minus zero", .processed, #""unit_amount": -0"#),
        .line("74.999 USD", .parked("unit_amount"), #""unit_amount": 74.999"#),
        .line("0.5 yen", .parked("unit_amount"), #""unit_amount": 0.5"#, currency: "JPY"),
        .line("1.5 pieces", .parked("quantity"), #""quantity": 1.5"#),
        .line("no piece", .parked("quantity"), #""quantity": 0"#),
        .line("minus three pieces", .parked("quantity"), #""quantity": -3"#),
        .line("very many pieces", .parked("quantity"), #""quantity": 99999999999999999999"#),
        .line("a price beyond 64 bits", .parked("unit_amount"), #""unit_amount": 99999999999999999999"#),
        .line("an unknown currency", .parked("currency"), #""quantity": 1"#, currency: "XYZ"),
        .line("a NUL in a text", .processed, #""name": "a\u0000b""#),
        .line("half a surrogate pair", .processed, #""name": "a\ud800b""#),
        // Only the frame is read before the answer; what is in the data is found by the import.
        .order("a nested name that stands twice", .parked("stands twice"), #""id": "1", "id": "2""#),
        .order("a missing id", .parked("id"), #""currency": "USD", "line_items": []"#),
        .order("an id that is an object", .parked("id"), #""id": {}, "line_items": []"#),
        .order("no lines at all", .parked("line_items"), #""id": "x""#),
        BadBody(
            "an event with a NUL in its name", .processed,
            #"{"connection_id": "conn-1", "event": "a\u0000b", "data": {}}"#),
        .order(
            "5 000 lines", .processed,
            "\"id\": \"many\", \"line_items\": ["
                + (0..<5000).map { #"{"sku": "S-\#($0)", "quantity": 1, "unit_amount": 1}"# }.joined(separator: ",")
                + "]"),
    ]

    @Test("Each is refused with a sentence, or kept and shown with its reason", arguments: TestEngine.allCases)
    func bodies(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            for bad in Self.refused {
                let answer = try await shop.deliver(bad.body)
                #expect(answer.status == 400, "\(bad.name): \(answer.text)")
                #expect(answer["error"]?.string?.isEmpty == false)
            }
            #expect(try await shop.inbox().isEmpty)
            for bad in Self.kept {
                let answer = try await shop.deliver(bad.body)
                #expect(answer.status == 200, "\(bad.name): \(answer.text)")
                let entry = try await shop.settled(answer.text("id"))
                if case .parked(let words) = bad.fate {
                    #expect(entry["state"]?.string == "parked", "\(bad.name): \(entry["state"] ?? .null)")
                    #expect(
                        entry["reason"]?.string?.contains(words) == true, "\(bad.name): \(entry["reason"] ?? .null)")
                } else {
                    #expect(["processed", "ignored"].contains(entry["state"]?.string), "\(bad.name)")
                }
            }
            let many = try await shop.api.get("/api/v1/oms/orders/\(shop.order("many").text("id"))")
            #expect(many["lines"]?.array?.count == 5000)
        }
    }

    @Test("A body of 1 MiB is taken, one byte more is refused", arguments: TestEngine.allCases)
    func largest(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let frame = shop.orderEvent("big", more: #""notes": "","#)
            let mark = try #require(String(decoding: frame, as: UTF8.self).firstRange(of: #""notes": ""#))
            let text = String(decoding: frame, as: UTF8.self)
            func body(_ size: Int) -> [UInt8] {
                let padding = String(repeating: "x", count: size - frame.count)
                return Array((text[..<mark.upperBound] + padding + text[mark.upperBound...]).utf8)
            }

            #expect(try await shop.deliver(body(1 << 20)).status == 200)
            let refused = try await shop.deliver(body((1 << 20) + 1))
            #expect(refused.status == 413)
            #expect(try await shop.order("big")["lines"]?.array?.count == 1)
        }
    }

    @Test("Texts that no store can hold are refused in the API too", arguments: TestEngine.allCases)
    func nul(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let api = try await server.caller(token: server.token())
            for path in [
                "/api/v1/oms/orders?channel=%00", "/api/v1/webhooks/events?entity_type=a%00",
                "/api/v1/oms/orders?channel=%ff", "/api/v1/oms/orders/%00", "/api/v1/webhooks/events?after=%00",
                "/api/v1/oms/orders?cursor=%ff", "/api/v1/oms/orders?limit=99999999999999999999",
            ] {
                let answer = try await api.get(path)
                #expect((200..<500).contains(answer.status), "\(path): \(answer.status) \(answer.text)")
            }
            let product = try await api.post(
                "/api/v1/pim/products", #"{"title": "a\u0000b", "variants": [{"sku": "s\u0000"}]}"#)
            #expect((200..<500).contains(product.status), "\(product.text)")
            let key = try [#require(HTTPField.Name("Idempotency-Key")): "k\u{E9}"] as HTTPFields
            #expect(try await api.post("/api/v1/pim/products", #"{"title": "a"}"#, key).status < 500)
        }
    }
}

extension BadBody {
    /// The same with some bytes after the last text's opening quote, which stands where the data was left open.
    fileprivate func broken(_ bytes: [UInt8]) -> BadBody {
        BadBody(name, fate, body.dropLast(2) + bytes + Array("\"}}".utf8))
    }

    fileprivate func cut(_ count: Int) -> BadBody { BadBody(name, fate, body.dropLast(count)) }
}
