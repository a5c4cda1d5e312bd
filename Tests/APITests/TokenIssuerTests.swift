import API
import Foundation
import Kernel
import Signing
import TestSupport
import Testing

@Suite struct TokenIssuerTests {
    @Test("The key is made once, for its owner's eyes only, and used by whoever comes later")
    func once() async throws {
        try await withTemporaryFolder { folder in
            let first = try TokenIssuer.loadOrCreate(directory: folder)
            let second = try TokenIssuer.loadOrCreate(directory: "\(folder)/")
            let now = Timestamp(milliseconds: 1_735_689_600_000)
            let principal = APIHarness.principal()

            // Ed25519 signs without chance, so equal tokens are signed by one key.
            let tokens = try [first, second].map { try $0.mint(principal, ttl: .seconds(60), now: now) }
            #expect(tokens[0] == tokens[1])
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/issuer.jwk")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["issuer.jwk"])
        }
    }

    @Test("Issuers that start at once agree on one key")
    func race() async throws {
        try await withTemporaryFolder { folder in
            let now = Timestamp(milliseconds: 1_735_689_600_000)
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try TokenIssuer.loadOrCreate(directory: folder)
                            .mint(APIHarness.principal(), ttl: .seconds(60), now: now)
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }

            #expect(tokens.count == 1)
        }
    }

    @Test("A file that holds no key of ours is left alone and said so", arguments: ["", "{}", "not json"])
    func broken(_ text: String) async throws {
        try await withTemporaryFolder { folder in
            let path = URL(fileURLWithPath: "\(folder)/issuer.jwk")
            try Data(text.utf8).write(to: path)

            #expect(throws: TokenError.self) { _ = try TokenIssuer.loadOrCreate(directory: folder) }

            #expect(try Data(contentsOf: path) == Data(text.utf8))
        }
    }

    @Test("A folder that is not there is an error with its path")
    func missing() {
        let fault = #expect(throws: FileFault.self) { _ = try TokenIssuer.loadOrCreate(directory: "/nowhere/at/all") }
        #expect(fault?.description.contains("/nowhere/at/all/issuer.jwk") == true)
    }
}
