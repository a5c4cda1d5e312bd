/// The lower-case hexadecimal digit of a value below 16.
package func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// The value of one hexadecimal digit in either case; nil for any other byte.
package func hexValue(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Bytes as lower-case hexadecimal text.
package func hexText(_ bytes: some Collection<UInt8>) -> String {
    bytes.withContiguousStorageIfAvailable(hexText) ?? Array(bytes).withUnsafeBufferPointer(hexText)
}

private func hexText(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { out in
        for index in 0..<bytes.count {
            out[index * 2] = hexDigit(bytes[index] >> 4)
            out[index * 2 + 1] = hexDigit(bytes[index] & 15)
        }
        return bytes.count * 2
    }
}

/// Bytes of hexadecimal text in either case; nil when the length is odd or a character is no digit.
package func hexBytes(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
        guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}
