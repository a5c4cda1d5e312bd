/// Base64 of RFC 4648, read strictly: right padding, no white space, no bits left over, no second spelling.
package enum Base64 {
    package enum Alphabet: Sendable {
        /// `+` and `/`, padded with `=`.
        case standard
        /// `-` and `_`, without padding: safe in URLs, file names and form fields.
        case url
    }

    package static func encode(_ bytes: [UInt8], _ alphabet: Alphabet = .standard) -> String {
        let digits = alphabet == .standard ? standardDigits : urlDigits
        let padded = (bytes.count + 2) / 3 * 4
        return String(unsafeUninitializedCapacity: padded) { out in
            var at = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let left = bytes.count - start
                let second = left > 1 ? bytes[start + 1] : 0
                let third = left > 2 ? bytes[start + 2] : 0
                out[at] = digits[Int(bytes[start] >> 2)]
                out[at + 1] = digits[Int((bytes[start] & 3) << 4 | second >> 4)]
                out[at + 2] = left > 1 ? digits[Int((second & 15) << 2 | third >> 6)] : padding
                out[at + 3] = left > 2 ? digits[Int(third & 63)] : padding
                at += 4
            }
            guard alphabet == .url else { return at }
            return (bytes.count * 4 + 2) / 3
        }
    }

    /// The bytes that `text` stands for; nil for a text that `encode` would not have written.
    package static func decode(_ text: some StringProtocol, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        decode(bytes: Array(text.utf8)[...], alphabet)
    }

    static func decode(bytes text: ArraySlice<UInt8>, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var digits = text
        if alphabet == .standard {
            guard digits.count.isMultiple(of: 4) else { return nil }
            for _ in 0..<2 where digits.last == padding { digits.removeLast() }
        }
        let rest = digits.count % 4
        if rest == 1 { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let value = value(of: digit, alphabet) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // Bits left over would give one value many spellings.
        if bits & (1 << UInt32(count) - 1) != 0 { return nil }
        return bytes
    }

    private static func value(of digit: UInt8, _ alphabet: Alphabet) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+") where alphabet == .standard, UInt8(ascii: "-") where alphabet == .url: 62
        case UInt8(ascii: "/") where alphabet == .standard, UInt8(ascii: "_") where alphabet == .url: 63
        default: nil
        }
    }

    private static let padding = UInt8(ascii: "=")
    private static let standardDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlDigits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
}
