import Kernel
import Testing

@testable import Signing

@Suite struct SecretBoxTests {
    private let secret = Secret("a secret of a connection")
    private let context = "inbound_secret:018f"

    private func master(_ byte: UInt8) throws -> MasterKey {
        try #require(MasterKey([UInt8](repeating: byte, count: 32)))
    }

    @Test("A sealed secret opens under the same key and context", arguments: [0, 1, 24, 5000])
    func roundTrip(_ count: Int) throws {
        let box = SecretBox(try master(1))
        let secret = Secret([UInt8](repeating: 65, count: count))

        let sealed = try box.seal(secret, context: context)

        #expect(try box.open(sealed, context: context) == secret)
        #expect(sealed.count == 1 + 4 + 12 + count + 16)
    }

    @Test("Sealing twice gives different bytes, neither of which holds the secret")
    func nonces() throws {
        let box = SecretBox(try master(1))

        let (first, second) = (try box.seal(secret, context: context), try box.seal(secret, context: context))

        #expect(first != second)
        #expect(!String(decoding: first, as: UTF8.self).contains("secret"))
    }

    @Test("Another context is refused: a sealed secret can't be moved to another row")
    func otherContext() throws {
        let box = SecretBox(try master(1))
        let sealed = try box.seal(secret, context: context)

        #expect(throws: SecretBoxError.altered) { try box.open(sealed, context: "inbound_secret:0190") }
        #expect(throws: SecretBoxError.altered) { try box.open(sealed, context: "") }
    }

    @Test("Every altered byte and every cut is refused")
    func alteration() throws {
        let box = SecretBox(try master(1))
        let sealed = try box.seal(secret, context: context)

        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 0x10
            #expect(throws: SecretBoxError.self) { try box.open(altered, context: context) }
            #expect(throws: SecretBoxError.self) { try box.open(Array(sealed[..<index]), context: context) }
        }
        #expect(throws: SecretBoxError.self) { try box.open(sealed + [0], context: context) }
        #expect(throws: SecretBoxError.notSealed) { try box.open(Array("plain".utf8), context: context) }
    }

    @Test("Another master key is named in the refusal, and a retired one still opens")
    func keys() throws {
        let (old, new) = (try master(1), try master(2))
        let sealed = try SecretBox(old).seal(secret, context: context)

        #expect(throws: SecretBoxError.unknownKey(hexText(old.id))) {
            try SecretBox(new).open(sealed, context: context)
        }
        let box = SecretBox(new, retired: [old])
        #expect(try box.open(sealed, context: context) == secret)
        #expect(SecretBox.keyID(of: sealed) == hexText(old.id))
        #expect(SecretBox.keyID(of: try box.seal(secret, context: context)) == hexText(new.id))
        #expect(SecretBox.keyID(of: [1, 2, 3]) == nil)
    }

    @Test("A value sealed by the first version of the format still opens")
    func format() throws {
        // Made with Python's cryptography package: AESGCM(key).encrypt(nonce, secret, header + context).
        let sealed = try #require(
            hexBytes(
                "0172cd6e84000102030405060708090a0bda86e643438c630dde0581e44149abcc"
                    + "c0a80e6981f82a6e6df363507548450ae4d8abd45c2527b5"))

        #expect(try SecretBox(try master(1)).open(sealed, context: context) == secret)
    }
}
