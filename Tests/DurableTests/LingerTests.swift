import Testing

@testable import Durable

@Suite("Waiting for more before the next batch")
struct LingerTests {
    private static let start = ContinuousClock.now

    /// The waits behind each arrival of a steady stream, from its second window on.
    private static func waits(perSecond rate: Int, for seconds: Int = 2) -> Set<Duration> {
        var linger = Linger()
        var waits: Set<Duration> = []
        for number in 0..<(rate * seconds) {
            let now = start + .seconds(1) * number / rate
            linger.note(1, at: now)
            let wait = linger.wait(at: now)
            if now - start > Linger.window * 2 { waits.insert(wait) }
        }
        return waits
    }

    @Test("A few hundred a second are worked on at once, a thousand share their batches")
    func rates() {
        for rate in [10, 100, 500, 700] { #expect(Self.waits(perSecond: rate) == [.zero], "\(rate)") }
        for rate in [800, 1000, 20_000] { #expect(Self.waits(perSecond: rate) == [Linger.longest], "\(rate)") }
    }

    @Test("The first after a rush is not made to wait")
    func afterRush() {
        var linger = Linger()
        for number in 0..<2000 { linger.note(1, at: Self.start + .milliseconds(number) / 2) }
        #expect(linger.wait(at: Self.start + .seconds(1)) == Linger.longest)
        #expect(linger.wait(at: Self.start + .seconds(3)) == .zero)
    }
}
