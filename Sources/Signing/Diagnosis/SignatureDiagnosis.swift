import HTTPTypes
import Kernel

/// Whether a delivery's signatures are right, and what is wrong with them where they are not. Pure.
///
/// For the tenant's own tools: a receiver says yes or no, and a stranger is told none of this.
package struct SignatureDiagnosis: Sendable {
    /// What is to be said of one signature header.
    package struct Finding: Hashable, Sendable {
        package let header: String
        /// Nil where the signature is right.
        package let fault: String?
    }

    package private(set) var findings: [Finding] = []
    /// What is worth knowing and not wrong by itself.
    package private(set) var notes: [String] = []

    /// Whether there is a signature, and no header holds a wrong one.
    package var isGenuine: Bool { !findings.isEmpty && findings.allSatisfy { $0.fault == nil } }

    /// - Parameter secret: a shared secret, a public key `whpk_…`, or a pair `whsk_…`.
    package init(
        body: [UInt8], headers: HTTPFields, secret: Secret, now: Timestamp,
        toleranceSeconds: Int64 = StandardWebhooksHeaders.toleranceSeconds
    ) {
        let verifier: SignatureVerifier
        switch SignatureVerifier.reading(secret) {
        case .success(let found): verifier = found
        case .failure(let fault):
            findings = [Finding(header: "secret", fault: fault.description)]
            return
        }
        diagnoseOwnHeaders(body, headers, verifier)
        let bodyIsRight = isGenuine
        if [StandardWebhooksHeaders.id, StandardWebhooksHeaders.timestamp, StandardWebhooksHeaders.signature]
            .contains(where: { headers[$0] != nil })
        {
            let standard = StandardDiagnosis(
                body: body, headers: headers, verifier: verifier, now: now, toleranceSeconds: toleranceSeconds,
                bodyIsRight: bodyIsRight)
            findings.append(Finding(header: "webhook-signature", fault: standard.fault))
        }
        if findings.isEmpty { diagnoseNothing(headers, verifier) }
    }

    /// Headers that sign the body alone, with a shared secret.
    private mutating func diagnoseOwnHeaders(_ body: [UInt8], _ headers: HTTPFields, _ verifier: SignatureVerifier) {
        for form in BodySignatureForm.all where headers[form.name] != nil {
            guard let secret = verifier.shared else {
                notes.append(
                    "\(form.name.rawName) is made with a shared secret and can't be checked with a public key.")
                continue
            }
            let fault: String?
            do throws(SignatureRejection) {
                fault = form.fault(in: try headers.signatureValue(form.name), of: body, secret: secret)
            } catch {
                fault = error.description
            }
            findings.append(Finding(header: form.name.rawName, fault: fault))
        }
    }

    private mutating func diagnoseNothing(_ headers: HTTPFields, _ verifier: SignatureVerifier) {
        let foreign = ForeignHeaders.all.first { name, _ in HTTPField.Name(name).map { headers[$0] != nil } ?? false }
        if let (name, owner) = foreign {
            findings.append(
                Finding(header: name, fault: "This is \(owner)'s header; this hub does not sign deliveries with it."))
            return
        }
        let own = verifier.shared == nil ? "" : ", or a profile's own header such as Synq-Signature"
        findings.append(
            Finding(
                header: "headers",
                fault: "No signature is among them: give webhook-id, webhook-timestamp and webhook-signature\(own)."))
    }
}

/// Signature headers of others, so that a mix-up is named.
private enum ForeignHeaders {
    static let all: KeyValuePairs<String, String> = [
        "svix-signature": "Svix", "X-Hub-Signature-256": "GitHub", "X-Hub-Signature": "GitHub",
        "Stripe-Signature": "Stripe", "X-Shopify-Hmac-SHA256": "Shopify", "X-Slack-Signature": "Slack",
    ]
}

/// What a signature is checked with.
struct SignatureVerifier {
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// The secret's own text; nil where only a public key is known.
    let shared: [UInt8]?
    let publicKey: Ed25519PublicKey?

    static func reading(_ secret: Secret) -> Result<SignatureVerifier, Fault> {
        let bytes = secret.reveal(for: "examining a signature")
        let text = String(decoding: SignatureMistakes.trimmed(bytes), as: UTF8.self)
        if text.isEmpty { return .failure(Fault(description: "It is empty.")) }
        if text.hasPrefix(Ed25519PublicKey.prefix) {
            guard let key = Ed25519PublicKey(text) else {
                return .failure(Fault(description: "It is no public key: whpk_ and the base64 text of 32 bytes."))
            }
            return .success(SignatureVerifier(shared: nil, publicKey: key))
        }
        if text.hasPrefix(Ed25519Pair.privatePrefix) {
            guard let pair = Ed25519Pair(Secret(text)) else {
                return .failure(Fault(description: "It is no key pair: whsk_ and the base64 text of an Ed25519 key."))
            }
            return .success(SignatureVerifier(shared: nil, publicKey: pair.publicKey))
        }
        return .success(SignatureVerifier(shared: bytes, publicKey: nil))
    }
}
