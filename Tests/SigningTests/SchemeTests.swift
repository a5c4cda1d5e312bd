import HTTPTypes
import Kernel
import Testing

@testable import Signing

@Suite struct SchemeTests {
    private let body = Array(#"{"connection_id":"c1","event":"order.created","data":{}}"#.utf8)
    private let now = Timestamp(milliseconds: 1_700_000_000_500)

    private func key(_ text: String) throws -> SigningKey { try #require(SigningKey(Secret(text))) }

    /// A key that the scheme signs with: a pair where it needs one.
    private func key(_ text: String, for scheme: String) throws -> SigningKey {
        guard scheme == SignatureCatalog.standardV1a.name else { return try key(text) }
        let pair = try #require(Ed25519Pair(seed: ContentDigest.sha256(Array(text.utf8))))
        return try #require(SigningKey(pair.secret))
    }

    @Test(
        "What a scheme signs it verifies, and it tells which key matched", arguments: SignatureCatalog.all.map(\.name))
    func roundTrip(_ name: String) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: name))
        let (old, new) = (try key("secret-of-last-year", for: name), try key("secret-of-this-year", for: name))
        let content = SignedContent(id: "evt_1", time: now, body: body)

        let headers = scheme.sign(content, key: old, older: [])
        let verified = try scheme.verify(body: body, headers: headers, keys: [new, old], now: now)

        #expect(verified.keyIndex == 1)
        #expect(verified.body == body)
        #expect(verified.headers == headers)
    }

    @Test("No key at all is a mismatch, like a wrong one", arguments: SignatureCatalog.all.map(\.name))
    func noKeys(_ name: String) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: name))
        let content = SignedContent(id: "evt_1", time: now, body: body)
        let headers = scheme.sign(content, key: try key("some secret", for: name), older: [])

        let rejection = #expect(throws: SignatureRejection.self) {
            try scheme.verify(body: body, headers: headers, keys: [], now: now)
        }
        #expect(rejection?.reason == .mismatch)
    }

    @Test("Any single changed bit of the body or of a header is refused", arguments: SignatureCatalog.all.map(\.name))
    func changedBits(_ name: String) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: name))
        let key = try key("some secret", for: name)
        let headers = scheme.sign(SignedContent(id: "evt_1", time: now, body: body), key: key, older: [])

        for bit in 0..<body.count * 8 {
            var changed = body
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: SignatureRejection.self) {
                try scheme.verify(body: changed, headers: headers, keys: [key], now: now)
            }
        }
        for field in headers {
            for index in field.value.utf8.indices {
                var value = Array(field.value.utf8)
                let offset = field.value.utf8.distance(from: field.value.startIndex, to: index)
                value[offset] = value[offset] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
                var changed = headers
                changed[field.name] = String(decoding: value, as: UTF8.self)
                #expect(throws: SignatureRejection.self) {
                    try scheme.verify(body: body, headers: changed, keys: [key], now: now)
                }
            }
        }
    }

    @Test("A header that stands twice is malformed", arguments: SignatureCatalog.all.map(\.name))
    func repeated(_ name: String) throws {
        let scheme = try #require(SignatureCatalog.scheme(named: name))
        let key = try key("some secret")
        let headers = scheme.sign(SignedContent(id: "evt_1", time: now, body: body), key: key, older: [])

        for field in headers {
            var doubled = headers
            doubled.append(field)
            let rejection = #expect(throws: SignatureRejection.self) {
                try scheme.verify(body: body, headers: doubled, keys: [key], now: now)
            }
            #expect(rejection?.reason == .malformed)
        }
    }

    @Test("A rejection is one plain sentence that names the header and never the expected signature")
    func sentences() throws {
        let rejection = #expect(throws: SignatureRejection.self) {
            try SignatureCatalog.synq.verify(body: body, headers: [:], keys: [try key("some secret")], now: now)
        }

        #expect(rejection?.description == "The header Synq-Signature is missing.")
    }

    @Test("Standard Webhooks signs with every live key, newest first")
    func allKeysSign() throws {
        let keys = [try key("new secret"), try key("old secret")]
        let content = SignedContent(id: "evt_1", time: now, body: body)

        let headers = SignatureCatalog.standardV1.sign(content, key: keys[0], older: [keys[1]])

        #expect(headers[StandardWebhooks.signatureHeader]?.split(separator: " ").count == 2)
        #expect(headers[StandardWebhooks.timestampHeader] == "1700000000")
        for key in keys {
            let verified = try SignatureCatalog.standardV1.verify(body: body, headers: headers, keys: [key], now: now)
            #expect(verified.keyIndex == 0)
        }
    }

    @Test("A list of thousands of signatures is cut, not worked through")
    func longLists() throws {
        let key = try key("some secret")
        let content = SignedContent(id: "evt_1", time: now, body: body)
        var headers = SignatureCatalog.standardV1.sign(content, key: key, older: [])
        let good = try #require(headers[StandardWebhooks.signatureHeader])
        let filler = String(repeating: "v1,\(Base64.encode([UInt8](repeating: 0, count: 32))) ", count: 5000)

        headers[StandardWebhooks.signatureHeader] = filler + good
        #expect(throws: SignatureRejection.self) {
            try SignatureCatalog.standardV1.verify(body: body, headers: headers, keys: [key], now: now)
        }
        headers[StandardWebhooks.signatureHeader] = good + " " + filler
        _ = try SignatureCatalog.standardV1.verify(body: body, headers: headers, keys: [key], now: now)
    }

    @Test("An empty secret makes no key, and a key does not print its bytes")
    func keys() throws {
        #expect(SigningKey(Secret("")) == nil)
        let key = try key("some secret")
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "***")
        #expect(!dumped.contains("HMAC"))
    }
}
