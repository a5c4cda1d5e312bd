import Kernel
import NIOCore
import Testing

@testable import DeliveryClient

@Suite struct AddressCacheTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let good = AddressAnswer.success([.v4(1)])
    private let bad = AddressAnswer.failure(ExchangeError(.dns, "unknown"))

    @Test("The first asker resolves, the others join it, and all are handed back once")
    func joining() {
        var cache = AddressCache<Int>()

        #expect(word(cache.lookUp("a", waiter: 1, now: start)) == "resolve")
        #expect(word(cache.lookUp("a", waiter: 2, now: start)) == "joined")
        #expect(word(cache.lookUp("b", waiter: 3, now: start)) == "resolve")

        #expect(cache.settle("a", good, now: start) == [1, 2])
        #expect(cache.settle("a", good, now: start) == [])
        #expect(cache.settle("b", good, now: start) == [3])
    }

    @Test("A good answer holds for seconds, a bad one for less")
    func lifetimes() {
        var cache = AddressCache<Int>()
        _ = cache.settle("good", good, now: start)
        _ = cache.settle("bad", bad, now: start)

        #expect(word(cache.lookUp("good", waiter: 1, now: start + .milliseconds(4999))) == "known")
        #expect(word(cache.lookUp("good", waiter: 1, now: start + .seconds(5))) == "resolve")
        #expect(word(cache.lookUp("bad", waiter: 1, now: start + .milliseconds(999))) == "known")
        #expect(word(cache.lookUp("bad", waiter: 1, now: start + .seconds(1))) == "resolve")
    }

    @Test("A full cache forgets what is settled and keeps those who wait")
    func full() {
        var cache = AddressCache<Int>()
        _ = cache.lookUp("waiting", waiter: 7, now: start)
        for number in 1..<AddressCache<Int>.namesLimit { _ = cache.settle("\(number)", good, now: start) }
        #expect(word(cache.lookUp("1", waiter: 8, now: start)) == "known")
        #expect(word(cache.lookUp("new", waiter: 8, now: start)) == "resolve")
        #expect(word(cache.lookUp("1", waiter: 8, now: start)) == "resolve")
        #expect(cache.settle("waiting", good, now: start) == [7])
    }

    @Test("When very many names are being resolved a further one fails at once, until some are done")
    func overload() {
        var cache = AddressCache<Int>()
        let limit = AddressCache<Int>.resolvingLimit
        for number in 0..<limit { _ = cache.lookUp("\(number)", waiter: number, now: start) }
        #expect(word(cache.lookUp("new", waiter: 0, now: start)) == "known")
        #expect(word(cache.lookUp("0", waiter: 1, now: start)) == "joined")
        _ = cache.settle("0", bad, now: start)
        #expect(word(cache.lookUp("new", waiter: 0, now: start)) == "resolve")
    }

    private func word(_ lookup: AddressCache<Int>.Lookup) -> String {
        switch lookup {
        case .known: "known"
        case .joined: "joined"
        case .resolve: "resolve"
        }
    }
}
