import NIOCore
import TestSupport
import Testing

@testable import DeliveryClient

@Suite struct PoolMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func pool(perEndpoint: Int = 2, inAll: Int = 3) -> PoolMachine<String> {
        PoolMachine(limits: .init(idlePerEndpoint: perEndpoint, idleInAll: inAll, idleTime: .seconds(50)))
    }

    @Test("The connection that was used last is taken first, each once, and only for its endpoint")
    func lastInFirstOut() {
        var pool = pool()
        _ = pool.park("a1", of: "a", now: start)
        _ = pool.park("b1", of: "b", now: start)
        _ = pool.park("a2", of: "a", now: start)
        #expect(pool.count == 3)

        #expect(pool.take("a", now: start) == "a2")
        #expect(pool.take("a", now: start) == "a1")
        #expect(pool.take("a", now: start) == nil)
        #expect(pool.take("c", now: start) == nil)
        #expect(pool.take("b", now: start) == "b1")
        #expect(pool.count == 0)
        #expect(pool.endpointsCount == 0)
    }

    @Test("A full endpoint gives up its own oldest, a full pool the oldest of all")
    func eviction() {
        var pool = pool()
        #expect(pool.park("b1", of: "b", now: start).evicted == [])
        #expect(pool.park("a1", of: "a", now: start).evicted == [])
        #expect(pool.park("a2", of: "a", now: start).evicted == [])
        #expect(pool.park("a3", of: "a", now: start).evicted == ["a1"])
        #expect(pool.park("c1", of: "c", now: start).evicted == ["b1"])
        #expect(pool.endpointsCount == 2)
        #expect(pool.park("d1", of: "d", now: start).evicted == ["a2"])
        #expect(Set(pool.removeAll()) == ["a3", "c1", "d1"])
        #expect(pool.count == 0)
    }

    @Test("A connection is kept for the idle time, or a second less than its peer says")
    func times() {
        var pool = pool(inAll: 9)
        #expect(pool.park("a", of: "a", now: start).until == start + .seconds(50))
        #expect(pool.park("b", of: "b", peerKeeps: .seconds(5), now: start).until == start + .seconds(4))
        #expect(pool.park("c", of: "c", peerKeeps: .seconds(500), now: start).until == start + .seconds(50))
        #expect(pool.park("d", of: "d", peerKeeps: .seconds(1), now: start).slot == nil)
        #expect(pool.park("e", of: "e", peerKeeps: .seconds(0), now: start).slot == nil)

        #expect(pool.take("b", now: start + .seconds(4)) == nil)
        let first = pool.expire(now: start + .seconds(4))
        #expect(first.expired == ["b"])
        #expect(first.next == start + .seconds(50))
        let second = pool.expire(now: start + .seconds(50))
        #expect(second.expired == ["a", "c"])
        #expect(second.next == nil)
        #expect(pool.endpointsCount == 0)
    }

    @Test("No connection is kept beyond its lifetime, be it idle for ever so short a time")
    func lifetimes() {
        var pool = pool(inAll: 9)
        #expect(pool.park("a", of: "a", end: start + .seconds(9), now: start).until == start + .seconds(9))
        #expect(pool.park("b", of: "b", end: start + .seconds(900), now: start).until == start + .seconds(50))
        #expect(pool.park("c", of: "c", end: start, now: start).slot == nil)

        #expect(pool.take("a", now: start + .seconds(9)) == nil)
        let over = pool.expire(now: start + .seconds(9))
        #expect(over.expired == ["a"] && over.next == start + .seconds(50))
    }

    @Test("One that its peer closed is forgotten wherever it stands, and its place is used again")
    func removal() {
        var pool = pool(perEndpoint: 9, inAll: 9)
        let slots = ["a", "b", "c"].map { pool.park($0, of: "e", now: start).slot }
        if let middle = slots[1] {
            #expect(pool.remove(middle) == "b")
            #expect(pool.remove(middle) == nil)
        }
        #expect(pool.park("d", of: "e", now: start).slot == slots[1])
        #expect(pool.count == 3)
        #expect(pool.expire(now: start + .seconds(50)).expired == ["a", "c", "d"])
    }

    @Test("Whatever comes, the pool keeps its bounds and every connection comes out once", arguments: 1...20)
    func random(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var pool = pool(perEndpoint: 3, inAll: 8)
        var now = start
        var parked: Set<String> = []
        var slots: [String: Int] = [:]
        func out(_ connection: String?) {
            guard let connection else { return }
            #expect(parked.remove(connection) != nil)
            slots[connection] = nil
        }
        for number in 0..<500 {
            now = now + .seconds(Int64(random.next() % 4))
            let endpoint = "e\(random.next() % 5)"
            switch random.next() % 5 {
            case 0, 1:
                let parking = pool.park(
                    "\(number)", of: endpoint, peerKeeps: .seconds(Int64(random.next() % 60)), now: now)
                parking.evicted.forEach(out)
                if let slot = parking.slot {
                    parked.insert("\(number)")
                    slots["\(number)"] = slot
                }
            case 2: out(pool.take(endpoint, now: now))
            case 3: out(slots.values.randomElement(using: &random).flatMap { pool.remove($0) })
            default: pool.expire(now: now).expired.forEach(out)
            }
            #expect(pool.count == parked.count)
            #expect(pool.count <= 8)
            #expect(pool.endpointsCount <= pool.count)
        }
        #expect(Set(pool.removeAll()) == parked)
    }
}
