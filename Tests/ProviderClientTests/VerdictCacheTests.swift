import Kernel
import NIOCore
import Testing

@testable import ProviderClient

@Suite struct VerdictCacheTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let good = HostVerdict.success(())
    private let bad = HostVerdict.failure(ExchangeError(.dns, "unknown"))

    @Test("The first asker resolves, the others join it, and all are woken once")
    func joining() {
        var cache = VerdictCache<Int>()

        #expect(word(cache.lookUp("a", waiter: 1, now: start)) == "resolve")
        #expect(word(cache.lookUp("a", waiter: 2, now: start)) == "joined")
        #expect(word(cache.lookUp("b", waiter: 3, now: start)) == "resolve")
        #expect(cache.verdict(on: "a", now: start) == nil)

        #expect(cache.settle("a", good, now: start) == [1, 2])
        #expect(cache.settle("a", good, now: start) == [])
        #expect(cache.settle("b", good, now: start) == [3])
    }

    @Test("A good verdict holds for seconds, a bad one for less")
    func lifetimes() {
        var cache = VerdictCache<Int>()
        _ = cache.settle("good", good, now: start)
        _ = cache.settle("bad", bad, now: start)

        #expect(cache.verdict(on: "good", now: start + .milliseconds(4999)) != nil)
        #expect(word(cache.lookUp("good", waiter: 1, now: start + .milliseconds(4999))) == "known")
        #expect(cache.verdict(on: "good", now: start + .seconds(5)) == nil)
        #expect(word(cache.lookUp("good", waiter: 1, now: start + .seconds(5))) == "resolve")
        #expect(cache.verdict(on: "bad", now: start + .milliseconds(999)) != nil)
        #expect(cache.verdict(on: "bad", now: start + .seconds(1)) == nil)
    }

    @Test("A full cache forgets what is settled and keeps those who wait")
    func full() {
        var cache = VerdictCache<Int>()
        _ = cache.lookUp("waiting", waiter: 7, now: start)
        for number in 1..<VerdictCache<Int>.hostsLimit { _ = cache.settle("\(number)", good, now: start) }
        #expect(cache.verdict(on: "1", now: start) != nil)

        #expect(word(cache.lookUp("new", waiter: 8, now: start)) == "resolve")

        #expect(cache.verdict(on: "1", now: start) == nil)
        #expect(cache.settle("waiting", good, now: start) == [7])
    }

    private func word(_ lookup: VerdictCache<Int>.Lookup) -> String {
        switch lookup {
        case .known: "known"
        case .joined: "joined"
        case .resolve: "resolve"
        }
    }
}
