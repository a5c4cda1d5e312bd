import HTTPTypes
import Kernel

/// Padded base64 of the HMAC-SHA256 of the raw body in a header of its own.
///
/// Only the newest key signs: the header has room for one signature.
package struct Base64HMACHeader: SignatureScheme {
    package let name: String
    package let header: HTTPField.Name

    init(name: String, header: StaticString) {
        self.name = name
        self.header = HTTPField.Name(known: header)
    }

    package func verify(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], now: Timestamp
    ) throws(SignatureRejection) -> VerifiedRequest {
        let value = try headers.signatureValue(header)
        guard value.utf8.count == 44, let received = Base64.decode(value), received.count == HMACSHA256.byteCount else {
            throw SignatureRejection(.malformed, "The header \(header.rawName) is not the base64 text of 32 bytes.")
        }
        return try verifiedRequest(body: body, headers: headers, keys: keys, received: received)
    }

    package func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields {
        [header: Base64.encode(HMACSHA256.code(key: key.text, over: content.body).bytes)]
    }
}
