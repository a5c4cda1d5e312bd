/// An exact amount of one currency, held in its smallest unit: 149.99 USD is 14999, 1980 JPY is 1980.
package struct Money: Hashable, Sendable {
    package var minorUnits: Int64
    package let currency: Currency

    package init(minorUnits: Int64, currency: Currency) {
        self.minorUnits = minorUnits
        self.currency = currency
    }

    package static func zero(_ currency: Currency) -> Money { Money(minorUnits: 0, currency: currency) }

    /// Reads a decimal text or JSON number in major units, such as `149.99`, `-5` or `1.5e2`, from its digits alone.
    ///
    /// Zeros behind the currency's exponent are accepted (WooCommerce may write `1980.00` for yen), other digits are
    /// not.
    package init(_ text: some StringProtocol, in currency: Currency) throws(MoneyError) {
        guard let decimal = DecimalDigits(text) else { throw MoneyError(text: String(text), fault: .notANumber) }
        guard let minor = decimal.integer(scaledBy: currency.exponent) else {
            let fault: MoneyError.Fault =
                decimal.hasFraction(beyond: currency.exponent) ? .tooManyDecimals(currency) : .outOfRange
            throw MoneyError(text: String(text), fault: fault)
        }
        // Half of what 64 bits hold: sums over an order's lines are checked, and a single amount should not fill them.
        guard minor.magnitude <= UInt64(Int64.max / 2) else { throw MoneyError(text: String(text), fault: .outOfRange) }
        self.init(minorUnits: minor, currency: currency)
    }

    /// The amount in major units with exactly the currency's number of decimals, such as `149.90`.
    package var decimalText: String {
        let digits = String(minorUnits.magnitude)
        let exponent = currency.exponent
        let sign = minorUnits < 0 ? "-" : ""
        guard exponent > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(exponent)).\(padded.suffix(exponent))"
    }
}

/// Why a text is no amount of the currency; the description is fit for an answer.
package struct MoneyError: Error, Equatable, CustomStringConvertible {
    package enum Fault: Equatable, Sendable {
        case notANumber
        case tooManyDecimals(Currency)
        case outOfRange
    }

    package let text: String
    package let fault: Fault

    package var description: String {
        let shown = text.count > 40 ? text.prefix(40) + "…" : text[...]
        return switch fault {
        case .notANumber: "\"\(shown)\" is not a decimal number"
        case .tooManyDecimals(let currency):
            "\(shown) has more than the \(currency.exponent) decimals that \(currency.code) has"
        case .outOfRange: "\(shown) is out of range"
        }
    }
}

/// A decimal number as its digits and the place of its point; no binary floating point takes part.
package struct DecimalDigits: Sendable {
    private let isNegative: Bool
    private let digits: [UInt8]
    /// The value is `digits × 10^scale`.
    private let scale: Int

    /// Reads JSON's number grammar, leniently as to a leading plus, leading zeros and a bare `.5` or `5.`.
    package init?(_ text: some StringProtocol) {
        var characters = text.utf8.makeIterator()
        var next = characters.next()
        isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { next = characters.next() }
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
}

extension DecimalDigits: Comparable {
    /// By value: `1.50` is `1.5` and `15e-1`, and zero has no sign.
    package static func == (a: DecimalDigits, b: DecimalDigits) -> Bool {
        a.digits == b.digits && (a.digits.isEmpty || (a.scale == b.scale && a.isNegative == b.isNegative))
    }

    package static func < (a: DecimalDigits, b: DecimalDigits) -> Bool {
        if a.sign != b.sign { return a.sign < b.sign }
        return a.isNegative ? b.isSmallerInMagnitude(than: a) : a.isSmallerInMagnitude(than: b)
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    private func isSmallerInMagnitude(than other: DecimalDigits) -> Bool {
        let (order, otherOrder) = (digits.count + scale, other.digits.count + other.scale)
        if order != otherOrder { return order < otherOrder }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}
