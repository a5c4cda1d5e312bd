import HTTPTypes
import Kernel

/// Standard Webhooks 1.0.0, symmetric form: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
///
/// Each valid key signs, any match accepts, and versions that are unknown here are passed over.
package struct StandardWebhooks: SignatureScheme {
    package static let idHeader = StandardWebhooksHeaders.id
    package static let timestampHeader = StandardWebhooksHeaders.timestamp
    package static let signatureHeader = StandardWebhooksHeaders.signature

    package let name = "standard-v1"

    package func verify(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], now: Timestamp
    ) throws(SignatureRejection) -> VerifiedRequest {
        let received = try StandardWebhooksHeaders(
            headers, version: "v1", byteCount: HMACSHA256.byteCount, now: now)
        for (index, key) in keys.enumerated() {
            let code = HMACSHA256.code(key: key.decoded, over: received.prefix, body)
            if received.candidates.contains(where: { code.matches($0) }) {
                return VerifiedRequest(body: body, headers: headers, keyIndex: index)
            }
        }
        throw SignatureRejection(.mismatch, "No signature is that of this delivery under any valid secret.")
    }

    package func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields {
        StandardWebhooksHeaders.signed(content) { prefix in
            ([key] + older).map { Self.signature(over: prefix, content.body, key: $0) }
        }
    }

    static func signature(over prefix: [UInt8], _ body: [UInt8], key: SigningKey) -> String {
        "v1," + Base64.encode(HMACSHA256.code(key: key.decoded, over: prefix, body).bytes)
    }
}
