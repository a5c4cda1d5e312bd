import Kernel
import Testing

@testable import DeliveryClient

@Suite struct ConnectRaceTests {
    private let a = IPAddress.v4(1)
    private let b = IPAddress.v4(2)
    private let refused = ExchangeError(.connect, "refused")
    private let late = ExchangeError(.timeout, "late")

    @Test("Addresses are tried in their order, the next one after a failure; the first failure stands for all")
    func failures() {
        var race = ConnectRace([a, b])
        #expect(race.next() == .connect(a))
        #expect(race.hasUntried)
        #expect(race.failed(refused) == .connect(b))
        #expect(!race.hasUntried)
        #expect(race.failed(late) == .lost)
        #expect(race.firstError?.errorClass == .connect)
    }

    @Test("A silent address gets company, and the race is lost when both have failed")
    func patience() {
        var race = ConnectRace([a, b])
        #expect(race.next() == .connect(a))
        #expect(race.next() == .connect(b))
        #expect(race.next() == .wait)
        #expect(race.failed(refused) == .wait)
        #expect(race.failed(late) == .lost)
    }

    @Test("No address is a lost race, and of very many only some are tried")
    func bounds() {
        var none = ConnectRace([])
        #expect(none.next() == .lost)
        var many = ConnectRace((0..<100).map { .v4($0) })
        var tried = 1
        var next = many.next()
        while case .connect = next {
            next = many.failed(refused)
            tried += 1
        }
        #expect(next == .lost)
        #expect(tried == 9)
    }
}
