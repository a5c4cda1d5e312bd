import HTTPTypes
import Kernel

/// Hexadecimal HMAC-SHA256 of the raw body in a header of its own, without prefix: 64 digits and nothing else.
///
/// Signs in lower case and accepts either case. Only the newest key signs: the header has room for one signature.
package struct HexHMACHeader: SignatureScheme {
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
        guard value.utf8.count == 64, let received = hexBytes(value) else {
            throw SignatureRejection(.malformed, "The header \(header.rawName) is not 64 hexadecimal digits.")
        }
        return try verifiedRequest(body: body, headers: headers, keys: keys, received: received)
    }

    package func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields {
        var fields = HTTPFields()
        fields.append(field(of: content, key: key))
        return fields
    }

    /// The signature under this scheme's own name, to be put beside the fields of others.
    package func field(of content: SignedContent, key: SigningKey) -> HTTPField {
        let code = HMACSHA256.code(key: key.text, over: content.body)
        return HTTPField(name: header, value: code.withUnsafeBytes { hexText($0) })
    }
}
