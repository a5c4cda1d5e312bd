import Kernel

/// A secret made ready for signing and verifying. Made once for each secret and kept by whoever uses it often.
///
/// Schemes read one secret in two ways: body signatures take its UTF-8 text as it stands, `whsec_` included;
/// Standard Webhooks takes the bytes that the base64 text (behind `whsec_`, when that is there) stands for. A secret
/// that is no base64 text signs with its own text in both, since a tenant may bring a secret of any form. A secret
/// `whsk_…` is a key pair: only asymmetric schemes use it.
package struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The key of signatures over the body alone.
    let text: HMACSHA256.Key
    /// The key of Standard Webhooks signatures.
    let decoded: HMACSHA256.Key
    /// Nil for a shared secret.
    let pair: Ed25519Pair?

    package static let prefix = "whsec_"

    package var description: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package var isPair: Bool { pair != nil }

    /// What may be published of it: `whpk_…`; nil for a shared secret, of which nothing may.
    package var publicKey: String? { pair?.publicText }

    /// Nil for an empty secret: anyone could sign with that.
    package init?(_ secret: Secret) {
        guard secret.count > 0 else { return nil }
        let bytes = secret.reveal(for: "preparing a signing key")
        text = HMACSHA256.Key(bytes)
        let encoded = bytes.starts(with: Self.prefix.utf8) ? bytes.dropFirst(Self.prefix.utf8.count) : bytes[...]
        if let key = Base64.decode(bytes: encoded), !key.isEmpty {
            decoded = HMACSHA256.Key(key)
        } else {
            decoded = text
        }
        pair = Ed25519Pair(secret)
    }
}
