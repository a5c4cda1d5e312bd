import Testing

@testable import Kernel

@Suite("Leases")
struct LeasesTests {
    @Test("Without a word of the environment a lease is a minute, and a call has fifteen seconds of it")
    func standard() {
        let leases = Leases(seconds: nil)
        #expect(leases == .standard)
        #expect(leases.duration == .seconds(60))
        #expect(leases.callTime == .seconds(15))
    }

    @Test("A short lease leaves a call a quarter of itself", arguments: [("2", 500), ("3", 750), ("40", 10_000)])
    func short(_ text: String, _ milliseconds: Int) {
        #expect(Leases(seconds: text).callTime == .milliseconds(milliseconds))
    }

    @Test("What is no number of seconds from 2 to 60 is passed over", arguments: ["", "1", "61", "-5", "3s", "1e1"])
    func nonsense(_ text: String) {
        #expect(Leases(seconds: text) == .standard)
    }
}
