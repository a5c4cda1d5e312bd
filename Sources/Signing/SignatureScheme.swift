import HTTPTypes
import Kernel

/// One way to sign a body and to check such a signature. Every scheme has one line in `SignatureCatalog`.
///
/// Keys come as a list, newest first: during a rotation all of them verify. They are made from their secrets once
/// and kept by the caller, because unsealing a secret and preparing its key costs more than checking a signature.
package protocol SignatureScheme: Sendable {
    /// The name that settings and the signature vectors use, such as `unified-inbound`.
    var name: String { get }

    /// Checks the signature over the body as it was received, byte for byte.
    ///
    /// Empty `keys` are answered like wrong ones, so that an absent secret cannot be told from a bad signature.
    func verify(
        body: [UInt8], headers: HTTPFields, keys: [SigningKey], now: Timestamp
    ) throws(SignatureRejection) -> VerifiedRequest

    /// The header fields that a delivery of `content` carries.
    ///
    /// `older` are the keys that are still valid beside `key`: schemes whose header holds a list sign with each.
    func sign(_ content: SignedContent, key: SigningKey, older: [SigningKey]) -> HTTPFields
}

/// What one outgoing delivery signs.
package struct SignedContent: Sendable {
    /// Stays the same over retries and replays; only schemes that sign an id use it.
    package let id: String
    /// When this attempt is made; only schemes that sign a time use it.
    package let time: Timestamp
    package let body: [UInt8]

    package init(id: String, time: Timestamp, body: [UInt8]) {
        self.id = id
        self.time = time
        self.body = body
    }
}

/// A request whose signature was checked. Only schemes make one, so bytes of unknown origin cannot reach a connector.
package struct VerifiedRequest: Sendable {
    package let body: [UInt8]
    package let headers: HTTPFields
    /// Place of the matching key in the list given to `verify`.
    package let keyIndex: Int

    init(body: [UInt8], headers: HTTPFields, keyIndex: Int) {
        self.body = body
        self.headers = headers
        self.keyIndex = keyIndex
    }
}

/// Why a signature was not accepted. For logs and for the tenant's own tools: a stranger is told none of it.
package struct SignatureRejection: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: String, Sendable, CaseIterable {
        case missing
        case malformed
        case mismatch
        case outsideTolerance = "outside_tolerance"
    }

    package let reason: Reason
    /// One plain sentence that names the header or value at fault.
    package let description: String

    init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}

extension HTTPFields {
    /// The one value of a header that a signature needs: absent is `missing`, empty or repeated is `malformed`.
    func signatureValue(_ name: HTTPField.Name) throws(SignatureRejection) -> String {
        let values = self[values: name]
        guard let value = values.first else {
            throw SignatureRejection(.missing, "The header \(name.rawName) is missing.")
        }
        if values.count > 1 { throw SignatureRejection(.malformed, "The header \(name.rawName) is repeated.") }
        if value.isEmpty { throw SignatureRejection(.malformed, "The header \(name.rawName) is empty.") }
        return value
    }
}
