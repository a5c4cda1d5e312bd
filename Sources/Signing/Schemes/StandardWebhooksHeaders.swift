import HTTPTypes
import Kernel

/// The three headers of Standard Webhooks 1.0.0, which its symmetric and asymmetric forms share.
///
/// The signature header is a list parted by blanks, each entry `version,signature`. The time is in whole seconds and
/// may be 300 of them off, either way.
package struct StandardWebhooksHeaders {
    package static let id = HTTPField.Name(known: "webhook-id")
    package static let timestamp = HTTPField.Name(known: "webhook-timestamp")
    package static let signature = HTTPField.Name(known: "webhook-signature")
    /// The specification's advice: longer lets a captured request be replayed, shorter trips over clocks.
    package static let toleranceSeconds: Int64 = 300
    /// A rotation has ten; more only cost us hashing, which a stranger could ask for at will.
    private static let signaturesMost = 32

    /// What is signed in front of the body.
    let prefix: [UInt8]
    /// The signatures of the wanted version and length.
    let candidates: [[UInt8]]

    /// Reads what was received, and refuses a time outside the tolerance.
    ///
    /// - Parameter now: nil for whoever judges the time apart.
    init(
        _ headers: HTTPFields, version: StaticString, byteCount: Int, now: Timestamp?
    ) throws(SignatureRejection) {
        let id = try headers.signatureValue(Self.id)
        let timestamp = try headers.signatureValue(Self.timestamp)
        let signatures = try headers.signatureValue(Self.signature)
        candidates = try Self.candidates(in: signatures, version: version.description, byteCount: byteCount)
        // Eighteen digits are within 64 bits whatever they are.
        guard timestamp.utf8.count <= 18, timestamp.utf8.allSatisfy({ (48...57).contains($0) }),
            let seconds = Int64(timestamp)
        else {
            throw SignatureRejection(.malformed, "The header webhook-timestamp is not a number of seconds.")
        }
        if let now, (now.seconds - seconds).magnitude > Self.toleranceSeconds {
            throw SignatureRejection(
                .outsideTolerance,
                "The time of signing is more than \(Self.toleranceSeconds) seconds away from now.")
        }
        prefix = Self.prefix(id, timestamp)
    }

    /// The headers of a delivery whose signatures `sign` makes from what stands in front of the body.
    static func signed(_ content: SignedContent, _ sign: (_ prefix: [UInt8]) -> [String]) -> HTTPFields {
        let timestamp = String(content.time.seconds)
        let list = sign(prefix(content.id, timestamp)).joined(separator: " ")
        return [Self.id: content.id, Self.timestamp: timestamp, Self.signature: list]
    }

    /// The headers of a delivery that every key signs by its own form, shared secrets first; none without keys.
    package static func fields(of content: SignedContent, keys: [SigningKey]) -> [HTTPField] {
        if keys.isEmpty { return [] }
        let timestamp = String(content.time.seconds)
        let prefix = prefix(content.id, timestamp)
        var list = ""
        for isPair in [false, true] {
            for key in keys where key.isPair == isPair {
                if !list.isEmpty { list += " " }
                list +=
                    AsymmetricWebhooks.signature(over: prefix, content.body, key: key)
                    ?? StandardWebhooks.signature(over: prefix, content.body, key: key)
            }
        }
        return [
            HTTPField(name: id, value: content.id), HTTPField(name: Self.timestamp, value: timestamp),
            HTTPField(name: signature, value: list),
        ]
    }

    /// What stands in front of the body when it is signed.
    static func prefix(_ id: String, _ timestamp: String) -> [UInt8] {
        var prefix: [UInt8] = []
        prefix.reserveCapacity(id.utf8.count + timestamp.utf8.count + 2)
        prefix.append(contentsOf: id.utf8)
        prefix.append(UInt8(ascii: "."))
        prefix.append(contentsOf: timestamp.utf8)
        prefix.append(UInt8(ascii: "."))
        return prefix
    }

    /// The signatures of one version; an error when no entry of the list has a form that is known.
    private static func candidates(
        in list: String, version: String, byteCount: Int
    ) throws(SignatureRejection) -> [[UInt8]] {
        let entries = list.split(separator: " ", maxSplits: signaturesMost)
        var wellFormed = false
        var codes: [[UInt8]] = []
        for entry in entries.prefix(signaturesMost) {
            guard let comma = entry.firstIndex(of: ","), comma != entry.startIndex else { continue }
            let value = entry[entry.index(after: comma)...]
            if value.isEmpty { continue }
            guard entry[..<comma] == version else {
                wellFormed = true
                continue
            }
            if let code = Base64.decode(value), code.count == byteCount {
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
