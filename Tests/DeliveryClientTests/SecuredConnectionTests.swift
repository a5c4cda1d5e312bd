import HTTPTypes
import Kernel
import Testing
import TestSupport

@testable import DeliveryClient

@Suite struct SecuredConnectionTests {
    private let resolver: StubResolver

    init() throws {
        resolver = try StubResolver(["hooks.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]])
    }

    @Test(
        "A certificate of a trusted authority is good for its name and for its address",
        arguments: [
            ("hooks.example", TestCertificate.good), ("127.0.0.1", .good), ("hooks.example", .nameOnly),
        ])
    func good(host: String, certificate: TestCertificate) async throws {
        try await TestPeer.run(certificate: certificate, reply: { _ in .ok }) { peer in
            try await withClient(resolver: resolver) { client in
                for _ in 0..<3 {
                    let response = try await client.send(
                        OutgoingRequest(method: .post, url: "https://\(host):\(peer.port)/", body: [1]))
                    #expect(response.body == Array("ok".utf8))
                }
            }
            #expect(peer.connectionsCount == 1)
            #expect(peer.requests.first?.text.contains("Host: \(host):\(peer.port)\r\n") == true)
        }
    }

    private struct Doubt: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let certificate: TestCertificate
        let host: String
        var options = DeliveryOptions(trustRoots: TrustRoots(pem: Array(TestCertificate.authority.utf8)))
    }

    private static let doubts = [
        Doubt(testDescription: "another name", certificate: .good, host: "other.example"),
        Doubt(testDescription: "another address", certificate: .nameOnly, host: "127.0.0.1"),
        Doubt(testDescription: "expired", certificate: .expired, host: "hooks.example"),
        Doubt(testDescription: "an unknown authority", certificate: .unknownAuthority, host: "hooks.example"),
        Doubt(
            testDescription: "no root of ours", certificate: .good, host: "hooks.example", options: DeliveryOptions()),
    ]

    @Test("A certificate in doubt is a failure of TLS, and its server is sent no request", arguments: doubts)
    private func doubtful(_ doubt: Doubt) async throws {
        try await TestPeer.run(certificate: doubt.certificate) { peer in
            try await withClient(resolver: resolver, options: doubt.options) { client in
                let request = OutgoingRequest(method: .post, url: "https://\(doubt.host):\(peer.port)/", body: [1])
                let error = await failure(client, request)
                #expect(error?.errorClass == .tls)
                #expect(error?.phases?.connect != nil)
                #expect(error?.phases?.tls == nil)
            }
            #expect(peer.requests.isEmpty)
        }
    }

    @Test("A name in a certificate covers itself, and with an asterisk each first label above two others")
    func certificateNames() {
        let covered = [
            ("a.example", "a.example"), ("A.Example", "a.example"), ("a.example.", "a.example"),
            ("*.a.example", "b.a.example"), ("*.A.example", "xn--b.a.example"),
        ]
        for (name, host) in covered { #expect(certificateName(Array(name.utf8), covers: host), "\(name) \(host)") }
        let uncovered = [
            ("a.example", "b.example"), ("a.example", "a.example.com"), ("*.a.example", "a.example"),
            ("*.a.example", "c.b.a.example"), ("*.example", "a.example"), ("*", "example"), ("*.", "a"), ("", "a"),
            ("b*.a.example", "bc.a.example"), ("*a.example", "ba.example"), ("*.a.example", ".a.example"),
            ("a.example\0.b.example", "a.example"),
        ]
        for (name, host) in uncovered { #expect(!certificateName(Array(name.utf8), covers: host), "\(name) \(host)") }
    }

    @Test("A server that speaks no TLS is a failure of TLS, one that says nothing a timeout")
    func noTLS() async throws {
        for (greeting, expected) in [("220 mail.example ESMTP\r\n", ExchangeError.Class.tls), (nil, .timeout)] {
            try await TestPeer.run(greeting: greeting, reply: { _ in .silence }) { peer in
                try await withClient { client in
                    let request = OutgoingRequest(
                        method: .post, url: "https://127.0.0.1:\(peer.port)/",
                        timeout: expected == .tls ? .seconds(10) : .milliseconds(200))
                    #expect(await failure(client, request)?.errorClass == expected)
                    #expect(peer.requests.isEmpty)
                }
            }
        }
    }

    @Test(
        "Trust roots that are no certificates are refused before there is a client",
        arguments: ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!"])
    func badRoots(text: String) {
        #expect(TrustRoots(pem: Array(text.utf8)) == nil)
    }
}
