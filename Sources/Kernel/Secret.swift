/// A value that must not reach a log, an error text or an answer by accident: it prints as `***`.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: [UInt8]

    package init(_ bytes: [UInt8]) { value = bytes }
    package init(_ text: String) { value = Array(text.utf8) }

    package var count: Int { value.count }

    /// The secret's bytes. `purpose` says at the call site why they are needed here.
    package func reveal(for purpose: StaticString) -> [UInt8] { value }

    /// The secret as text, with bytes that are not UTF-8 replaced.
    package func revealText(for purpose: StaticString) -> String { String(decoding: value, as: UTF8.self) }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whether two byte strings are equal, in a time that depends only on their lengths.
package func equalInConstantTime(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    let equal = a.withContiguousStorageIfAvailable { a in
        b.withContiguousStorageIfAvailable { b in equalInConstantTime(a, b) }
    }
    return (equal ?? nil)
        ?? Array(a).withUnsafeBufferPointer { a in
            Array(b).withUnsafeBufferPointer { b in equalInConstantTime(a, b) }
        }
}

private func equalInConstantTime(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in 0..<a.count { difference |= a[index] ^ b[index] }
    return difference == 0
}

extension Secret: Equatable {
    package static func == (a: Secret, b: Secret) -> Bool { equalInConstantTime(a.value, b.value) }
}
