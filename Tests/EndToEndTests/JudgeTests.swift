import Foundation
import HTTPTypes
import Kernel
import Signing
import TestSupport
import Testing

/// The reference library of Standard Webhooks, in an interpreter that has it.
private struct Judge {
    let python: String
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Judges/standardwebhooks_judge.py").path

    init() throws {
        let python = ProcessInfo.processInfo.environment["TRADEWIND_TEST_PYTHON"]
        self.python = try #require(
            python.flatMap { $0.isEmpty ? nil : $0 },
            "TRADEWIND_TEST_PYTHON must name a Python that has standardwebhooks; scripts/test makes one")
    }

    /// What the library says: `good`, or `bad: ` and why.
    func verdict(on delivery: ReceivedDelivery, body: [UInt8], secret: String) async throws -> String {
        let input = JSONWriter.object { writer in
            writer.field("secret", secret)
            writer.field("body", Base64.encode(body))
            writer.objectField("headers") { writer in
                for field in delivery.headers { writer.field(field.name.rawName, field.value) }
            }
        }
        let outcome = try await Program.run([python, Self.script], input: input)
        #expect(outcome.exit == .code(0), "the judge itself failed: \(outcome.errors)")
        return String(outcome.output.prefix { $0 != "\n" })
    }
}

@Suite("Deliveries before a foreign judge")
struct JudgeTests {
    @Test("The reference library accepts real deliveries and refuses altered ones", arguments: TestEngine.allCases)
    func standardWebhooks(_ engine: TestEngine) async throws {
        let judge = try Judge()
        try await withServer(engine) { server in
            try await Receiver.run { receiver in
                let shop = try await Shop.open(server)
                let subscription = try await shop.subscribe(receiver.url, to: "*")
                try await shop.makeProduct("Caf\u{E9} \u{2615}", sku: "CUP-\u{DF}")
                _ = try await shop.deliver(shop.orderEvent("o-1"))
                _ = try await receiver.deliveries(of: "order.created", order: "o-1")
                let deliveries = try await eventually("both events were delivered") {
                    receiver.deliveries.count >= 2 ? receiver.deliveries : nil
                }

                for delivery in deliveries {
                    let secret = subscription.secret
                    #expect(try await judge.verdict(on: delivery, body: delivery.body, secret: secret) == "good")
                    var altered = delivery.body
                    altered[altered.count / 2] ^= 1
                    #expect(try await judge.verdict(on: delivery, body: altered, secret: secret).hasPrefix("bad: "))
                    let other = "whsec_" + Base64.encode([UInt8](repeating: 7, count: 32))
                    let verdict = try await judge.verdict(on: delivery, body: delivery.body, secret: other)
                    #expect(verdict.hasPrefix("bad: "))
                }
            }
        }
    }
}
