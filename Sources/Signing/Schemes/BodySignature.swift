import HTTPTypes
import Kernel

extension SignatureScheme {
    /// Looks for the key whose HMAC of the body is `received`.
    func verifiedRequest(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], received: [UInt8]
    ) throws(SignatureRejection) -> VerifiedRequest {
        for (index, key) in keys.enumerated() where HMACSHA256.code(key: key.text, over: body).matches(received) {
            return VerifiedRequest(body: body, headers: headers, keyIndex: index)
        }
        throw SignatureRejection(.mismatch, "The signature is not that of this body under any valid secret.")
    }
}

extension HTTPField.Name {
    /// A header name that is written in the source.
    package init(known text: StaticString) {
        guard let name = HTTPField.Name("\(text)") else {
            preconditionFailure("A scheme's header name may only hold the characters that HTTP allows in one.")
        }
        self = name
    }
}
