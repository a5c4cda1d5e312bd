import Foundation
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// A receiver to copy, as a command.
private struct Example: Sendable, CustomTestStringConvertible {
    let language: String
    let command: [String]
    /// Whether what comes with the language can check Ed25519.
    let knowsPublicKeys: Bool

    var testDescription: String { language }

    static let all: [Example] = {
        let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let built = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path + "/ReceiverExample"
        return [
            Example(
                language: "Python", command: ["/usr/bin/env", "python3", checkout + "/examples/python/receiver.py"],
                knowsPublicKeys: false),
            Example(
                language: "JavaScript",
                command: ["/usr/bin/env", "node", checkout + "/examples/javascript/receiver.mjs"],
                knowsPublicKeys: true),
            Example(language: "Swift", command: [built], knowsPublicKeys: true),
        ]
    }()
}

/// An example that runs.
private struct RunningExample: Sendable {
    let process: ChildProcess
    let profile: String
    let address: String
    private let output: String

    var text: String { (try? Program.text(of: output)) ?? "" }

    static func start(
        _ example: Example, profile: String, secret: String, in folder: String
    ) async throws -> RunningExample {
        let output = "\(folder)/\(UUID().uuidString)"
        let process = try ChildProcess(
            example.command + ["0"], environment: ["WEBHOOK_SECRET": secret, "WEBHOOK_PROFILE": profile],
            output: output, errors: output)
        func text() -> String { (try? Program.text(of: output)) ?? "" }
        let port = try await eventually("the example listens: \(text())") {
            if process.hasEnded { throw Overdue(description: "the example ended: \(text())") }
            let line = text().split(separator: "\n").first { $0.hasPrefix("listening on ") }
            return line.flatMap { Int($0.dropFirst(13)) }
        }
        return RunningExample(
            process: process, profile: profile, address: "http://127.0.0.1:\(port)", output: output)
    }

    func count(_ words: String) -> Int { text.split(separator: "\n").count { $0.hasPrefix(words) } }

    func post(_ body: [UInt8], _ headers: HTTPFields) async throws -> Int {
        try await Caller(address: address).send(.post, "/events", body, headers).status
    }
}

