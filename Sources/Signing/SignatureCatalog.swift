/// The list of signature schemes. A new one is a file (or a line, when only header names differ) and an entry here.
///
/// A test fails for an entry without vectors.
package enum SignatureCatalog {
    /// Unified.to's and our own inbound form (contracts, section 3).
    package static let unifiedInbound = HexHMACHeader(name: "unified-inbound", header: "X-Unified-Signature")
    /// Outbound, profile `synq` (contracts, section 7).
    package static let synq = HexHMACHeader(name: "synq", header: "Synq-Signature")
    /// Outbound, profile `synthesq` (seed 003).
    package static let synthesq = HexHMACHeader(name: "synthesq", header: "X-Webhook-Signature")
    /// Outbound, profile `synctec` (seed 004).
    package static let synctec = HexHMACHeader(name: "synctec", header: "X-StoreLink-Signature")
    /// https://woocommerce.com/document/webhooks/
    package static let woocommerce = Base64HMACHeader(name: "woocommerce", header: "X-WC-Webhook-Signature")
    /// https://www.standardwebhooks.com, symmetric signatures; carried by deliveries of every profile.
    package static let standardV1 = StandardWebhooks()
    /// https://www.standardwebhooks.com, Ed25519 signatures; carried when the subscription asks for them.
    package static let standardV1a = AsymmetricWebhooks()

    package static let all: [any SignatureScheme] = [
        unifiedInbound, synq, synthesq, synctec, woocommerce, standardV1, standardV1a,
    ]

    /// The scheme of that name; nil for a name that is in no catalogue line.
    package static func scheme(named name: String) -> (any SignatureScheme)? {
        all.first { $0.name == name }
    }
}
