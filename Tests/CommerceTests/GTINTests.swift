import Commerce
import Testing

@Suite("Trade item numbers")
struct GTINTests {
    @Test(
        "Numbers with the right check digit are taken, without the spaces people type",
        arguments: ["4006381333931", "73513537", "036000291452", "10614141000415", "978-3-16-148410-0"])
    func good(_ text: String) {
        #expect(GTIN.checked(text) == text.filter { $0 != "-" })
    }

    @Test(
        "Others are not",
        arguments: [
            "4006381333932", "123", "", "0000000000000", "400638133393x", "https://id.gs1.org/01/4006381333931",
            "40063813339310", "123456789012345", "\u{0664}006381333931",
        ])
    func bad(_ text: String) {
        #expect(GTIN.checked(text) == nil)
    }
}
