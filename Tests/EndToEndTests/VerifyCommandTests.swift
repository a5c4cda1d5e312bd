import HTTPTypes
import Kernel
import Signing
import Testing

@Suite("tradewind verify")
struct VerifyCommandTests {
    private static let body = Array(#"{"event_type":"order.created"}"#.utf8)
    private static let secret = "whsec_" + Base64.encode((0..<32).map { UInt8($0) })

    private static func headers(ageSeconds: Int = 0) throws -> [String] {
        let key = try #require(SigningKey(Secret(secret)))
        let content = SignedContent(
            id: "evt_1", time: TimeSource.system.now() - .seconds(ageSeconds), body: body)
        let fields =
            SignatureCatalog.synq.sign(content, key: key, older: [])
            + SignatureCatalog.standardV1.sign(content, key: key, older: [])
        return fields.flatMap { ["-H", "\($0.name.rawName): \($0.value)"] }
    }

    private static func verify(
        _ words: [String], _ input: [UInt8] = body, secret: String? = secret
    ) async throws -> Program.Outcome {
        let environment = secret.map { ["TRADEWIND_SIGNING_SECRET": $0] } ?? [:]
        return try await Program.run([Program.path, "verify"] + words, environment: environment, input: input)
    }

    @Test("A true delivery from standard input is right, with the secret from the environment or the option")
    func right() async throws {
        let outcome = try await Self.verify(Self.headers() + ["-H", "Content-Type: application/json"])
        #expect(outcome.exit == .code(0), "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output == "right  Synq-Signature\nright  webhook-signature\n")
        let given = try await Self.verify(Self.headers() + ["-", "--secret", Self.secret], secret: "another secret")
        #expect(given.exit == .code(0), "\(given.output)\(given.errors)")
    }

    @Test("What is wrong is said, and the command fails")
    func wrong() async throws {
        let newline = try await Self.verify(Self.headers(), Self.body + [10])
        #expect(newline.exit == .code(1) && newline.output.contains("line end"), "\(newline.output)")
        let secret = try await Self.verify(Self.headers(), secret: "whsec_b3RoZXI=")
        #expect(secret.exit == .code(1) && secret.output.contains("another secret"), "\(secret.output)")
        let old = try await Self.verify(Self.headers(ageSeconds: 4000))
        #expect(old.exit == .code(1) && old.output.contains("300 seconds are tolerated"), "\(old.output)")
        let tolerated = try await Self.verify(Self.headers(ageSeconds: 4000) + ["--tolerance", "2h"])
        #expect(tolerated.exit == .code(0), "\(tolerated.output)")
        let none = try await Self.verify([])
        #expect(none.exit == .code(1) && none.output.contains("No signature"), "\(none.output)")
    }

    @Test(
        "What can't be used is refused in words",
        arguments: [
            (["--tolerance", "soon"], "--tolerance must be"), (["-H", "no colon"], "'Name: value'"),
            (["/nowhere/body"], "/nowhere/body"),
        ])
    func unusable(_ words: [String], _ expected: String) async throws {
        let outcome = try await Self.verify(words)
        #expect(outcome.exit != .code(0) && outcome.output.isEmpty)
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
        let without = try await Self.verify([], secret: nil)
        #expect(without.errors.contains("TRADEWIND_SIGNING_SECRET"), "\(without.errors)")
    }
}
