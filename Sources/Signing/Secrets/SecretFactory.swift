import Kernel
import Synchronization

/// Makes secrets, tokens and states that nobody can guess.
package final class SecretFactory: Sendable {
    private struct Generator: Sendable {
        var random: any RandomNumberGenerator & Sendable
    }

    private let generator: Mutex<Generator>

    package init(random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()) {
        generator = Mutex(Generator(random: random))
    }

    /// What a store signs its deliveries to us with: 40 of `A-Za-z0-9`, 238 bits.
    ///
    /// Only plain letters and digits, because WooCommerce decodes HTML entities in a secret before it uses it.
    package func inboundSecret() -> Secret { Secret(plainText(characters: 40)) }

    /// What we sign deliveries with: `whsec_` and the base64 text of 32 bytes, as Standard Webhooks writes it.
    package func outboundSecret() -> Secret { Secret(SigningKey.prefix + Base64.encode(bytes(32))) }

    /// A new key pair for asymmetric signatures.
    package func keyPair() -> Ed25519Pair {
        guard let pair = Ed25519Pair(seed: bytes(32)) else {
            preconditionFailure("Any 32 bytes are the seed of an Ed25519 pair.")
        }
        return pair
    }

    /// Text of `A-Za-z0-9`, about 5.95 bits a character.
    package func plainText(characters count: Int) -> String {
        generator.withLock { generator in
            var text = ""
            for _ in 0..<count {
                let index = generator.random.next(upperBound: UInt64(Self.plain.count))
                text.unicodeScalars.append(Unicode.Scalar(Self.plain[Int(index)]))
            }
            return text
        }
    }

    package func bytes(_ count: Int) -> [UInt8] {
        generator.withLock { generator in
            (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.random.next()) }
        }
    }

    private static let plain = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
}
