import Crypto
import JWTKit
import Kernel
import Signing

/// A public key that can do one thing: check signatures of its own algorithm. The algorithm belongs to the key, never
/// to the token, which is what makes "use this RSA key as an HMAC secret" unsayable.
struct VerificationKey: Sendable {
    private enum Kind: Sendable {
        case rs256(any JWTAlgorithm)
        case es256(P256.Signing.PublicKey)
        case edDSA(Curve25519.Signing.PublicKey)
    }

    private let kind: Kind

    var algorithm: TokenAlgorithm {
        switch kind {
        case .rs256: .rs256
        case .es256: .es256
        case .edDSA: .edDSA
        }
    }

    init(_ key: Curve25519.Signing.PublicKey) { kind = .edDSA(key) }

    /// A member of a key set (RFC 7517); nil for keys that are not for signatures or of a kind that is not taken.
    init?(_ member: JSONObject) async {
        if let use = member["use"], use.string != "sig" { return nil }
        if let operations = member["key_ops"]?.array, !operations.contains(.string("verify")) { return nil }
        guard let kind = await VerificationKey.kind(of: member) else { return nil }
        self.kind = kind
        if let stated = member["alg"], stated.string != algorithm.rawValue { return nil }
    }

    private static func kind(of member: JSONObject) async -> Kind? {
        switch (member["kty"]?.string, member["crv"]?.string) {
        case ("OKP", "Ed25519"):
            guard let x = coordinate(member["x"]) else { return nil }
            return (try? Curve25519.Signing.PublicKey(rawRepresentation: x)).map { .edDSA($0) }
        case ("EC", "P-256"):
            guard let x = coordinate(member["x"]), let y = coordinate(member["y"]) else { return nil }
            return (try? P256.Signing.PublicKey(rawRepresentation: x + y)).map { .es256($0) }
        case ("RSA", _):
            guard let modulus = member["n"]?.string, let exponent = member["e"]?.string else { return nil }
            // JWTKit refuses moduli below 2048 bits.
            guard let key = try? Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent) else { return nil }
            let collection = await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256)
            return (try? await collection.getKey()).map { .rs256($0) }
        default: return nil
        }
    }

    private static func coordinate(_ value: JSONValue?) -> [UInt8]? {
        guard let text = value?.string, let bytes = Base64.decode(text, .url), bytes.count == 32 else {
            return nil
        }
        return bytes
    }

    func verifies(_ token: JSONWebToken) -> Bool {
        guard token.algorithm == algorithm else { return false }
        switch kind {
        case .rs256(let key):
            // A signature that cannot even be read is one that does not hold.
            return (try? key.verify(token.signature, signs: token.signed)) ?? false
        case .es256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: token.signature) else {
                return false
            }
            return key.isValidSignature(signature, for: token.signed)
        case .edDSA(let key): return key.isValidSignature(token.signature, for: token.signed)
        }
    }
}

/// The keys of one issuer by their ids.
struct KeySet: Sendable {
    private let byID: [String: [VerificationKey]]
    private let withoutID: [VerificationKey]

    /// An issuer rolls two or three keys; a set with thousands is a mistake or an attack.
    static let keysLimit = 64

    /// One key of our own.
    init(_ key: Curve25519.Signing.PublicKey, id: String) {
        byID = [id: [VerificationKey(key)]]
        withoutID = []
    }

    /// Reads a JWKS document. Keys that are not for us are passed over; a document without any usable key is an
    /// error.
    init(parsing bytes: [UInt8]) async throws {
        guard let members = try JSONValue(parsing: bytes)["keys"]?.array else {
            throw TokenError("The key set has no array \"keys\".")
        }
        var byID: [String: [VerificationKey]] = [:]
        var withoutID: [VerificationKey] = []
        for case .object(let member) in members.prefix(KeySet.keysLimit) {
            guard let key = await VerificationKey(member) else { continue }
            if let id = member["kid"]?.string { byID[id, default: []].append(key) } else { withoutID.append(key) }
        }
        guard !byID.isEmpty || !withoutID.isEmpty else {
            throw TokenError("The key set holds no key for RS256, ES256 or EdDSA.")
        }
        self.byID = byID
        self.withoutID = withoutID
    }

    /// The keys that may have signed a token: by its `kid` when it names one, else any of its algorithm.
    func keys(for token: JSONWebToken) -> [VerificationKey] {
        guard let id = token.keyID else {
            return (withoutID + byID.values.joined()).filter { $0.algorithm == token.algorithm }
        }
        return byID[id] ?? withoutID.filter { $0.algorithm == token.algorithm }
    }
}
