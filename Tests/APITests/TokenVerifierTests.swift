import Foundation
import HTTPTypes
import JWTKit
import Kernel
import Logging
import Signing
import Synchronization
import TestSupport
import Testing

@testable import API

private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite struct TokenVerifierTests {
    private let time = ManualTime()

    private func verifier(_ rules: TokenRules? = nil) -> TokenVerifier {
        let rules = rules ?? TokenRules(issuer: "https://id.example", audience: "tradewind-test")
        let source = KeySource(name: "test") { Array(IndependentTokens.keySet.utf8) }
        return TokenVerifier(rules: rules, source: source, time: time.source, log: log)
    }

    private func verify(_ token: String, with verifier: TokenVerifier) async throws -> Principal {
        try await verifier.verify(token, key: CredentialKey(hashing: token))
    }

    @Test(
        "Tokens that another library signed are believed, whatever the case of their role",
        arguments: [
            (IndependentTokens.rs256, Role.admin), (IndependentTokens.es256, .member),
            (IndependentTokens.edDSA, .viewer),
        ])
    func independent(_ token: String, _ role: Role) async throws {
        let principal = try await verify(token, with: verifier())

        #expect(principal == APIHarness.principal(role))
    }

    @Test(
        "No token gets through by naming an algorithm that its key does not have",
        arguments: [
            IndependentTokens.unsigned, IndependentTokens.unsignedWithBytes, IndependentTokens.confused,
            IndependentTokens.symmetric, IndependentTokens.crossed, IndependentTokens.renamed, IndependentTokens.pss,
            IndependentTokens.der, IndependentTokens.encryption,
        ])
    func algorithms(_ token: String) async throws {
        await #expect(throws: TokenError.self) { try await verify(token, with: verifier()) }
    }

    @Test(
        "Text that is no token is refused without a crash",
        arguments: [
            "", ".", "..", "a.b.c", "e30.e30.", "e30.e30.AA", "....", "\u{1F600}.x.y",
            String(repeating: "a", count: 9000),
        ])
    func garbage(_ token: String) async throws {
        await #expect(throws: TokenError.self) { try await verify(token, with: verifier()) }
    }

    @Test("A token of which one character was changed is refused")
    func changed() async throws {
        let token = IndependentTokens.edDSA
        let parts = token.split(separator: ".").map(String.init)
        for part in parts.indices {
            var changed = parts
            let middle = changed[part].index(changed[part].startIndex, offsetBy: changed[part].count / 2)
            let other = changed[part][middle] == "A" ? "B" : "A"
            changed[part].replaceSubrange(middle...middle, with: other)

            let text = changed.joined(separator: ".")
            await #expect(throws: TokenError.self) { try await verify(text, with: verifier()) }
        }
    }

    @Test("A verified token is recalled without its key until it is five minutes old")
    func recall() async throws {
        let verifier = verifier()
        let key = CredentialKey(hashing: IndependentTokens.edDSA)
        #expect(verifier.recall(key) == nil)
        _ = try await verify(IndependentTokens.edDSA, with: verifier)

        #expect(verifier.recall(key) == APIHarness.principal(.viewer))
        time.advance(by: .seconds(301))
        #expect(verifier.recall(key) == nil)
    }
}

/// Claims that a test sets one by one, signed by JWTKit.
private struct Claims: JWTPayload {
    var iss: String? = "iss"
    var aud: String? = "aud"
    var sub: String? = APIHarness.user.description
    var tenant_id: String? = APIHarness.tenant.description
    var org_id: String? = APIHarness.organisation.description
    var role: String? = "member"
    var exp: Double?
    var nbf: Double?

    func verify(using algorithm: some JWTAlgorithm) {}
}

@Suite struct TokenRulesTests {
    private let time = ManualTime()
    private var now: Double { Double(time.now.seconds) }

    private func judge(_ change: (inout Claims) -> Void) async throws -> Principal {
        let key = try EdDSA.PrivateKey(curve: .ed25519)
        let x = Base64.encode(Array(key.publicKey.rawRepresentation), .url)
        let set = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"\(x)\"}]}"
        let verifier = TokenVerifier(
            rules: TokenRules(issuer: "iss", audience: "aud"), source: KeySource(name: "test") { Array(set.utf8) },
            time: time.source, log: log)
        var claims = Claims(exp: now + 60)
        change(&claims)
        let token = try await JWTKeyCollection().add(eddsa: key, kid: "k").sign(claims, kid: "k")
        return try await verifier.verify(token, key: CredentialKey(hashing: token))
    }

    @Test("A token with all claims is believed, also with a fraction in its times and within the clocks' leeway")
    func good() async throws {
        #expect(try await judge { _ in } == APIHarness.principal(.member))
        #expect(try await judge { $0.exp = now + 0.5 } == APIHarness.principal(.member))
        #expect(try await judge { $0.exp = now - 29 } == APIHarness.principal(.member))
        #expect(try await judge { $0.nbf = now + 29 } == APIHarness.principal(.member))
    }

