import Kernel

/// How a secret is to be replaced: for how long the old ones go on signing, and what the new one is.
package struct SecretRotation: Sendable {
    package let overlapHours: Int64
    package let secret: SecretRequest?

    /// Secrets of one subscription that sign at the same time.
    package static let secretsMost = 10
    /// A week: whoever needs longer needs another subscription.
    private static let overlapMost: Int64 = 168

    package init(_ fields: FieldReader) {
        overlapHours = fields.integer("overlap_hours", in: 0...Self.overlapMost) ?? 24
        let isNamed = fields.isPresent("secret") || fields.isPresent("signature")
        let wanted = SecretRequest(fields)
        secret = isNamed ? wanted : nil
    }

    var overlap: Duration { .seconds(overlapHours * 3600) }
}

/// What a rotation came to. The secret is in this answer and in no later one.
package struct RotatedSecret: Sendable {
    package let subscription: Subscription
    package let secret: Secret
    /// When the last of the older secrets stops signing; nil when none goes on.
    package let previousUntil: Timestamp?
}

/// The public half of a live key pair.
package struct PublishedKey: Sendable {
    /// `whpk_` and the base64 text of 32 bytes.
    package let publicKey: String
    package let createdAt: Timestamp
    /// When it stops signing; nil for the newest.
    package let expiresAt: Timestamp?
}
