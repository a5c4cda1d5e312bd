import Foundation
import Kernel
import Testing

/// The cases of `Vectors/egress.json`, which state the default policy from the outside.
private struct EgressVectors {
    struct URLCase: Sendable, CustomTestStringConvertible {
        let url: String
        /// The refusal's reason; nil where the URL is allowed.
        let reason: String?

        var testDescription: String { "\(url) -> \(reason ?? "allow")" }
    }

    let deniedAddresses: [String]
    let allowedAddresses: [String]
    let urls: [URLCase]

    static let all = Result { try EgressVectors() }

    init() throws {
        let file = try #require(
            Bundle.module.url(forResource: "egress", withExtension: "json", subdirectory: "Vectors"))
        let root = try JSONValue(parsing: [UInt8](Data(contentsOf: file)))
        func texts(_ name: String) throws -> [String] {
            try #require(root["addresses"]?[name]?.array).map { try #require($0.string) }
        }
        deniedAddresses = try texts("deny")
        allowedAddresses = try texts("allow")
        urls = try #require(root["urls"]?.array).map { entry in
            let allowed = try #require(entry["verdict"]?.string) == "allow"
            return URLCase(
                url: try #require(entry["url"]?.string), reason: allowed ? nil : try #require(entry["reason"]?.string))
        }
    }
}

@Suite struct EgressTests {
    private let policy = EgressPolicy()

    @Test("Every denied address of the vectors is refused, and every allowed one passes")
    func addresses() throws {
        let vectors = try EgressVectors.all.get()
        #expect(vectors.deniedAddresses.count == 44)
        #expect(vectors.allowedAddresses.count == 19)
        for text in vectors.deniedAddresses {
            let address = try #require(IPAddress(text), "\(text)")
            #expect(reason { try policy.judge(address: address, port: 443) } == .forbiddenAddress, "\(text)")
        }
        for text in vectors.allowedAddresses {
            let address = try #require(IPAddress(text), "\(text)")
            #expect(reason { try policy.judge(address: address, port: 443) } == nil, "\(text)")
        }
    }

    @Test("Every URL of the vectors gets its verdict and its reason")
    func urls() throws {
        let vectors = try EgressVectors.all.get()
        #expect(vectors.urls.count == 20)
        let resolved = try #require(IPAddress("93.184.216.34"))
        for entry in vectors.urls {
            let found = reason {
                let url = try policy.judge(url: entry.url)
                try policy.judge(address: resolved, of: url)
            }
            #expect(found?.rawValue == entry.reason, "\(entry)")
        }
    }

    @Test(
        "A URL that two readers may read differently is malformed, and a disguised address is refused as one",
        arguments: [
            ("https://example.com\\@evil.example/", .malformed), ("https://example.com/a b", .malformed),
            ("https://example.com/%zz", .malformed), ("https://example.com/%2", .malformed),
            ("https://exämple.com/", .malformed), ("https://ex%61mple.com/", .malformed),
            ("https://example.com:0/", .malformed), ("https://example.com:65536/", .malformed),
            ("https://example.com:4 43/", .malformed), ("https://example.com:443:443/", .malformed),
            ("https://[::1/", .malformed), ("https://[::1]x/", .malformed), ("https://[1.1.1.1]/", .malformed),
            ("https://a..b/", .malformed), ("https://.example.com/", .malformed), ("https:example.com", .malformed),
            ("https://" + String(repeating: "a", count: 64) + ".com/", .malformed), ("example.com", .malformed),
            ("https://example.com/" + String(repeating: "a", count: 2048), .malformed),
            ("https://@example.com/", .userinfo), ("HTTP://example.com/", .notHTTPS), ("javascript:1", .notHTTPS),
            ("https://LOCALHOST/", .forbiddenAddress), ("https://localhost./", .forbiddenAddress),
            ("https://a.localhost/", .forbiddenAddress), ("https://internal/", .forbiddenAddress),
            ("https://127.0.0.1./", .forbiddenAddress), ("https://127.0.0.01/", .forbiddenAddress),
            ("https://1.2.3.4.5/", .forbiddenAddress), ("https://0x/", .forbiddenAddress),
            ("https://0X7F000001/", .forbiddenAddress), ("https://[fe80::1%25eth0]/", .forbiddenAddress),
            ("https://[64:ff9b::7f00:1]/", .forbiddenAddress), ("https://example.com:80/", .forbiddenPort),
            ("https://1.1.1.1:9000/", .forbiddenPort), ("https://example.com/?a#b", .fragment),
        ] as [(String, EgressRefusal.Reason)])
    func hostileURLs(url: String, expected: EgressRefusal.Reason) {
        #expect(reason { _ = try policy.judge(url: url) } == expected)
    }

