import Kernel
import Testing

@Suite struct HTTPDateTests {
    @Test(
        "An instant is written as RFC 9110 wants it, and read back to the second",
        arguments: [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
            "Thu, 29 Feb 2024 12:00:00 GMT", "Sat, 21 Nov 2026 05:45:00 GMT",
        ])
    func roundTrip(text: String) throws {
        let time = try #require(HTTPDate.parse(text))
        #expect(HTTPDate.text(of: time) == text)
        #expect(HTTPDate.text(of: Timestamp(milliseconds: time.milliseconds + 999)) == text)
    }
}
