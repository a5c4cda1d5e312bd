import HTTPTypes
import Kernel

/// Standard Webhooks 1.0.0, asymmetric form: `v1a,` and the base64 Ed25519 signature of `id.timestamp.body`.
///
/// Whoever verifies needs the public key only, and so can't sign. Keys that are no pair are passed over.
package struct AsymmetricWebhooks: SignatureScheme {
    package let name = "standard-v1a"

    package func verify(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], now: Timestamp
    ) throws(SignatureRejection) -> VerifiedRequest {
        let received = try StandardWebhooksHeaders(
            headers, version: "v1a", byteCount: Ed25519Pair.signatureCount, now: now)
        let signed = received.prefix + body
        for (index, key) in keys.enumerated() {
            guard let publicKey = key.pair?.publicKey else { continue }
            if received.candidates.contains(where: { publicKey.isSignature($0, of: signed) }) {
                return VerifiedRequest(body: body, headers: headers, keyIndex: index)
            }
        }
        throw SignatureRejection(.mismatch, "No signature is that of this delivery under any valid key.")
    }

    package func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields {
        StandardWebhooksHeaders.signed(content) { prefix in
            ([key] + older).compactMap { Self.signature(over: prefix, content.body, key: $0) }
        }
    }

    /// Nil for a shared secret.
    static func signature(over prefix: [UInt8], _ body: [UInt8], key: SigningKey) -> String? {
        key.pair.map { "v1a," + Base64.encode($0.sign(prefix + body)) }
    }
}