@Suite("Receivers to copy")
struct ExampleReceiverTests {
    private static let secret = "whsec_" + Base64.encode((0..<32).map { UInt8($0) })
    private static let body = Array(#"{"event_type":"order.created","total":149.99}"#.utf8)
    private static let profiles: [String: HexHMACHeader?] = [
        "synq": SignatureCatalog.synq, "synthesq": SignatureCatalog.synthesq, "synctec": SignatureCatalog.synctec,
        "standard": nil,
    ]

    /// The headers of a delivery that was signed some seconds ago.
    private static func headers(
        _ profile: String, id: String, secret: String = secret, ageSeconds: Int = 0, of body: [UInt8] = body
    ) throws -> HTTPFields {
        let key = try #require(SigningKey(Secret(secret)))
        let content = SignedContent(id: id, time: TimeSource.system.now() - .seconds(ageSeconds), body: body)
        if key.publicKey != nil { return SignatureCatalog.standardV1a.sign(content, key: key, older: []) }
        var headers = SignatureCatalog.standardV1.sign(content, key: key, older: [])
        if let own = Self.profiles[profile] ?? nil { headers += own.sign(content, key: key, older: []) }
        return headers
    }

    private static func with(
        _ secrets: [(profile: String, secret: String)], of example: Example,
        _ body: ([RunningExample]) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            var running: [RunningExample] = []
            for (profile, secret) in secrets {
                running.append(try await RunningExample.start(example, profile: profile, secret: secret, in: folder))
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(running)) } catch { result = .failure(error) }
            for one in running { one.process.signal(SIGKILL) }
            try result.get()
        }
    }

    @Test("A receiver takes what the hub delivers in each profile", arguments: Example.all)
    private func deliveries(_ example: Example) async throws {
        let pair = SecretFactory().keyPair()
        var secrets = Self.profiles.keys.sorted().map { ($0, Self.secret) }
        if example.knowsPublicKeys { secrets.append(("synq", pair.publicText)) }
        let wanted = secrets
        try await withServer(.sqlite) { server in
            let shop = try await Shop.open(server)
            try await Self.with(wanted, of: example) { running in
                for (one, (_, secret)) in zip(running, wanted) {
                    let kept = secret == Self.secret ? secret : pair.secret.revealText(for: "a test's subscription")
                    let made = try await shop.api.post(
                        "/api/v1/webhooks/subscriptions",
                        """
                        {"url": "\(one.address)/events", "event_types": ["order.*"], "profile": "\(one.profile)",
                         "secret": "\(kept)"}
                        """)
                    #expect(made.status == 201, "\(made.text)")
                }
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                let order = try await shop.order("o-1")
                #expect(order["external_id"]?.string == "o-1")
                let id = try #require(
                    try await shop.api.get("/api/v1/events?event_type=order.created").page().first
                ).text("event_id")
                for one in running {
                    try await until("\(one.profile) has it: \(one.text)") {
                        one.count("handled \(id) order.created") == 1
                    }
                    #expect(one.count("refused") == 0, "\(one.text)")
                }
            }
        }
    }

    @Test(
        "A receiver refuses what was altered, is old, or was signed by another, and does a repeat once",
        arguments: Example.all)
    private func refusals(_ example: Example) async throws {
        let profiles = Self.profiles.keys.sorted()
        try await Self.with(profiles.map { ($0, Self.secret) }, of: example) { running in
            for one in running {
                let name = one.profile
                let good = try Self.headers(name, id: "evt_1")
                #expect(try await one.post(Self.body, good) == 204, "\(one.text)")
                #expect(try await one.post(Self.body, Self.headers(name, id: "evt_1", ageSeconds: 3)) == 204)
                try await until("the repeat is known: \(one.text)") { one.count("repeated evt_1") == 1 }
                try await until("it was handled: \(one.text)") { one.count("handled evt_1") == 1 }

                var altered = Self.body
                altered[altered.count - 2] ^= 1
                #expect(try await one.post(altered, good) == 401)
                #expect(try await one.post(Self.body + [10], good) == 401)
                for age in [400, -400] {
                    #expect(try await one.post(Self.body, Self.headers(name, id: "evt_2", ageSeconds: age)) == 401)
                }
                let other = try Self.headers(name, id: "evt_2", secret: "a secret of somebody else")
                #expect(try await one.post(Self.body, other) == 401)
                #expect(try await one.post(Self.body, [:]) == 401)
                for field in good {
                    var changed = good
                    changed[field.name] = nil
                    #expect(try await one.post(Self.body, changed) == 401, "\(field.name) is missing")
                    changed[field.name] = "v1,nonsense"
                    #expect(try await one.post(Self.body, changed) == 401, "\(field.name) is wrong")
                }
                #expect(one.count("handled") == 1, "\(one.text)")
            }
        }
    }

    @Test("During a rotation a receiver takes deliveries under either secret", arguments: Example.all)
    private func rotation(_ example: Example) async throws {
        let old = "the-secret-of-last-year,-which-is-no-base64"
        try await Self.with([("synthesq", "\(Self.secret) \(old)")], of: example) { running in
            for (id, secret) in [("a", old), ("b", Self.secret)] {
                let headers = try Self.headers("synthesq", id: id, secret: secret)
                let status = try await running[0].post(Self.body, headers)
                #expect(status == 204, "\(running[0].text)")
            }
        }
    }

    @Test(
        "A public key takes what its pair has signed and nothing else, and Python says that it can't",
        arguments: Example.all)
    private func publicKeys(_ example: Example) async throws {
        let pair = SecretFactory().keyPair()
        guard example.knowsPublicKeys else {
            let outcome = try await Program.run(
                example.command, environment: ["WEBHOOK_SECRET": pair.publicText], input: [])
            #expect(outcome.exit == .code(1) && outcome.errors.contains("no Ed25519"), "\(outcome.errors)")
            return
        }
        let secret = pair.secret.revealText(for: "signing in a test")
        try await Self.with([("standard", pair.publicText)], of: example) { running in
            let good = try Self.headers("standard", id: "a", secret: secret)
            #expect(try await running[0].post(Self.body, good) == 204, "\(running[0].text)")
            #expect(try await running[0].post(Self.body + [10], good) == 401)
            let other = SecretFactory().keyPair().secret.revealText(for: "signing in a test")
            #expect(try await running[0].post(Self.body, Self.headers("standard", id: "b", secret: other)) == 401)
            #expect(try await running[0].post(Self.body, Self.headers("standard", id: "b")) == 401)
        }
    }
}
