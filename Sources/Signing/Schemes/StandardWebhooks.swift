import HTTPTypes
import Kernel

/// Standard Webhooks 1.0.0, symmetric form: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`.
///
/// The signature header is a list parted by blanks: each valid key signs, any match accepts, and versions that are
/// unknown here are passed over. The time is in whole seconds and may be 300 of them off, either way.
package struct StandardWebhooks: SignatureScheme {
    package static let idHeader = HTTPField.Name(known: "webhook-id")
    package static let timestampHeader = HTTPField.Name(known: "webhook-timestamp")
    package static let signatureHeader = HTTPField.Name(known: "webhook-signature")
    /// The specification's advice: longer lets a captured request be replayed, shorter trips over clocks.
    package static let toleranceSeconds: Int64 = 300
    /// A rotation has two; more only cost us hashing, which a stranger could ask for at will.
    private static let signaturesMost = 32

    package let name = "standard-v1"

    package func verify(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], now: Timestamp
    ) throws(SignatureRejection) -> VerifiedRequest {
        let id = try headers.signatureValue(Self.idHeader)
        let timestamp = try headers.signatureValue(Self.timestampHeader)
        let signatures = try headers.signatureValue(Self.signatureHeader)
        let received = try Self.candidates(in: signatures)
        // Eighteen digits are within 64 bits whatever they are.
        guard timestamp.utf8.count <= 18, timestamp.utf8.allSatisfy({ (48...57).contains($0) }),
            let seconds = Int64(timestamp)
        else {
            throw SignatureRejection(.malformed, "The header webhook-timestamp is not a number of seconds.")
        }
        let window = now.seconds - Self.toleranceSeconds...now.seconds + Self.toleranceSeconds
        guard window.contains(seconds) else {
            throw SignatureRejection(.outsideTolerance, "The time of signing is more than 300 seconds away from now.")
        }
        for (index, key) in keys.enumerated() {
            let code = HMACSHA256.code(key: key.decoded, over: Self.prefix(id, timestamp), body)
            if received.contains(where: { code.matches($0) }) {
                return VerifiedRequest(body: body, headers: headers, keyIndex: index)
            }
        }
        throw SignatureRejection(.mismatch, "No signature is that of this delivery under any valid secret.")
    }

    package func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields {
        let timestamp = String(content.time.seconds)
        let prefix = Self.prefix(content.id, timestamp)
        func signature(_ key: SigningKey) -> String {
            "v1," + Base64.encode(HMACSHA256.code(key: key.decoded, over: prefix, content.body).bytes)
        }
        var list = signature(key)
        for key in older { list += " " + signature(key) }
        return [Self.idHeader: content.id, Self.timestampHeader: timestamp, Self.signatureHeader: list]
    }

    /// What is signed in front of the body.
    private static func prefix(_ id: String, _ timestamp: String) -> [UInt8] {
        var prefix: [UInt8] = []
        prefix.reserveCapacity(id.utf8.count + timestamp.utf8.count + 2)
        prefix.append(contentsOf: id.utf8)
        prefix.append(UInt8(ascii: "."))
        prefix.append(contentsOf: timestamp.utf8)
        prefix.append(UInt8(ascii: "."))
        return prefix
    }

    /// The `v1` signatures of a list; an error when no entry of it has the form `version,signature` at all.
    private static func candidates(in list: String) throws(SignatureRejection) -> [[UInt8]] {
        let entries = list.split(separator: " ", maxSplits: signaturesMost)
        var wellFormed = false
        var codes: [[UInt8]] = []
        for entry in entries.prefix(signaturesMost) {
            guard let comma = entry.firstIndex(of: ","), comma != entry.startIndex else { continue }
            let value = entry[entry.index(after: comma)...]
            if value.isEmpty { continue }
            guard entry[..<comma] == "v1" else {
                wellFormed = true
                continue
            }
            if let code = Base64.decode(value), code.count == HMACSHA256.byteCount {
                wellFormed = true
                codes.append(code)
            }
        }
        guard wellFormed else {
            throw SignatureRejection(.malformed, "The header webhook-signature holds no signature of a known form.")
        }
        return codes
    }
}
