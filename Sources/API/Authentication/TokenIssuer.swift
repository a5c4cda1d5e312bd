import Crypto
import Kernel
import Signing

/// Our own issuer of tokens, for installations without an identity provider: one Ed25519 key in the data directory,
/// made at first start, kept as a private JWK (RFC 8037).
package struct TokenIssuer: Sendable {
    /// The `iss` and `aud` of our tokens.
    package static let name = "tradewind"
    private static let fileName = "issuer.jwk"
    private static let bytesLimit = 4096

    private let key: Curve25519.Signing.PrivateKey
    private let keyID: String

    private init(_ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        let x = Base64.encode(Array(key.publicKey.rawRepresentation), .url)
        // The thumbprint of RFC 7638: members in the order of their names, no white space.
        let canonical = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"\(x)\"}"
        keyID = Base64.encode(Array(SHA256.hash(data: Array(canonical.utf8))), .url)
    }

    /// The issuer whose key lies in a data directory; makes the key, mode 0600, when there is none. The server and
    /// `tradewind token` may both be the first.
    package static func loadOrCreate(directory: String) throws -> TokenIssuer {
        let path = directory.hasSuffix("/") ? directory + fileName : "\(directory)/\(fileName)"
        let fresh = TokenIssuer(Curve25519.Signing.PrivateKey())
        let bytes = try KeyFile.readOrCreate(path, limit: bytesLimit) { fresh.document(withPrivate: true) }
        guard let member = try? JSONValue(parsing: bytes), member["crv"]?.string == "Ed25519",
            let secret = member["d"]?.string.flatMap({ Base64.decode($0, .url) }),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: secret)
        else { throw TokenError("\(path) does not hold the private key that this server made.") }
        return TokenIssuer(key)
    }

    /// The public half, as a key set for the verifier.
    package var source: KeySource {
        var writer = JSONWriter()
        writer.object { writer in
            writer.arrayField("keys") { writer in writer.raw(document(withPrivate: false)) }
        }
        let bytes = writer.bytes
        return KeySource(name: TokenIssuer.fileName) { bytes }
    }

    package var rules: TokenRules { TokenRules(issuer: TokenIssuer.name, audience: TokenIssuer.name) }

    /// A signed token for someone, good for `ttl` from now on.
    package func mint(_ principal: Principal, ttl: Duration, now: Timestamp) throws -> String {
        let header = JSONWriter.object { writer in
            writer.field("alg", TokenAlgorithm.edDSA.rawValue)
            writer.field("kid", keyID)
            writer.field("typ", "JWT")
        }
        let claims = JSONWriter.object { writer in
            writer.field("iss", TokenIssuer.name)
            writer.field("aud", TokenIssuer.name)
            writer.field("sub", principal.user)
            writer.field("tenant_id", principal.tenant)
            writer.field("org_id", principal.organisation)
            writer.field("role", principal.role.rawValue)
            writer.field("iat", now.seconds)
            writer.field("exp", (now + ttl).seconds)
        }
        let signed = "\(Base64.encode(header, .url)).\(Base64.encode(claims, .url))"
        let signature = try key.signature(for: Array(signed.utf8))
        return "\(signed).\(Base64.encode(Array(signature), .url))"
    }

    private func document(withPrivate: Bool) -> [UInt8] {
        JSONWriter.object { writer in
            writer.field("kty", "OKP")
            writer.field("crv", "Ed25519")
            writer.field("x", Base64.encode(Array(key.publicKey.rawRepresentation), .url))
            if withPrivate { writer.field("d", Base64.encode(Array(key.rawRepresentation), .url)) }
            writer.field("kid", keyID)
            writer.field("alg", TokenAlgorithm.edDSA.rawValue)
            writer.field("use", "sig")
        }
    }
}
