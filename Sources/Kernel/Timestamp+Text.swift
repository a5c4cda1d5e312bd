extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds, such as `2026-11-21T01:29:06.000Z`.
    ///
    /// An instant outside of the years 1 to 9999, which that form cannot tell, is written as the nearest one inside.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textCount) { out in
            writeText(to: out)
            return Self.textCount
        }
    }

    static let textCount = 24

    /// Writes the description, `textCount` characters.
    func writeText(to out: UnsafeMutableBufferPointer<UInt8>) {
        func put(_ value: Int64, width: Int, at offset: Int) {
            var value = value
            for index in stride(from: offset + width - 1, through: offset, by: -1) {
                out[index] = UInt8(ascii: "0") + UInt8(value % 10)
                value /= 10
            }
        }
        let milliseconds = min(max(milliseconds, Timestamp.earliest.milliseconds), Timestamp.never.milliseconds)
        let days = floorDivide(milliseconds, 86_400_000)
        var rest = milliseconds - days * 86_400_000
        let (year, month, day) = civilDate(daysSince1970: days)
        put(year, width: 4, at: 0)
        put(month, width: 2, at: 5)
        put(day, width: 2, at: 8)
        put(rest / 3_600_000, width: 2, at: 11)
        rest %= 3_600_000
        put(rest / 60_000, width: 2, at: 14)
        rest %= 60_000
        put(rest / 1000, width: 2, at: 17)
        put(rest % 1000, width: 3, at: 20)
        out[4] = UInt8(ascii: "-")
        out[7] = UInt8(ascii: "-")
        out[10] = UInt8(ascii: "T")
        out[13] = UInt8(ascii: ":")
        out[16] = UInt8(ascii: ":")
        out[19] = UInt8(ascii: ".")
        out[23] = UInt8(ascii: "Z")
    }

    /// Reads RFC 3339. A text without a zone is taken as UTC, the way WooCommerce writes its `…_gmt` fields.
    ///
    /// Digits below the millisecond are cut off. Nil for anything that is no real date between years 1 and 9999.
    package init?(_ text: some StringProtocol) {
        var reader = DateReader(text: Array(text.utf8))
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.takeSeparator(), let hour = reader.number(2), reader.take(":"),
            let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
            year >= 1, (1...12).contains(month), day >= 1, day <= daysIn(month: month, year: year),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        guard let fraction = reader.fraction(), let offset = reader.zoneMinutes(), reader.isAtEnd else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        // A leap second is written as :60 and counts as the last second of its minute.
        let clock = (hour * 60 + minute - offset) * 60 + min(second, 59)
        self.init(milliseconds: (days * 86_400 + clock) * 1000 + fraction)
        // The zone can carry a date over either end.
        guard self >= Timestamp.earliest, self <= Timestamp.never else { return nil }
    }

    /// The first instant of year 1.
    private static let earliest = Timestamp(milliseconds: -62_135_596_800_000)
}

private struct DateReader {
    let text: [UInt8]
    var at = 0

    init(text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { at == text.count }

    mutating func number(_ width: Int) -> Int64? {
        guard at + width <= text.count else { return nil }
        var value: Int64 = 0
        for character in text[at..<at + width] {
            guard character >= 48, character <= 57 else { return nil }
            value = value * 10 + Int64(character - 48)
        }
        at += width
        return value
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    mutating func takeSeparator() -> Bool { take("T") || take("t") || take(" ") }

    /// Milliseconds of an optional fraction; nil when a dot has no digit behind it.
    mutating func fraction() -> Int64? {
        guard take(".") else { return 0 }
        var value: Int64 = 0
        var digits = 0
        while at < text.count, text[at] >= 48, text[at] <= 57 {
            if digits < 3 { value = value * 10 + Int64(text[at] - 48) }
            digits += 1
            at += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 3)..<3 { value *= 10 }
        return value
    }

    mutating func zoneMinutes() -> Int64? {
        if isAtEnd || take("Z") || take("z") { return 0 }
        let sign: Int64
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

// The two conversions below are the usual ones for the proleptic Gregorian calendar with years that begin in March.

private func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

private func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

private func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
}
