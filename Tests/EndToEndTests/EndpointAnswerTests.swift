import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

/// Endpoints as they are on a bad day, on real sockets behind the whole server, and what is written down of each.
@Suite("What endpoints answer, seen through the server")
struct EndpointAnswerTests {
    private static let root = "/api/v1/webhooks/subscriptions"

    /// Subscribes an endpoint, lets one order come in, and answers the delivery once it has its first attempt.
    private static func firstAttempt(
        _ url: String, _ shop: Shop, order: String = "o-1"
    ) async throws -> (delivery: JSONValue, attempt: JSONValue) {
        let subscription = try await shop.subscribe(url).id
        _ = try await shop.deliver(shop.orderEvent(order))
        let delivery = try await eventually("there was an attempt") {
            try await shop.api.get("\(root)/\(subscription)/deliveries").page()
                .first { $0["attempts"]?.array?.isEmpty == false }
        }
        return (delivery, try #require(delivery["attempts"]?.array?.first))
    }

    private static func withEndpoint(
        certificate: TestCertificate? = nil, _ reply: ReceiverServer.Reply,
        _ body: (_ port: Int) async throws -> Void
    ) async throws {
        try await ReceiverServer.run(certificate: certificate, { _ in reply }, body)
    }

    // MARK: TLS

    @Test("An endpoint under a private authority is called once that is trusted", arguments: TestEngine.allCases)
    func trusted(_ engine: TestEngine) async throws {
        try await withAuthority { environment in
            try await withServer(engine, environment: environment) { server in
                try await Self.withEndpoint(certificate: .good, .init(status: 204)) { port in
                    let (delivery, attempt) = try await Self.firstAttempt(
                        "https://127.0.0.1:\(port)/in", try await Shop.open(server))
                    #expect(delivery["state"]?.string == "delivered" && attempt["status"]?.integer == 204)
                    #expect(attempt["phases"]?["tls_us"]?.integer ?? 0 > 0, "\(attempt)")
                }
            }
        }
    }

    @Test("TLS: certificates of others, for others, or of yesterday are a failure", arguments: TestEngine.allCases)
    func untrusted(_ engine: TestEngine) async throws {
        try await withAuthority { environment in
            try await withServer(engine, environment: environment) { server in
                let shop = try await Shop.open(server)
                let bad: [(order: String, certificate: TestCertificate)] = [
                    ("o-1", .unknownAuthority), ("o-2", .expired),
                ]
                for (order, certificate) in bad {
                    try await Self.withEndpoint(certificate: certificate, .init(status: 204)) { port in
                        let (delivery, attempt) = try await Self.firstAttempt(
                            "https://127.0.0.1:\(port)/in", shop, order: order)
                        #expect(delivery["state"]?.string == "pending" && attempt["error_class"]?.string == "tls")
                        #expect(attempt["status"] == .null && attempt["detail"]?.string?.isEmpty == false)
                    }
                }
            }
        }
    }

    @Test("A file of authorities that can't be used stops the start, and is named")
    func badAuthorities() async throws {
        try await withTemporaryFolder { folder in
            for (name, text) in [("missing.pem", nil), ("empty.pem", ""), ("text.pem", "no certificate")] {
                let path = "\(folder)/\(name)"
                if let text { try text.write(toFile: path, atomically: true, encoding: .utf8) }
                let outcome = try await Program.run(
                    ["serve", "--listen", "127.0.0.1:0", "--data-dir", "\(folder)/data"],
                    environment: ["TRADEWIND_EGRESS_CA_FILE": path])
                #expect(outcome.exit != .code(0), "\(name)")
                #expect(outcome.errors.contains("egress_ca_file") && outcome.errors.contains(path), "\(outcome.errors)")
            }
        }
    }

    /// A folder with the authority that the tests' certificates come from, as a setting.
    private func withAuthority(_ body: ([String: String]) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/authority.pem"
            try TestCertificate.authority.write(toFile: path, atomically: true, encoding: .utf8)
            try await body(["TRADEWIND_EGRESS_CA_FILE": path])
        }
    }

    // MARK: Answers

    @Test("Retry-After on 429 puts the next attempt off, and nothing comes before it", arguments: TestEngine.allCases)
    func patience(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let reply = ReceiverServer.Reply(status: 429, headers: [.retryAfter: "3600"])
            try await Self.withEndpoint(reply) { port in
                let (delivery, attempt) = try await Self.firstAttempt(
                    "http://127.0.0.1:\(port)/in", try await Shop.open(server))
                #expect(attempt["status"]?.integer == 429 && attempt["error_class"]?.string == "status")
                let next = try #require(delivery["next_attempt_at"]?.string.flatMap(Timestamp.init))
                let start = try #require(attempt["started_at"]?.string.flatMap(Timestamp.init))
                // The profile's own schedule would have come back after five seconds.
                #expect(next - start >= .seconds(3600), "\(delivery)")
            }
        }
    }

    @Test("3xx fails and is never followed, and a reset is told as one", arguments: TestEngine.allCases)
    func elsewhere(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let elsewhere = Recorder<Bool>()
            let take: ReceiverServer.Taker = { _ in
                elsewhere.record(true)
                return .init(status: 204)
            }
            try await ReceiverServer.run(take) { target in
                let location: HTTPFields = [.location: "http://127.0.0.1:\(target)/in"]
                try await Self.withEndpoint(.init(status: 301, headers: location)) { port in
                    let (delivery, attempt) = try await Self.firstAttempt("http://127.0.0.1:\(port)/in", shop)
                    #expect(delivery["state"]?.string == "pending" && attempt["status"]?.integer == 301)
                }
                #expect(elsewhere.elements.isEmpty)
            }
            try await Self.withEndpoint(.init(status: 204, isReset: true)) { port in
                let (delivery, attempt) = try await Self.firstAttempt(
                    "http://127.0.0.1:\(port)/in", shop, order: "o-2")
                #expect(delivery["state"]?.string == "pending" && attempt["status"] == .null, "\(attempt)")
                #expect(["connect", "body"].contains(attempt["error_class"]?.string ?? ""), "\(attempt)")
            }
        }
    }

    @Test("Of an answer of ten megabytes 16 KiB are kept, and it counts by its status", arguments: TestEngine.allCases)
    func large(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let body = [UInt8](repeating: UInt8(ascii: "a"), count: 10 << 20)
            try await Self.withEndpoint(.init(status: 200, body: body)) { port in
                let (delivery, attempt) = try await Self.firstAttempt(
                    "http://127.0.0.1:\(port)/in", try await Shop.open(server))
                #expect(delivery["state"]?.string == "delivered" && attempt["status"]?.integer == 200)
                #expect(attempt["response_body"]?.string?.utf8.count == 16 << 10)
            }
        }
    }
}
