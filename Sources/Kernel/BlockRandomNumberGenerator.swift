#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's randomness, fetched for 32 numbers at a time: asked for each by itself, the call costs more than all
/// else that makes an identifier.
package struct BlockRandomNumberGenerator: RandomNumberGenerator, Sendable {
    private static let blockCount = 32

    private var numbers: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
        if numbers.isEmpty { numbers = Self.block() }
        return numbers.removeLast()
    }

    private static func block() -> [UInt64] {
        Array(unsafeUninitializedCapacity: blockCount) { buffer, count in
            if let start = buffer.baseAddress { arc4random_buf(start, UnsafeRawBufferPointer(buffer).count) }
            count = buffer.count
        }
    }
}
