import Crypto

/// The SHA-256 of a bearer's text: what caches and limits know a token or key by, so that none keeps the text itself.
package struct CredentialKey: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    package init(hashing text: some StringProtocol) {
        let digest = text.utf8.withContiguousStorageIfAvailable { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        self.init(digest ?? SHA256.hash(data: Array(text.utf8)))
    }

    /// Reads what `bytes` wrote; nil when it is not 32 bytes.
    init?(stored bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        words = bytes.withUnsafeBytes(CredentialKey.words)
    }

    private init(_ digest: SHA256Digest) {
        words = digest.withUnsafeBytes(CredentialKey.words)
    }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        func word(_ index: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        return (word(0), word(1), word(2), word(3))
    }

    /// The 32 bytes as they are stored.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    package static func == (a: CredentialKey, b: CredentialKey) -> Bool { a.words == b.words }

    /// One word is enough: a digest is evenly spread, and nobody can choose it.
    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
