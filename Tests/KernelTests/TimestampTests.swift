import Foundation
import Kernel
import Testing

@Suite struct TimestampTests {
    @Test(
        "RFC 3339 is read with offsets, fractions, either separator and, as UTC, without a zone",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-11-21T01:29:06.000Z", 1_795_224_546_000), ("2026-11-21T01:29:06", 1_795_224_546_000),
            ("2026-11-21t01:29:06z", 1_795_224_546_000), ("2026-11-21 01:29:06Z", 1_795_224_546_000),
            ("2026-11-21T02:29:06+01:00", 1_795_224_546_000), ("2026-11-20T20:59:06-04:30", 1_795_224_546_000),
            ("2026-11-21T01:29:06.5Z", 1_795_224_546_500), ("2026-11-21T01:29:06.1239999999Z", 1_795_224_546_123),
            ("2026-11-21T01:29:06.05+00:00", 1_795_224_546_050), ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000), ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func reading(_ text: String, _ milliseconds: Int64) {
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test(
        "A text that is no real date is refused",
        arguments: [
            "", "2026", "2026-11-21", "2026-11-21T01:29", "2026-11-21T01:29Z", "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
            "0000-01-01T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00 Z",
            "2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z", "2026-1-1T00:00:00Z", "-2026-01-01T00:00:00Z",
            "2026-01-01T00:00:0\u{664}Z", "20260101T000000Z", "1795224546", "2026-01-01T-1:00:00Z",
            "2026/01/01T00:00:00Z",
            // The zone carries these over the ends of the years that the text form has.
            "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
        ])
    func refused(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("Text agrees with Foundation for a thousand instants between the years 1 and 9999, there and back")
    func foundation() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        var random = SplitMix(state: 11)
        for round in 0..<1000 {
            // Foundation's calendar is Julian before October 1582, ours Gregorian throughout, as RFC 3339 says.
            let range: ClosedRange<Int64> =
                round < 500 ? 0...4_102_444_800_000 : -12_200_000_000_000...Timestamp.never.milliseconds
            let instant = Timestamp(milliseconds: Int64.random(in: range, using: &random))
            let text = instant.description
            #expect(Timestamp(text) == instant)
            // Rounded in the middle of the millisecond: a Date is binary floating point.
            let date = Date(timeIntervalSince1970: (Double(instant.milliseconds) + 0.25) / 1000)
            if abs(instant.milliseconds) < 8_000_000_000_000 { #expect(text == formatter.string(from: date)) }
            #expect(
                formatter.date(from: text).map { Int64(($0.timeIntervalSince1970 * 1000).rounded()) }
                    == instant.milliseconds)
        }
    }

    @Test("Every day around a century's turn is read back", arguments: ["1896", "1996", "2096"])
    func days(_ year: String) throws {
        let start = try #require(Timestamp("\(year)-01-01T12:00:00Z"))
        for day in 0..<Int64(8 * 366) {
            let instant = Timestamp(milliseconds: start.milliseconds + day * 86_400_000)
            if Timestamp(instant.description) != instant { Issue.record("\(instant) is not read back") }
        }
    }

    @Test(
        "An instant beyond the years 1 to 9999 is written as the nearest within",
        arguments: [
            (Int64.min, "0001-01-01T00:00:00.000Z"), (-62_135_596_800_001, "0001-01-01T00:00:00.000Z"),
            (253_402_300_800_000, "9999-12-31T23:59:59.999Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        ])
    func ends(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test("Arithmetic is in whole milliseconds and seconds round down on both sides of 1970")
    func arithmetic() {
        let instant = Timestamp(milliseconds: 1_000_500)
        #expect((instant + .seconds(2)).milliseconds == 1_002_500)
        #expect((instant - .microseconds(1999)).milliseconds == 1_000_499)
        #expect(instant - Timestamp(milliseconds: 1_000_000) == .milliseconds(500))
        #expect(instant < instant + .milliseconds(1))
        for (milliseconds, seconds) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)]
            as [(Int64, Int64)]
        {
            #expect(Timestamp(milliseconds: milliseconds).seconds == seconds)
        }
        #expect(Duration.seconds(-1.5).wholeMilliseconds == -1500)
    }

    @Test("The system's clock agrees with Foundation's to the second")
    func clock() {
        let before = Int64(Date().timeIntervalSince1970 * 1000) - 1
        let now = TimeSource.system.now().milliseconds
        #expect((before...before + 5000).contains(now))
    }
}
