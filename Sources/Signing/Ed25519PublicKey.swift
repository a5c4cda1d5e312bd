import Crypto

/// The public half of a pair, in the text form of Standard Webhooks: `whpk_` and the base64 text of 32 bytes.
package struct Ed25519PublicKey: Sendable {
    package static let prefix = "whpk_"

    private let key: Curve25519.Signing.PublicKey

    init(_ key: Curve25519.Signing.PublicKey) { self.key = key }

    /// Reads `whpk_…`; nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let bytes = Base64.decode(text.dropFirst(Self.prefix.count)),
            bytes.count == 32, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { return nil }
        self.key = key
    }

    var bytes: [UInt8] { [UInt8](key.rawRepresentation) }

    /// What may be published.
    package var text: String { Self.prefix + Base64.encode(bytes) }

    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool { key.isValidSignature(signature, for: bytes) }
}
