import Crypto
import Kernel

/// Seals secrets for their columns: AES-256-GCM under the master key, bound to the place they are kept in.
///
/// Sealed form: version (1 byte), id of the master key (4), nonce (12), ciphertext, tag (16).
package struct SecretBox: Sendable {
    private static let version: UInt8 = 1
    private static let nonceCount = 12
    private static let tagCount = 16
    private static let headerCount = 1 + MasterKey.idCount

    private let current: MasterKey
    private let retired: [MasterKey]

    /// `retired` master keys still open what they sealed; nothing new is sealed under them.
    package init(_ current: MasterKey, retired: [MasterKey] = []) {
        self.current = current
        self.retired = retired
    }

    /// Seals a secret for one place, named by `context`, such as `inbound_secret:<connection id>`.
    ///
    /// The nonce always comes from the system: a repeated one would give the key stream away, so none can be injected.
    package func seal(_ secret: Secret, context: String) throws(SecretBoxError) -> [UInt8] {
        let header = [Self.version] + current.id
        do {
            let sealed = try AES.GCM.seal(
                secret.reveal(for: "sealing"), using: current.symmetric,
                authenticating: Self.authenticated(header, context))
            var bytes = header
            bytes.reserveCapacity(header.count + Self.nonceCount + secret.count + Self.tagCount)
            bytes.append(contentsOf: sealed.nonce)
            bytes.append(contentsOf: sealed.ciphertext)
            bytes.append(contentsOf: sealed.tag)
            return bytes
        } catch {
            throw .cipher("\(error)")
        }
    }

    /// Opens what `seal` made with the same context; every other byte or context is refused.
    package func open(_ sealed: [UInt8], context: String) throws(SecretBoxError) -> Secret {
        guard sealed.count >= Self.headerCount + Self.nonceCount + Self.tagCount, sealed.first == Self.version else {
            throw .notSealed
        }
        let header = Array(sealed[..<Self.headerCount])
        let keyID = Array(header.dropFirst())
        guard let key = ([current] + retired).first(where: { $0.id == keyID }) else {
            throw .unknownKey(hexText(keyID))
        }
        let nonceEnd = Self.headerCount + Self.nonceCount
        let tagStart = sealed.count - Self.tagCount
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: sealed[Self.headerCount..<nonceEnd]),
                ciphertext: sealed[nonceEnd..<tagStart], tag: sealed[tagStart...])
            let opened = try AES.GCM.open(
                box, using: key.symmetric, authenticating: Self.authenticated(header, context))
            return Secret([UInt8](opened))
        } catch {
            throw .altered
        }
    }

    /// The master key under which `sealed` has to be opened; nil when these bytes are no sealed secret.
    package static func keyID(of sealed: [UInt8]) -> String? {
        guard sealed.count >= headerCount + nonceCount + tagCount, sealed.first == version else { return nil }
        return hexText(Array(sealed[1..<headerCount]))
    }

    private static func authenticated(_ header: [UInt8], _ context: String) -> [UInt8] {
        header + Array(context.utf8)
    }
}

/// Why a sealed secret can't be read; none of these texts holds any part of it.
package enum SecretBoxError: Error, Equatable, CustomStringConvertible {
    case notSealed
    case unknownKey(String)
    case altered
    case cipher(String)

    package var description: String {
        switch self {
        case .notSealed: "The stored bytes are not a sealed secret."
        case .unknownKey(let id): "The secret is sealed under master key \(id), which is not the one in use."
        case .altered: "The sealed secret was altered, or belongs to another place."
        case .cipher(let reason): "The secret could not be sealed: \(reason)"
        }
    }
}
