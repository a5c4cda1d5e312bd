import Crypto

/// HMAC-SHA256 (RFC 2104) over bytes as they lie, without a copy of the body.
package enum HMACSHA256 {
    package static let byteCount = 32

    /// A key with its first block already hashed: signing again with it starts from there.
    package struct Key: Sendable {
        fileprivate let primed: HMAC<SHA256>

        package init(_ bytes: [UInt8]) {
            primed = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        }
    }

    /// A computed code, to be written out or to be compared with a received one.
    package struct Code: Sendable {
        private let code: HMAC<SHA256>.MAC

        fileprivate init(_ code: HMAC<SHA256>.MAC) { self.code = code }

        package var bytes: [UInt8] { code.withUnsafeBytes { [UInt8]($0) } }

        package func withUnsafeBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T { code.withUnsafeBytes(body) }

        /// Compares in a time that does not depend on where the two differ.
        package func matches(_ received: [UInt8]) -> Bool {
            code.withUnsafeBytes { own in
                received.withUnsafeBytes { other in
                    guard own.count == other.count else { return false }
                    var difference: UInt8 = 0
                    for index in 0..<own.count { difference |= own[index] ^ other[index] }
                    return difference == 0
                }
            }
        }
    }

    /// The code of the parts' bytes, one behind the other.
    package static func code(key: Key, over parts: [UInt8]...) -> Code {
        var hmac = key.primed
        for part in parts { part.withUnsafeBytes { hmac.update(data: $0) } }
        return Code(hmac.finalize())
    }
}
