import Crypto
import Kernel

/// An Ed25519 key pair in the text forms of Standard Webhooks: `whsk_` for both halves, `whpk_` for the public one.
package struct Ed25519Pair: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    package static let privatePrefix = "whsk_"
    package static let signatureCount = 64
    private static let seedCount = 32

    /// A pair from the 32 bytes that it is derived from; nil for another number of bytes.
    package init?(seed: [UInt8]) {
        guard seed.count == Self.seedCount, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else {
            return nil
        }
        self.key = key
    }

    /// Reads `whsk_` and the base64 text of seed and public key, or of the seed alone; nil for anything else, and for
    /// a public key that is not the seed's.
    package init?(_ secret: Secret) {
        let text = secret.reveal(for: "reading a key pair")
        guard text.starts(with: Self.privatePrefix.utf8),
            let bytes = Base64.decode(bytes: text.dropFirst(Self.privatePrefix.utf8.count)),
            bytes.count == Self.seedCount || bytes.count == 2 * Self.seedCount
        else { return nil }
        self.init(seed: Array(bytes.prefix(Self.seedCount)))
        if bytes.count > Self.seedCount, publicBytes != Array(bytes.dropFirst(Self.seedCount)) { return nil }
    }

    private var publicBytes: [UInt8] { publicKey.bytes }

    /// The half that receivers verify with.
    package var publicKey: Ed25519PublicKey { Ed25519PublicKey(key.publicKey) }
    package var publicText: String { publicKey.text }

    /// Both halves, as a subscriber may keep them.
    package var secret: Secret {
        Secret(Self.privatePrefix + Base64.encode([UInt8](key.rawRepresentation) + publicBytes))
    }

    /// RFC 8032: the same bytes give the same signature.
    func sign(_ bytes: [UInt8]) -> [UInt8] {
        guard let signature = try? key.signature(for: bytes) else {
            preconditionFailure("Ed25519 signs any bytes: only a lack of memory can keep it from that.")
        }
        return [UInt8](signature)
    }
}
