import Kernel
import Testing

@Suite struct MoneyTests {
    private func currency(_ code: String) throws -> Currency { try #require(Currency(code: code)) }

    @Test(
        "A decimal text becomes minor units by the currency's exponent, from its digits alone",
        arguments: [
            ("149.99", "USD", 14_999), ("149.9", "USD", 14_990), ("149", "USD", 14_900), ("0.01", "USD", 1),
            ("1980.00", "JPY", 1980), ("1980", "JPY", 1980), ("1.234", "KWD", 1234), ("12.5", "KWD", 12_500),
            ("0.0001", "CLF", 1), ("-5", "USD", -500), ("-0.01", "USD", -1), ("-0", "USD", 0), ("-0.00", "USD", 0),
            ("+5.00", "USD", 500), ("007.50", "USD", 750), (".5", "USD", 50), ("5.", "USD", 500),
            ("1.5e2", "USD", 15_000),
            ("1.5E+2", "USD", 15_000), ("15000e-2", "USD", 15_000), ("1e-2", "USD", 1), ("0e99999", "USD", 0),
            ("74.990000000000000000000000", "USD", 7499), ("0.000000000000000000000000", "JPY", 0),
            ("46116860184273879.03", "USD", Int64.max / 2), ("-46116860184273879.03", "USD", -(Int64.max / 2)),
            ("0.1", "USD", 10), ("0.2", "USD", 20), ("4.35", "USD", 435), ("1.005", "KWD", 1005),
        ] as [(String, String, Int64)])
    func reading(_ text: String, _ code: String, _ minorUnits: Int64) throws {
        #expect(try Money(text, in: currency(code)).minorUnits == minorUnits)
    }

    @Test(
        "An amount with digits below the smallest unit is refused, never rounded",
        arguments: [
            ("74.999", "USD"), ("0.001", "USD"), ("1980.5", "JPY"), ("1.2345", "KWD"), ("1e-400", "USD"),
            ("5.996666666666666", "USD"), ("0.1e-5", "KWD"),
        ])
    func tooFine(_ text: String, _ code: String) throws {
        let currency = try currency(code)
        #expect(throws: MoneyError.self) { try Money(text, in: currency) }
        do throws(MoneyError) { _ = try Money(text, in: currency) } catch {
            #expect(error.fault == .tooManyDecimals(currency))
        }
    }

    @Test(
        "An amount beyond half of 64 bits is refused",
        arguments: [
            "46116860184273879.04", "-46116860184273879.04", "92233720368547758.07", "1e400", "-1e400", "1e17",
            "99999999999999999999999999", "1e99999",
        ])
    func tooLarge(_ text: String) {
        let error = #expect(throws: MoneyError.self) { try Money(text, in: .usd) }
        #expect(error?.fault == .outOfRange)
    }

    @Test(
        "A text that is no decimal number is refused",
        arguments: [
            "", "-", "+", ".", "-.", "1,50", "1 000", "$5", "5 USD", "0x10", "NaN", "Infinity", "1e", "1e+", "1e1.5",
            "1.2.3", "--1", "+-1", "1e1000000000000000000000", "٣", " 1", "1 ", "1_000", "true", "e5", "1e5e5",
        ])
    func noNumber(_ text: String) {
        let error = #expect(throws: MoneyError.self) { try Money(text, in: .usd) }
        #expect(error?.fault == .notANumber)
        #expect(error?.description.contains("is not a decimal number") == true)
    }

    @Test("Four hundred digits are read, and more are refused without work")
    func long() {
        #expect(throws: MoneyError.self) { try Money(String(repeating: "9", count: 1_000_000), in: .usd) }
        #expect(throws: Never.self) { try Money("1." + String(repeating: "0", count: 399), in: .usd) }
        let error = #expect(throws: MoneyError.self) { try Money(String(repeating: "9", count: 200), in: .usd) }
        #expect((error?.description.count ?? 0) < 100)
    }

    @Test(
        "Money is written with exactly the currency's decimals",
        arguments: [
            (14_999, "USD", "149.99"), (14_990, "USD", "149.90"), (0, "USD", "0.00"), (1, "USD", "0.01"),
            (-1, "USD", "-0.01"), (-14_999, "USD", "-149.99"), (1980, "JPY", "1980"), (-7, "JPY", "-7"),
            (0, "JPY", "0"),
            (1234, "KWD", "1.234"), (5, "KWD", "0.005"), (12, "CLF", "0.0012"),
            (Int64.max, "USD", "92233720368547758.07"), (Int64.min, "USD", "-92233720368547758.08"),
        ] as [(Int64, String, String)])
    func writing(_ minorUnits: Int64, _ code: String, _ text: String) throws {
        #expect(Money(minorUnits: minorUnits, currency: try currency(code)).decimalText == text)
    }

    @Test(
        "What is written is read back, for a thousand amounts of each exponent",
        arguments: ["JPY", "USD", "KWD", "CLF"])
    func roundTrip(_ code: String) throws {
        let currency = try currency(code)
        var random = SplitMix(state: 3)
        for _ in 0..<1000 {
            let magnitude = (Int64.max / 2) >> Int64.random(in: 0...62, using: &random)
            let money = Money(minorUnits: Int64.random(in: -magnitude...magnitude, using: &random), currency: currency)
            #expect(try Money(money.decimalText, in: currency) == money)
        }
    }

    @Test(
        "Whole numbers reach both ends of 64 bits and no further",
        arguments: [
            ("9223372036854775807", Int64.max), ("9223372036854775808", nil), ("-9223372036854775808", Int64.min),
            ("-9223372036854775809", nil), ("9.223372036854775807e18", Int64.max), ("10000000000000000000", nil),
            ("1e18", 1_000_000_000_000_000_000), ("1e19", nil), ("1.5", nil), ("0", 0), ("-0.0", 0),
        ] as [(String, Int64?)])
    func whole(_ text: String, _ number: Int64?) throws {
        #expect(try #require(DecimalDigits(text)).integer(scaledBy: 0) == number)
    }

    @Test(
        "Currencies are the codes of ISO 4217 with their exponents",
        arguments: [
            ("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("ISK", 0), ("CLP", 0), ("KWD", 3), ("BHD", 3), ("TND", 3),
            ("CLF", 4), ("UYW", 4), ("HUF", 2), ("TWD", 2), ("UGX", 0), ("MRU", 2),
        ])
    func currencies(_ code: String, _ exponent: Int) throws {
        let currency = try currency(code)
        #expect(currency.exponent == exponent)
        #expect(currency.description == code)
    }

    @Test("Other codes are none", arguments: ["", "usd", "US", "USDD", "XXX", "XAU", "XTS", "BTC", " USD", "HRK"])
    func noCurrency(_ code: String) {
        #expect(Currency(code: code) == nil)
    }
}
