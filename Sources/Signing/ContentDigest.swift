import Crypto

/// SHA-256 for deduplication keys, entity tags and the stored form of API keys.
package enum ContentDigest {
    /// The 32 bytes of the plain digest.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var hasher = SHA256()
        bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hasher.finalize().withUnsafeBytes { [UInt8]($0) }
    }

    /// One digest of several parts, each behind its length: `["ab", "c"]` and `["a", "bc"]` differ.
    package static func sha256(parts: [[UInt8]]) -> [UInt8] {
        var hasher = SHA256()
        for part in parts {
            withUnsafeBytes(of: UInt64(part.count).bigEndian) { hasher.update(bufferPointer: $0) }
            part.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        }
        return hasher.finalize().withUnsafeBytes { [UInt8]($0) }
    }
}
