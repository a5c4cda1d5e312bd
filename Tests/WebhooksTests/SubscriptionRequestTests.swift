import Events
import Kernel
import Testing

@testable import Webhooks

@Suite("What a caller may subscribe to")
struct SubscriptionRequestTests {
    private func read(_ body: String, policy: EgressPolicy = EgressPolicy()) throws -> SubscriptionRequest {
        try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
            SubscriptionRequest($0, rules: SubscriptionRules(policy: policy))
        }
    }

    private func faults(_ body: String, policy: EgressPolicy = EgressPolicy()) throws -> [FieldFault] {
        do {
            _ = try read(body, policy: policy)
            return []
        } catch let error as InvalidDocument {
            return error.faults
        }
    }

    private func body(
        url: String = #""https://shop.example.com/in""#, types: String = #"["order.*"]"#, more: String = ""
    ) -> String {
        #"{"url": \#(url), "event_types": \#(types)\#(more)}"#
    }

    @Test("All that may be said is read")
    func full() throws {
        let request = try read(
            body(
                types: #"["order.*", "product.created", "*"]"#,
                more: #"""
                    , "profile": "synq", "payload_mode": "full", "secret": "0123456789abcdef", "description": "Ours",
                    "headers": {"Authorization": "Bearer abc", "X-Shop": ""}
                    """#))
        #expect(request.url == "https://shop.example.com/in")
        #expect(request.patterns == [.entity("order"), .exactly("product.created"), .all])
        #expect(request.profile == "synq")
        #expect(request.secret.given == Secret("0123456789abcdef"))
        #expect(request.description == "Ours")
        #expect(
            request.headers == [
                Subscription.Header(name: "Authorization", value: Secret("Bearer abc")),
                Subscription.Header(name: "X-Shop", value: Secret("")),
            ])
    }

    @Test("An address and a type are enough")
    func least() throws {
        let request = try read(body())
        #expect(request.profile == "synq" && request.secret.given == nil && request.headers.isEmpty)
    }

    @Test(
        "A fault is told with the pointer of its field",
        arguments: [
            (#", "secret": "0123456789abcde""#, "/secret", "16 characters"), (#", "secret": 5"#, "/secret", "a text"),
            (#", "profile": "other""#, "/profile", "synq"), (#", "payload_mode": "small""#, "/payload_mode", "full"),
            (#", "headers": []"#, "/headers", "an object"), (#", "headers": "a""#, "/headers", "an object"),
            (#", "headers": {"A": 5}"#, "/headers/A", "a text"),
            (#", "headers": {"A b": "c"}"#, "/headers/A b", "no header"),
            (#", "headers": {"": "c"}"#, "/headers/", "no header"),
            (#", "headers": {":path": "c"}"#, "/headers/:path", "no header"),
            (#", "headers": {"a/b~c": "c"}"#, "/headers/a~1b~0c", "no header"),
            (#", "headers": {"X-A": "1", "x-a": "2"}"#, "/headers/x-a", "twice"),
            (#", "headers": {"X-A": "1\r\nX-B: 2"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A": "1\n2"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A": "1\u0000"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A": "1\u007f"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A": "Müller"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A": " 1"}"#, "/headers/X-A", "printable ASCII"),
            (#", "headers": {"X-A\r\nX-B": "1"}"#, "/headers/X-A\r\nX-B", "no header"),
            (#", "description": 7"#, "/description", "a text"), (#", "colour": "red""#, "/colour", "not a field"),
        ])
    func faulty(more: String, pointer: String, words: String) throws {
        let found = try faults(body(more: more))
        #expect(found.map(\.pointer) == [pointer])
        #expect(found.first?.detail.contains(words) == true)
    }

    @Test(
        "Headers of the transport and of signatures are not the subscriber's to set",
        arguments: [
            "Host", "Connection", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "TE",
            "Trailer", "Upgrade", "Expect", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "User-Agent",
            "Synq-Signature", "X-Webhook-Signature", "X-StoreLink-Signature", "webhook-id", "Webhook-Timestamp",
            "WEBHOOK-SIGNATURE", "webhook-anything",
        ])
    func reserved(name: String) throws {
        for spelling in [name, name.lowercased(), name.uppercased()] {
            let found = try faults(body(more: #", "headers": {"\#(spelling)": "x"}"#))
            #expect(found.map(\.pointer) == ["/headers/\(spelling)"])
        }
    }

    @Test("Twenty headers are taken, one more is not, nor a value of more than 2 KiB")
    func headerLimits() throws {
        func headers(_ count: Int) -> String {
            (0..<count).map { #""X-\#($0)": "v""# }.joined(separator: ", ")
        }
        #expect(try read(body(more: ", \"headers\": {\(headers(20))}")).headers.count == 20)
        #expect(try faults(body(more: ", \"headers\": {\(headers(21))}")).map(\.pointer) == ["/headers"])
        let long = String(repeating: "v", count: 2049)
        #expect(try faults(body(more: #", "headers": {"X-A": "\#(long)"}"#)).map(\.pointer) == ["/headers/X-A"])
        #expect(try faults(body(more: #", "headers": {"\#(long)": "v"}"#)).count == 1)
    }

    @Test("A type that does not exist is answered with the nearest that does, at its own place in the list")
    func unknownTypes() throws {
        let found = try faults(body(types: #"["order.created", 5, "order.craeted", "orders.*"]"#))
        #expect(Set(found.map(\.pointer)) == ["/event_types/1", "/event_types/2", "/event_types/3"])
        let misspelt = try #require(found.first { $0.pointer == "/event_types/2" })
        #expect(misspelt.detail.contains("order.craeted") && misspelt.detail.contains("order.created"))
        let huge = String(repeating: "x", count: 100_000)
        #expect(try #require(faults(body(types: #"["\#(huge)"]"#)).first).detail.utf8.count < 300)
    }

    @Test(
        "Something has to be asked for", arguments: ["[]", "null", #""order.created""#, "{}", "[1]"])
    func noTypes(types: String) throws {
        let found = try faults(body(types: types))
        #expect(found.count == 1 && found.first?.pointer.hasPrefix("/event_types") == true)
    }

    @Test("More than a hundred patterns are too many")
    func tooManyTypes() throws {
        let list = Array(repeating: #""*""#, count: 101).joined(separator: ",")
        #expect(try faults(body(types: "[\(list)]")).map(\.pointer) == ["/event_types"])
    }

    @Test(
        "https only, public addresses only: what may not be called is refused with the reason",
        arguments: [
            ("null", "required"), (#""""#, "required"), ("5", "a text"), (#""shop.example.com""#, "malformed"),
            (#""http://shop.example.com/""#, "not_https"), (#""ftp://shop.example.com/""#, "not_https"),
            (#""https://user:pass@shop.example.com/""#, "userinfo"), (#""https://shop.example.com/#a""#, "fragment"),
            (#""https://shop.example.com:22/""#, "forbidden_port"), (#""https://127.0.0.1/""#, "forbidden_address"),
            (#""https://[::1]/""#, "forbidden_address"), (#""https://localhost/""#, "forbidden_address"),
            (#""https://169.254.169.254/latest""#, "forbidden_address"),
            (#""https://2130706433/""#, "forbidden_address"),
            (#""https://shop.example.com/\r\nX: y""#, "malformed"),
        ])
    func addresses(url: String, words: String) throws {
        let found = try faults(body(url: url))
        #expect(found.map(\.pointer) == ["/url"])
        #expect(found.first?.detail.contains(words) == true)
    }

    @Test("Operators may allow CIDRs and http for development")
    func development() throws {
        let policy = EgressPolicy(allowedBlocks: [try #require(CIDRBlock("127.0.0.0/8"))], allowsHTTP: true)
        #expect(try faults(body(url: #""http://127.0.0.1:9000/in""#), policy: policy).isEmpty)
    }

    @Test("All faults are told at once")
    func several() throws {
        let found = try faults(#"{"url": "http://localhost", "event_types": ["x"], "secret": "a", "other": 1}"#)
        #expect(Set(found.map(\.pointer)) == ["/url", "/event_types/0", "/secret", "/other"])
    }
}
