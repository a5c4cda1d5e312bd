import Kernel

/// The formats of texts that are checked. JSON Schema leaves it to each implementation whether it does; here it is
/// always done, and other formats are refused where they are written.
enum SchemaFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date
    case uuid
    case email
    case uri

    func includes(_ text: String) -> Bool {
        switch self {
        case .dateTime: Self.isDateTime(text)
        case .date: text.utf8.count == 10 && Timestamp("\(text)T00:00:00Z") != nil
        case .uuid: text.utf8.count == 36 && ID<Event>(text) != nil
        case .email: Self.isEmail(text)
        case .uri: Self.isURI(text)
        }
    }

    /// RFC 3339 with its zone, which `Timestamp` alone would not ask for.
    private static func isDateTime(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") else { return false }
        let hasZone =
            [UInt8(ascii: "Z"), UInt8(ascii: "z")].contains(bytes[bytes.count - 1])
            || [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[bytes.count - 6])
        return hasZone && Timestamp(text) != nil
    }

    /// A dot-atom, one `@` and a domain name (RFC 5321 without quoted parts and address literals).
    private static func isEmail(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count), (1...253).contains(parts[1].count) else {
            return false
        }
        let marks = Set("!#$%&'*+-/=?^_`{|}~".utf8)
        let atoms = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return atoms.allSatisfy { !$0.isEmpty && $0.allSatisfy { isAlphanumeric($0) || marks.contains($0) } }
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    /// A scheme, a colon, and characters that RFC 3986 allows, each percent sign with its two digits.
    private static func isURI(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0, isLetter(bytes[0]) else { return false }
        let schemeMarks = Set("+-.".utf8)
        guard bytes[..<colon].allSatisfy({ isAlphanumeric($0) || schemeMarks.contains($0) }) else { return false }
        let marks = Set("-._~:/?#[]@!$&'()*+,;=%".utf8)
        let rest = bytes[(colon + 1)...]
        guard rest.allSatisfy({ isAlphanumeric($0) || marks.contains($0) }) else { return false }
        guard rest.count(where: { $0 == UInt8(ascii: "#") }) <= 1 else { return false }
        return rest.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "%")
                || (index + 2 < bytes.count && hexValue(bytes[index + 1]) != nil && hexValue(bytes[index + 2]) != nil)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) && byte & 0x40 != 0 }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (48...57).contains(byte) }
}
