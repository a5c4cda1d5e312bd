import Kernel
import Synchronization
import Testing

@Suite struct IDGeneratorTests {
    private enum Thing {}

    /// A clock that stands where it was put.
    private final class Hand: Sendable {
        let milliseconds: Atomic<Int64>
        init(_ milliseconds: Int64) { self.milliseconds = Atomic(milliseconds) }
        var time: TimeSource {
            TimeSource { Timestamp(milliseconds: self.milliseconds.load(ordering: .relaxed)) }
        }
    }

    @Test("An identifier has version 7, the RFC's variant and the clock's milliseconds")
    func shape() {
        let hand = Hand(1_763_688_546_123)
        let generator = IDGenerator(time: hand.time, random: SplitMix(state: 1))

        for _ in 0..<100 {
            let id: ID<Thing> = generator.next()
            #expect(id.high >> 12 & 0xF == 7)
            #expect(id.low >> 62 == 2)
            #expect(id.time.milliseconds == 1_763_688_546_123)
        }
    }

    @Test("Identifiers rise while the clock stands, beyond 4096 in one millisecond, and when it goes back")
    func monotonic() {
        let hand = Hand(1_000_000)
        let generator = IDGenerator(time: hand.time, random: SplitMix(state: 2))
        var last: ID<Thing> = generator.next()
        var all: Set<ID<Thing>> = [last]
        func take(_ count: Int) {
            for _ in 0..<count {
                let next: ID<Thing> = generator.next()
                #expect(next > last)
                all.insert(next)
                last = next
            }
        }

        take(10_000)
        #expect(last.time.milliseconds == 1_000_002)
        hand.milliseconds.store(999_000, ordering: .relaxed)
        take(5000)
        hand.milliseconds.store(2_000_000, ordering: .relaxed)
        take(1)

        #expect(last.time.milliseconds == 2_000_000)
        #expect(all.count == 15_002)
    }

    @Test("A clock before 1970 still gives rising identifiers")
    func negative() {
        let generator = IDGenerator(time: TimeSource { Timestamp(milliseconds: -5) }, random: SplitMix(state: 3))

        let ids = (0..<5000).map { _ in generator.next(Thing.self) }

        #expect(ids == ids.sorted())
        #expect(Set(ids).count == 5000)
    }

    @Test("Tasks that share a generator never get the same identifier")
    func concurrency() async {
        let generator = IDGenerator()

        let ids = await withTaskGroup { group in
            for _ in 0..<8 { group.addTask { (0..<2000).map { _ in generator.next(Thing.self) } } }
            return await group.reduce(into: Set<ID<Thing>>()) { $0.formUnion($1) }
        }

        #expect(ids.count == 16_000)
    }

    @Test("The system's numbers differ within a block and from one block to the next")
    func blocks() {
        var (first, second) = (BlockRandomNumberGenerator(), BlockRandomNumberGenerator())

        let numbers = (0..<1000).flatMap { _ in [first.next(), second.next()] }

        #expect(Set(numbers).count == numbers.count)
    }
}
