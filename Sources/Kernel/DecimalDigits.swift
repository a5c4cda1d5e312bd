/// A decimal number as its digits and the place of its point; no binary floating point takes part.
///
/// Equal values are equal here however they were written: `1`, `1.0` and `10e-1`.
package struct DecimalDigits: Hashable, Sendable {
    private let isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private let digits: [UInt8]
    /// The value is `digits × 10^scale`.
    private let scale: Int

    /// Reads JSON's number grammar, leniently as to a leading plus, leading zeros and a bare `.5` or `5.`.
    package init?(_ text: some StringProtocol) {
        var characters = text.utf8.makeIterator()
        var next = characters.next()
        let hasMinus = next == UInt8(ascii: "-")
        if hasMinus || next == UInt8(ascii: "+") { next = characters.next() }
        var digits: [UInt8] = []
        var scale = 0
        var seen = 0
        var inFraction = false
        while let character = next, (48...57).contains(character) || (character == UInt8(ascii: ".") && !inFraction) {
            if character == UInt8(ascii: ".") {
                inFraction = true
            } else {
                seen += 1
                if !digits.isEmpty || character != 48 { digits.append(character - 48) }
                if inFraction { scale -= 1 }
                // Longer than any amount, and a bound on the work that a hostile number can ask for.
                if seen > 400 { return nil }
            }
            next = characters.next()
        }
        guard seen > 0 else { return nil }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            var exponentText: [UInt8] = []
            while let character = characters.next() { exponentText.append(character) }
            guard let exponent = Int(String(decoding: exponentText, as: UTF8.self)), exponent.magnitude < 100_000 else {
                return nil
            }
            scale += exponent
            next = nil
        }
        guard next == nil else { return nil }
        while let last = digits.last, last == 0 {
            digits.removeLast()
            scale += 1
        }
        self.digits = digits
        self.scale = digits.isEmpty ? 0 : scale
        isNegative = hasMinus && !digits.isEmpty
    }

    /// Whether digits other than zero stand behind that many decimals.
    package func hasFraction(beyond decimals: Int) -> Bool { scale < -decimals }

    /// The value times 10^`exponent` when that is a whole number within 64 bits.
    package func integer(scaledBy exponent: Int) -> Int64? {
        let zeros = scale + exponent
        guard zeros >= 0, digits.isEmpty || digits.count + zeros <= 19 else { return nil }
        var value: Int64 = 0
        for index in 0..<(digits.isEmpty ? 0 : digits.count + zeros) {
            let digit = index < digits.count ? Int64(digits[index]) : 0
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.subtractingReportingOverflow(digit)
            if overflow || carry { return nil }
            value = sum
        }
        // Built up below zero, where 64 bits reach one further.
        if isNegative { return value }
        return value == Int64.min ? nil : -value
    }

    /// The nearest whole number, halves away from zero; nil where it may be beyond 64 bits.
    package var rounded: Int64? {
        if scale >= 0 { return integer(scaledBy: 0) }
        // How many of the digits stand before the point; below zero there are zeros behind it first.
        let whole = digits.count + scale
        guard whole <= 18 else { return nil }
        var value = digits.prefix(max(0, whole)).reduce(Int64(0)) { $0 * 10 + Int64($1) }
        if whole >= 0, digits[whole] >= 5 { value += 1 }
        return isNegative ? -value : value
    }
}

extension DecimalDigits: Comparable {
    package static func < (a: DecimalDigits, b: DecimalDigits) -> Bool {
        if a.isNegative != b.isNegative { return a.isNegative }
        return a.isNegative ? b.isCloserToZero(than: a) : a.isCloserToZero(than: b)
    }

    private func isCloserToZero(than other: DecimalDigits) -> Bool {
        if digits.isEmpty || other.digits.isEmpty { return !other.digits.isEmpty }
        let (top, otherTop) = (digits.count + scale, other.digits.count + other.scale)
        return top == otherTop ? digits.lexicographicallyPrecedes(other.digits) : top < otherTop
    }

    /// Whether it is a whole number, however it was written: `2.0` is.
    package var isWhole: Bool { scale >= 0 }

    /// Whether it is above zero.
    package var isPositive: Bool { !isNegative && !digits.isEmpty }

    /// Significant digits that a divisor of `isMultiple` may have, so that 64 bits hold it.
    package static let divisorDigits = 18

    /// How many digits are left without the zeros at both ends.
    package var significantDigits: Int { digits.count }

    /// Whether it is a whole multiple of a divisor that is not zero and has at most `divisorDigits` digits.
    package func isMultiple(of divisor: DecimalDigits) -> Bool {
        precondition((1...Self.divisorDigits).contains(divisor.digits.count), "the divisor was checked before")
        if digits.isEmpty { return true }
        // The last digit is no zero, so nothing that ends in one divides it.
        if scale < divisor.scale { return false }
        let modulus = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1) }
        var remainder: UInt64 = 0
        // Of the zeros behind the digits 64 are enough: no modulus here has a higher power of two or of five.
        for index in 0..<digits.count + min(scale - divisor.scale, 64) {
            // Ten times what is below 10^18, and a digit, is within 64 bits.
            remainder = (remainder * 10 + UInt64(index < digits.count ? digits[index] : 0)) % modulus
        }
        return remainder == 0
    }

    /// The one text of the value, such as `-15e-1`: equal values have equal texts.
    package var canonicalText: String {
        if digits.isEmpty { return "0" }
        return "\(isNegative ? "-" : "")\(String(decoding: digits.map { $0 + 48 }, as: UTF8.self))e\(scale)"
    }
}