    @Test(
        "A good URL is brought into one normal form",
        arguments: [
            ("HTTPS://Example.COM", "https://example.com/", "example.com"),
            ("https://example.com.:443?x=1", "https://example.com/?x=1", "example.com"),
            ("https://example.com:8443/a//b/../c?d=%20&e=@:!$'()*+,;~", nil, "example.com:8443"),
            ("https://example.com/?a[]=%20", "https://example.com/?a%5B%5D=%20", "example.com"),
            ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]"),
            ("https://a_b.example.com:/", "https://a_b.example.com/", "a_b.example.com"),
            ("https://1.1.1.1/", nil, "1.1.1.1"),
        ] as [(String, String?, String)])
    func normalForm(url: String, expected: String?, authority: String) throws {
        let judged = try policy.judge(url: url)
        #expect(judged.text == expected ?? url)
        #expect(judged.authority == authority)
        #expect(try policy.judge(url: judged.text) == judged)
    }

    @Test("An operator's block opens its own addresses on every port, under any name, and nothing else")
    func allowedBlocks() throws {
        let loopback = EgressPolicy(
            allowedBlocks: try ["127.0.0.0/8", "::1/128"].map { try #require(CIDRBlock($0)) }, allowsHTTP: true)
        let here = try #require(IPAddress("127.0.0.1"))
        let metadata = try #require(IPAddress("169.254.169.254"))
        let everywhere = try #require(IPAddress("93.184.216.34"))

        for text in ["http://127.0.0.1:9321/in", "https://[::1]:1/", "http://[::ffff:127.0.0.1]:80/"] {
            #expect(reason { _ = try loopback.judge(url: text) } == nil, "\(text)")
        }
        let local = try loopback.judge(url: "http://localhost:9321/in")
        #expect(reason { try loopback.judge(address: here, of: local) } == nil)
        #expect(reason { try loopback.judge(address: everywhere, of: local) } == .forbiddenAddress)
        let cloud = try loopback.judge(url: "http://metadata.google.internal/")
        #expect(reason { try loopback.judge(address: metadata, of: cloud) } == .forbiddenAddress)
        let other = try loopback.judge(url: "http://example.com:9321/")
        #expect(reason { try loopback.judge(address: everywhere, of: other) } == .forbiddenPort)
        #expect(reason { try loopback.judge(address: here, of: other) } == nil)
        #expect(reason { _ = try loopback.judge(url: "http://10.0.0.1/") } == .forbiddenAddress)
        #expect(reason { _ = try loopback.judge(url: "http://127.1/") } == .forbiddenAddress)
    }

    @Test("Http to public addresses on port 80 needs the operator's word")
    func plainHTTP() {
        let plain = EgressPolicy(allowsHTTP: true)
        #expect(reason { _ = try plain.judge(url: "http://example.com/") } == nil)
        #expect(reason { _ = try plain.judge(url: "http://example.com:22/") } == .forbiddenPort)
        #expect(reason { _ = try policy.judge(url: "http://example.com/") } == .notHTTPS)
    }

    private func reason(_ judge: () throws -> Void) -> EgressRefusal.Reason? {
        do { try judge() } catch let refusal as EgressRefusal {
            #expect(!refusal.sentence.isEmpty)
            return refusal.reason
        } catch {
            Issue.record(error)
        }
        return nil
    }
}
