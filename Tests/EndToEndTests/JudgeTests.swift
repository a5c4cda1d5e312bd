import Foundation
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// Other people's code that verifies deliveries, in an interpreter that has it.
private struct Judge {
    /// A script below `Judges`.
    let name: String
    private let python: String
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Judges")

    init(_ name: String) throws {
        self.name = name
        python = try JudgePython.path()
    }

    /// What the judge says: `good`, or `bad: ` and why.
    ///
    /// - Parameter header: the one to look at, for a judge that has to be told.
    func verdict(
        on delivery: ReceivedDelivery, body: [UInt8], secret: String, header: String? = nil
    ) async throws -> String {
        let input = JSONWriter.object { writer in
            writer.field("secret", secret)
            writer.field("header", header)
            writer.field("body", Base64.encode(body))
            writer.objectField("headers") { writer in
                for field in delivery.headers { writer.field(field.name.rawName, field.value) }
            }
        }
        let script = Self.folder.appendingPathComponent("\(name)_judge.py").path
        let outcome = try await Program.run([python, script], input: input)
        #expect(outcome.exit == .code(0), "the judge itself failed: \(outcome.errors)")
        return String(outcome.output.prefix { $0 != "\n" })
    }

    /// Expects a good word for the delivery as it came, and none for an altered body or under another secret.
    func examine(
        _ delivery: ReceivedDelivery, secret: String, other: String, header: String? = nil
    ) async throws {
        #expect(try await verdict(on: delivery, body: delivery.body, secret: secret, header: header) == "good")
        var altered = delivery.body
        altered[altered.count / 2] ^= 1
        let second = try await verdict(on: delivery, body: altered, secret: secret, header: header)
        #expect(second.hasPrefix("bad: "), "\(name): \(second)")
        let third = try await verdict(on: delivery, body: delivery.body, secret: other, header: header)
        #expect(third.hasPrefix("bad: "), "\(name): \(third)")
    }
}

@Suite("Deliveries before foreign judges")
struct JudgeTests {
    private static let subscriptions = "/api/v1/webhooks/subscriptions"
    private static let otherSecret = "whsec_" + Base64.encode([UInt8](repeating: 7, count: 32))
    /// Each profile and the header of its own, where it has one.
    private static let profiles: [(String, String?)] = [
        ("synq", "Synq-Signature"), ("synthesq", "X-Webhook-Signature"), ("synctec", "X-StoreLink-Signature"),
        ("standard", nil),
    ]

    private static func subscribe(_ shop: Shop, _ url: String, as name: String, _ more: String) async throws -> Answer {
        let answer = try await shop.api.post(
            subscriptions,
            #"{"url": "\#(url)", "event_types": ["*"], "headers": {"X-Subscriber": "\#(name)"}, \#(more)}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// The deliveries to the subscription of that name, once there is one.
    private static func deliveries(_ receiver: Receiver, to name: String) async throws -> [ReceivedDelivery] {
        let header = try #require(HTTPField.Name("X-Subscriber"))
        return try await eventually("a delivery to \(name)") {
            let found = receiver.deliveries.filter { $0.headers[header] == name }
            return found.isEmpty ? nil : found
        }
    }

    @Test(
        "The libraries accept real deliveries of every profile and refuse altered ones", arguments: TestEngine.allCases)
    func symmetric(_ engine: TestEngine) async throws {
        let libraries = [try Judge("standardwebhooks"), try Judge("svix")]
        let hmac = try Judge("hex_hmac")
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                var secrets: [String: String] = [:]
                for (profile, _) in Self.profiles {
                    let made = try await Self.subscribe(shop, receiver.url, as: profile, #""profile": "\#(profile)""#)
                    secrets[profile] = try made.text("secret")
                }
                try await shop.makeProduct("Caf\u{E9} \u{2615}", sku: "CUP-\u{DF}")
                for (profile, header) in Self.profiles {
                    let secret = try #require(secrets[profile])
                    let delivery = try #require(try await Self.deliveries(receiver, to: profile).first)
                    for judge in libraries {
                        try await judge.examine(delivery, secret: secret, other: Self.otherSecret)
                    }
                    if let header {
                        try await hmac.examine(delivery, secret: secret, other: Self.otherSecret, header: header)
                    }
                }
            }
        }
    }

    @Test("After a rotation the libraries accept the old and the new secret", arguments: TestEngine.allCases)
    func rotated(_ engine: TestEngine) async throws {
        let judge = try Judge("standardwebhooks")
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let made = try await Self.subscribe(shop, receiver.url, as: "one", #""profile": "standard""#)
                let path = try "\(Self.subscriptions)/\(made.text("id"))"
                let rotated = try await shop.api.post(path + "/rotate-secret", #"{"overlap_hours": 1}"#)
                #expect(rotated.status == 200, "\(rotated.text)")
                let tested = try await shop.api.post(path + "/test", #"{"event_type": "order.created"}"#)
                #expect(tested.status == 202, "\(tested.text)")
                let delivery = try #require(try await Self.deliveries(receiver, to: "one").first)
                for answer in [made, rotated] {
                    try await judge.examine(delivery, secret: answer.text("secret"), other: Self.otherSecret)
                }
                let id = try tested.text("delivery_id")
                let listed = try await shop.api.get(path + "/deliveries").page()
                #expect(listed.contains { $0["id"]?.string == id && $0["event_type"]?.string == "order.created" })
                #expect(try await shop.feed().isEmpty)
            }
        }
    }

    @Test("PyNaCl accepts what a key pair signed, given the published key alone", arguments: TestEngine.allCases)
    func asymmetric(_ engine: TestEngine) async throws {
        let judge = try Judge("ed25519")
        let other = try #require(Ed25519Pair(seed: [UInt8](repeating: 9, count: 32))).publicText
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                for (profile, _) in Self.profiles {
                    let made = try await Self.subscribe(
                        shop, receiver.url, as: profile, #""profile": "\#(profile)", "signature": "ed25519""#)
                    let path = try "\(Self.subscriptions)/\(made.text("id"))"
                    let keys = try #require(try await shop.api.get(path + "/keys")["keys"]?.array)
                    #expect(keys.count == 1)
                    #expect(try await shop.api.post(path + "/test").status == 202)
                    let delivery = try #require(try await Self.deliveries(receiver, to: profile).first)
                    try await judge.examine(delivery, secret: #require(keys.first).text("public_key"), other: other)
                }
            }
        }
    }
}
