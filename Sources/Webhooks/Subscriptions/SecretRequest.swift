import Kernel
import Signing

/// Which secret a caller wants deliveries to be signed with: one of its own, or a new one of a kind.
package struct SecretRequest: Sendable {
    package let signature: Subscription.Signature
    /// Nil for a secret that is made here.
    package let given: Secret?

    /// Shortest secret of any form that a caller may bring; guessing 16 characters is out of reach.
    package static let charactersLeast = 16
    /// Bytes behind `whsec_` (Standard Webhooks 1.0.0).
    private static let bytesOfStandard = 24...64

    package init(_ fields: FieldReader) {
        let wanted: Subscription.Signature? = fields.choice("signature")
        let text = fields.string("secret", upTo: 512)
        given = text.map { Secret($0) }
        guard let text else {
            signature = wanted ?? .hmac
            return
        }
        let isPair = text.hasPrefix(Ed25519Pair.privatePrefix)
        signature = isPair ? .ed25519 : .hmac
        if let wanted, wanted != signature {
            fields.fault("secret", "is not one for signature \(wanted.rawValue)")
        } else if let fault = Self.fault(of: text, isPair: isPair) {
            fields.fault("secret", fault)
        }
    }

    /// A secret of that kind, made here.
    init(new signature: Subscription.Signature) {
        self.signature = signature
        given = nil
    }

    private static func fault(of text: String, isPair: Bool) -> String? {
        if isPair {
            return Ed25519Pair(Secret(text)) == nil
                ? "must be whsk_ and the base64 text of an Ed25519 key: its 64 bytes, or the 32 of its seed" : nil
        }
        if text.hasPrefix(SigningKey.prefix) {
            let bytes = Base64.decode(text.dropFirst(SigningKey.prefix.count))
            return bytes.map { bytesOfStandard.contains($0.count) } == true
                ? nil : "must be whsec_ and the base64 text of 24 to 64 bytes"
        }
        return text.unicodeScalars.count < charactersLeast ? "must have at least \(charactersLeast) characters" : nil
    }

    /// The secret itself.
    func secret(_ factory: SecretFactory) -> Secret {
        if let given { return given }
        switch signature {
        case .hmac: return factory.outboundSecret()
        case .ed25519: return factory.keyPair().secret
        }
    }
}
