extension JSONReader {
    /// Takes a text and decodes its escapes.
    ///
    /// NUL and lone surrogates become U+FFFD: no storage engine or receiver can hold them, and the raw bytes are kept.
    mutating func string() throws(JSONSyntaxError) -> String {
        let (range, hasEscape) = try stringRange()
        let raw = UnsafeBufferPointer(rebasing: bytes[range])
        guard hasEscape else { return String(decoding: raw, as: UTF8.self) }
        var out: [UInt8] = []
        out.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                index += 1
                continue
            }
            index += 1
            switch raw[index] {
            case UInt8(ascii: "n"): out.append(0x0A)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "r"): out.append(0x0D)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0C)
            case UInt8(ascii: "u"):
                let scalar = unicodeEscape(raw, &index)
                out.append(contentsOf: Array(String(scalar).utf8))
            default: out.append(raw[index])
            }
            index += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Reads `uXXXX` and, when it opens a surrogate pair, its second half. Leaves `index` on the last digit.
    private func unicodeEscape(_ raw: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let first = hex4(raw, index + 1) ?? 0
        index += 4
        if (0xD800...0xDBFF).contains(first), index + 6 < raw.count, raw[index + 1] == UInt8(ascii: "\\"),
            raw[index + 2] == UInt8(ascii: "u"), let second = hex4(raw, index + 3), (0xDC00...0xDFFF).contains(second)
        {
            index += 6
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? replacement
        }
        return first == 0 ? replacement : Unicode.Scalar(first) ?? replacement
    }

    private func hex4(_ raw: UnsafeBufferPointer<UInt8>, _ start: Int) -> UInt32? {
        guard start + 4 <= raw.count else { return nil }
        var value: UInt32 = 0
        for index in start..<start + 4 {
            guard let digit = hexValue(raw[index]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// Checks a text and steps over it: the bytes between its quotes and whether they hold an escape.
    mutating func stringRange() throws(JSONSyntaxError) -> (Range<Int>, hasEscape: Bool) {
        at += 1
        let start = at
        var hasEscape = false
        while true {
            // Nearly all bytes are plain ASCII: a short loop without any state but the place.
            var next = at
            while next < bytes.count, isPlain(bytes[next]) { next += 1 }
            at = next
            guard at < bytes.count else { throw fail(.cutOff) }
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return (start..<at - 1, hasEscape)
            case UInt8(ascii: "\\"):
                hasEscape = true
                try checkEscape()
            case 0..<0x20: throw fail(.controlCharacter)
            default: try checkMultibyte(lead: byte)
            }
        }
    }

    /// ASCII that stands for itself within a text.
    private func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private mutating func checkEscape() throws(JSONSyntaxError) {
        guard at + 1 < bytes.count else { throw fail(.cutOff, at: bytes.count) }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            guard at + 6 <= bytes.count else { throw fail(.cutOff, at: bytes.count) }
            guard hex4(bytes, at + 2) != nil else { throw fail(.badEscape) }
            at += 6
        default: throw fail(.badEscape)
        }
    }

    /// Checks one character of two to four bytes by the ranges of RFC 3629 (no overlong forms, no surrogates).
    private mutating func checkMultibyte(lead: UInt8) throws(JSONSyntaxError) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw fail(.badUTF8)
        }
        guard at + length <= bytes.count, second.contains(bytes[at + 1]) else { throw fail(.badUTF8) }
        for index in at + 2..<max(at + 2, at + length) where bytes[index] & 0xC0 != 0x80 { throw fail(.badUTF8) }
        at += length
    }
}