    @Test("Each claim that is missing or wrong is named in the refusal")
    func bad() async throws {
        let cases: [(sentence: String, change: @Sendable (inout Claims) -> Void)] = [
            ("The token has no expiry.", { $0.exp = nil }),
            ("The token has expired.", { [now] in $0.exp = now - 31 }),
            ("The token is not valid yet.", { [now] in $0.nbf = now + 60 }),
            ("The token is from another issuer.", { $0.iss = "evil" }),
            ("The token is from another issuer.", { $0.iss = nil }),
            ("The token is for another audience.", { $0.aud = "other" }),
            ("The token is for another audience.", { $0.aud = nil }),
            ("The token's tenant_id, org_id and sub must be UUIDs.", { $0.tenant_id = "acme" }),
            ("The token's tenant_id, org_id and sub must be UUIDs.", { $0.org_id = nil }),
            ("The token's tenant_id, org_id and sub must be UUIDs.", { $0.sub = "" }),
            ("The token's role is none of admin, member and viewer.", { $0.role = "root" }),
            ("The token's role is none of admin, member and viewer.", { $0.role = nil }),
        ]
        for (sentence, change) in cases {
            await #expect(throws: TokenError(sentence)) { try await judge(change) }
        }
    }
}

@Suite struct KeySetRefreshTests {
    @Test("A key set is fetched when it is missing, old or lacks a key, and at most once an interval")
    func decisions() {
        func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
        var refresh = KeyRefresh(interval: .seconds(10), age: .seconds(100))

        #expect(refresh.action(holdsKey: false, now: at(0)) == .fetch)
        refresh.asked(now: at(0))
        #expect(refresh.action(holdsKey: false, now: at(9)) == .refuse)
        #expect(refresh.action(holdsKey: false, now: at(10)) == .fetch)
        refresh.asked(now: at(10))
        refresh.succeeded(now: at(10))
        #expect(refresh.action(holdsKey: true, now: at(11)) == .use)
        #expect(refresh.action(holdsKey: false, now: at(19)) == .use)
        #expect(refresh.action(holdsKey: false, now: at(20)) == .fetch)
        #expect(refresh.action(holdsKey: true, now: at(109)) == .use)
        #expect(refresh.action(holdsKey: true, now: at(110)) == .useAndFetch)
    }

    /// An issuer whose answers a test sets.
    private final class Issuer: HTTPExchange {
        let state = Mutex((body: "{\"keys\":[]}", status: 500, calls: 0))

        func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
            let (body, status) = state.withLock { state in
                state.calls += 1
                return (state.body, state.status)
            }
            if status == 0 { throw ExchangeError(.connect, "refused") }
            return IncomingResponse(status: status, body: Array(body.utf8))
        }

        func answer(_ status: Int, _ body: String = "") { state.withLock { ($0.status, $0.body) = (status, body) } }
        var calls: Int { state.withLock { $0.calls } }
    }

    @Test("An unknown key id makes one fetch; a source that is down leaves the last good keys in use")
    func address() async throws {
        let time = ManualTime()
        let issuer = Issuer()
        let source = KeySource.address("https://id.example/keys", exchange: issuer)
        let verifier = TokenVerifier(
            rules: TokenRules(issuer: nil, audience: nil), source: source, time: time.source, log: log)
        func verify(_ token: String) async throws -> Principal {
            try await verifier.verify(token, key: CredentialKey(hashing: token))
        }

        // Nothing can be said about any token while there are no keys: not 401, but "later".
        for _ in 0..<3 { await #expect(throws: Problem.self) { _ = try await verify(IndependentTokens.rs256) } }
        #expect(issuer.calls == 1)

        issuer.answer(200, IndependentTokens.keySet.replacing("\"r1\"", with: "\"r0\""))
        time.advance(by: .seconds(15))
        #expect(try await verify(IndependentTokens.edDSA).role == .viewer)
        #expect(issuer.calls == 2)

        for _ in 0..<3 { await #expect(throws: TokenError.self) { _ = try await verify(IndependentTokens.rs256) } }
        #expect(issuer.calls == 2)
        issuer.answer(200, IndependentTokens.keySet)
        time.advance(by: .seconds(15))
        #expect(try await verify(IndependentTokens.rs256).role == .admin)
        #expect(issuer.calls == 3)

        issuer.answer(0)
        time.advance(by: .seconds(15))
        #expect(try await verify(IndependentTokens.es256).role == .member)
    }

    @Test(
        "A key set without a usable key is refused whole",
        arguments: ["", "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"])
    func unusable(_ text: String) async {
        await #expect(throws: (any Error).self) { _ = try await KeySet(parsing: Array(text.utf8)) }
    }

    @Test("A key set file is read again when a token names a key that came later")
    func file() async throws {
        try await withTemporaryFolder { folder in
            let time = ManualTime()
            let path = "\(folder)/keys.json"
            func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
            let verifier = TokenVerifier(
                rules: TokenRules(issuer: nil, audience: nil), source: .file(path), time: time.source, log: log)
            func verify(_ token: String) async throws -> Principal {
                try await verifier.verify(token, key: CredentialKey(hashing: token))
            }
            try write(IndependentTokens.keySet.replacing("\"r1\"", with: "\"r0\""))
            await #expect(throws: TokenError.self) { _ = try await verify(IndependentTokens.rs256) }

            try write(IndependentTokens.keySet)
            time.advance(by: .seconds(15))
            let principal = try await verify(IndependentTokens.rs256)

            #expect(principal.role == .admin)
        }
    }
}
