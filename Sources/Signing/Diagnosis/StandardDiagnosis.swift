import HTTPTypes
import Kernel

/// What is wrong with the `webhook-*` headers of a delivery.
struct StandardDiagnosis {
    private let body: [UInt8]
    private let headers: HTTPFields
    private let verifier: SignatureVerifier
    private let bodyIsRight: Bool
    /// Nil where nothing is wrong.
    private(set) var fault: String?

    init(
        body: [UInt8], headers: HTTPFields, verifier: SignatureVerifier, now: Timestamp, toleranceSeconds: Int64,
        bodyIsRight: Bool
    ) {
        self.body = body
        self.headers = headers
        self.verifier = verifier
        self.bodyIsRight = bodyIsRight
        do throws(SignatureRejection) {
            let id = try headers.signatureValue(StandardWebhooksHeaders.id)
            let timestamp = try headers.signatureValue(StandardWebhooksHeaders.timestamp)
            let list = try headers.signatureValue(StandardWebhooksHeaders.signature)
            fault =
                timeForm(timestamp) ?? formFault(list) ?? mismatch(id, timestamp, list)
                ?? staleness(timestamp, now, toleranceSeconds)
        } catch {
            fault = error.description + " The signature is over id, time and body, so all three headers are needed."
        }
    }

    private func timeForm(_ timestamp: String) -> String? {
        guard let number = Int64(timestamp), number >= 0 else {
            return "The header webhook-timestamp has to be whole seconds since 1970, not \"\(timestamp.prefix(40))\"."
        }
        // Seconds reach that number in the year 5138.
        return number < 100_000_000_000
            ? nil : "The header webhook-timestamp is in milliseconds; it has to be in seconds."
    }

    /// Whether the list holds an entry that this key could have made.
    private func formFault(_ list: String) -> String? {
        let entries = entries(list)
        let wanted = verifier.publicKey == nil ? "v1" : "v1a"
        if entries.contains(where: { $0.version == wanted && Base64.decode($0.value) != nil }) { return nil }
        if entries.contains(where: { $0.version == wanted }) {
            return "Its \(wanted) entry is not plain padded base64 (hexadecimal, or the form for URLs?)."
        }
        if wanted == "v1a", entries.contains(where: { $0.version == "v1" }) {
            return "There is no v1a entry, only v1: that is checked with the shared secret (whsec_…), not a public key."
        }
        if wanted == "v1", entries.contains(where: { $0.version == "v1a" }) {
            return "There is no v1 entry, only v1a: that is checked with the public key (whpk_…), not a shared secret."
        }
        return "There is no \(wanted) entry: it has to be a list, parted by blanks, of \(wanted),BASE64."
    }

    private func entries(_ list: String) -> [(version: String, value: String)] {
        list.split(separator: " ").compactMap { entry in
            let parts = entry.split(separator: ",", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
    }

    private func mismatch(_ id: String, _ timestamp: String, _ list: String) -> String? {
        if let key = verifier.publicKey { return mismatch(key) }
        guard let secret = verifier.shared else { return BodySignatureForm.noneFits }
        let prefix = StandardWebhooksHeaders.prefix(id, timestamp)
        let codes = entries(list).filter { $0.version == "v1" }.compactMap { Base64.decode($0.value) }
        func isReceived(_ code: HMACSHA256.Code) -> Bool { codes.contains { code.matches($0) } }
        let (bodies, keys) = (SignatureMistakes.bodies(body), SignatureMistakes.decodedKeys(secret))
        if let found = SignatureMistakes.explanation(bodies: bodies, keys: keys, prefix: prefix, matches: isReceived) {
            return found.isEmpty ? nil : found.joined(separator: " ")
        }
        if SignatureMistakes.explanation(bodies: bodies, keys: keys, matches: isReceived) != nil {
            return "It is over the body alone; it has to be over webhook-id, a dot, webhook-timestamp, a dot, the body."
        }
        if bodyIsRight {
            return "Body and secret are right, as the profile's own header shows: webhook-id or webhook-timestamp is "
                + "not the one that was signed."
        }
        return BodySignatureForm.noneFits
    }

    private func mismatch(_ key: Ed25519PublicKey) -> String? {
        let received: StandardWebhooksHeaders
        do throws(SignatureRejection) {
            received = try StandardWebhooksHeaders(
                headers, version: "v1a", byteCount: Ed25519Pair.signatureCount, now: nil)
        } catch {
            return error.description
        }
        let signed = SignatureMistakes.bodies(body).first { variant in
            received.candidates.contains { key.isSignature($0, of: received.prefix + variant.bytes) }
        }
        guard let signed else { return BodySignatureForm.noneFits }
        return signed.told
    }

    private func staleness(_ timestamp: String, _ now: Timestamp, _ toleranceSeconds: Int64) -> String? {
        let age = now.seconds - (Int64(timestamp) ?? 0)
        guard age.magnitude > toleranceSeconds.magnitude else { return nil }
        let place = age > 0 ? "\(age) seconds ago" : "\(-age) seconds in the future"
        return
            "The signature is right, but it was made \(place), and \(toleranceSeconds) seconds are tolerated: an old "
            + "delivery sent again by a stranger looks like this, and so does a wrong clock."
    }
}
