/// A Global Trade Item Number of GS1: 8, 12, 13 or 14 digits, the last of which checks the others.
package enum GTIN {
    /// The digits without the spaces and hyphens that people type; nil when they are no number of GS1.
    package static func checked(_ text: String) -> String? {
        var digits: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(byte)
            case UInt8(ascii: " "), UInt8(ascii: "-"): continue
            default: return nil
            }
            if digits.count > 14 { return nil }
        }
        guard [8, 12, 13, 14].contains(digits.count) else { return nil }
        // A row of zeros checks out and is nobody's.
        guard digits.contains(where: { $0 != UInt8(ascii: "0") }) else { return nil }
        // Weights 3 and 1 alternate from the right, the digit before the check digit first.
        var sum = 0
        for (index, digit) in digits.dropLast().reversed().enumerated() {
            sum += Int(digit - 48) * (index.isMultiple(of: 2) ? 3 : 1)
        }
        guard let last = digits.last, (10 - sum % 10) % 10 == Int(last - 48) else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }
}
