import Kernel
import Testing

@Suite("Decimal numbers by their digits")
struct DecimalDigitsTests {
    private func number(_ text: String) throws -> DecimalDigits { try #require(DecimalDigits(text)) }

    @Test("Numbers compare by value, however they are written and however long they are")
    func order() throws {
        let rising = [
            "-1e300", "-20", "-19.999999999999999999999", "-1", "-0.5", "-1e-300", "0", "1e-300", "0.1", "0.11", "1",
            "9.99", "10", "123456789012345678901234567890", "1e300",
        ]
        for (index, a) in rising.enumerated() {
            for (other, b) in rising.enumerated() {
                #expect((try number(a) < number(b)) == (index < other), "\(a) \(b)")
            }
        }
    }

    @Test(
        "Equal values are equal, hash alike and have one text",
        arguments: [("1", "1.0", "1e0"), ("10e-1", "1", "1e0"), ("-0", "0.00", "0"), ("-1500", "-1.5e3", "-15e2")])
    func equality(a: String, b: String, text: String) throws {
        #expect(try number(a) == number(b))
        #expect(try Set([number(a), number(b)]).count == 1)
        #expect(try number(a).canonicalText == text)
        #expect(try number(b).canonicalText == text)
    }

    @Test(
        "Multiples are exact",
        arguments: [
            ("0.3", "0.1", true), ("149.99", "0.01", true), ("1.1", "0.3", false), ("0", "7", true), ("-9", "3", true),
            ("1e5000", "7", false), ("1e5000", "1024", true), ("1e-5", "1", false), ("7e300", "7", true),
            ("999999999999999999999999999999", "3", true), ("1e60", "576460752303423488", true),
            ("3", "6", false), ("6", "1.5", true), ("5", "10", false), ("1e18", "999999999999999999", false),
        ])
    func multiples(a: String, b: String, expected: Bool) throws {
        #expect(try number(a).isMultiple(of: number(b)) == expected)
    }

    @Test(
        "A fraction is rounded to the nearest whole number, halves away from zero",
        arguments: [
            ("226.796", 227), ("226.4999", 226), ("0.5", 1), ("0.05", 0), ("0.49", 0), ("9.5", 10), ("-2.5", -3),
            ("-0.4", 0), ("500.0", 500), ("5e2", 500), ("0", 0), ("1e-90000", 0), ("1e90000", nil),
            ("999999999999999999.5", 1_000_000_000_000_000_000), ("9999999999999999999.5", nil),
        ] as [(String, Int64?)])
    func rounding(text: String, expected: Int64?) throws {
        #expect(try number(text).rounded == expected)
    }

    @Test("A fraction of zeros is a whole number", arguments: [("2.00", true), ("2e3", true), ("2.5", false)])
    func whole(text: String, expected: Bool) throws {
        #expect(try number(text).isWhole == expected)
    }
}
