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
