import Kernel
import Signing

/// Why a token is refused; the description may be shown to its holder.
package struct TokenError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// The algorithms that tokens may be signed with. `none` and the HMAC family are not merely refused: they have no
/// name here.
enum TokenAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}

/// A JWT in compact form (RFC 7519), taken apart and not yet believed.
struct JSONWebToken: Sendable {
    let algorithm: TokenAlgorithm
    let keyID: String?
    let claims: JSONObject
    /// What the signature is over: header and claims as they stand in the token.
    let signed: [UInt8]
    let signature: [UInt8]

    /// Tokens of real issuers have one to three kilobytes.
    static let bytesLimit = 8 << 10

    init(_ text: some StringProtocol) throws(TokenError) {
        let utf8 = Array(text.utf8)
        guard utf8.count <= JSONWebToken.bytesLimit else { throw TokenError("The token is too long.") }
        let parts = utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let signature = JSONWebToken.bytes(parts[2]), !signature.isEmpty else {
            throw TokenError("The bearer is neither a signed JWT nor an API key.")
        }
        let header = try JSONWebToken.object(parts[0])
        guard let algorithm = header["alg"]?.string.flatMap(TokenAlgorithm.init(rawValue:)) else {
            throw TokenError("The token's algorithm is none of RS256, ES256 and EdDSA.")
        }
        // RFC 7515, 4.1.11: an extension that must be understood and is not, makes the token invalid.
        guard header["crit"] == nil else { throw TokenError("The token asks for an extension that is not known.") }
        self.algorithm = algorithm
        keyID = header["kid"]?.string
        claims = try JSONWebToken.object(parts[1])
        signed = Array(utf8[..<(parts[2].startIndex - 1)])
        self.signature = signature
    }

    private static func object(_ part: ArraySlice<UInt8>) throws(TokenError) -> JSONObject {
        guard let bytes = bytes(part) else { throw TokenError("The token is not base64url.") }
        // What exactly is wrong with the JSON helps nobody who cannot make such a token in the first place.
        guard let object = (try? JSONValue(parsing: bytes))?.object else {
            throw TokenError("The token's content is not a JSON object.")
        }
        return object
    }

    private static func bytes(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        Base64.decode(String(decoding: part, as: UTF8.self), .url)
    }
}
