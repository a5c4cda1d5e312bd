import Events
import Kernel
import TestSupport
import Testing

@testable import Webhooks

@Suite("Slots and places, shared by tenants")
struct DispatchStateTests {
    private static let now = SampleDeliveries.now
    private static let greedy = TenantID(high: 1, low: 1)
    private static let modest = TenantID(high: 2, low: 2)

    private func endpoint(_ number: UInt64) -> SubscriptionID { SubscriptionID(high: 9, low: number) }

    private func state(slots: Int, reserved: Int = 0, places: Int = 10_000) -> DispatchState {
        DispatchState(bounds: DispatchBounds(slots: slots, reservedSlots: reserved, places: places))
    }

    /// Offers that many deliveries to each of the endpoints, whose subscriptions are known.
    private func offer(
        _ count: UInt64, to endpoints: ClosedRange<UInt64>, of tenant: TenantID, attempts: Int = 0,
        limits: EndpointLimits = EndpointLimits(), in state: inout DispatchState
    ) -> [ReadyDelivery] {
        var started: [ReadyDelivery] = []
        for number in endpoints {
            state.noteBacklog(CollectionOfOne((endpoint(number), tenant)))
            started += state.configure(endpoint(number), limits, now: Self.now)
            let deliveries = (0..<count).map {
                SampleDeliveries.delivery($0, to: endpoint(number), tenant: tenant, attempts: attempts)
            }
            started += state.offer(deliveries, now: Self.now)
        }
        return started
    }

    private func finish(
        _ delivery: ReadyDelivery, _ end: EndpointQueue.End = .succeeded, took: Duration = .zero,
        in state: inout DispatchState
    ) -> [ReadyDelivery] {
        state.finish(delivery, end, took: took, limits: nil, now: Self.now, jitter: 0)
    }

    @Test("A tenant alone gets four fifths of the slots; the next one still finds some")
    func shares() {
        var state = state(slots: 100)
        let first = offer(16, to: 1...25, of: Self.greedy, in: &state)
        #expect(first.count == 80 && state.calls == 80)
        let second = offer(16, to: 101...101, of: Self.modest, in: &state)
        #expect(second.count == 16)
    }

    @Test("Quick endpoints share the kept connections; with few of them each has its whole window")
    func connections() {
        var state = DispatchState(
            bounds: DispatchBounds(slots: 1000, reservedSlots: 0, places: 10_000, connections: 64))
        var running = offer(30, to: 1...2, of: Self.greedy, in: &state)
        #expect(running.count == 32, "the window of each begins with 16")
        running += offer(30, to: 3...8, of: Self.greedy, in: &state)
        for _ in 0..<200 where !running.isEmpty { running += finish(running.removeFirst(), in: &state) }
        #expect(Dictionary(grouping: running, by: \.subscription).values.allSatisfy { $0.count <= 8 })
    }

    @Test("A slot that gets free goes to the tenant with the fewest calls, though the other has waited longer")
    func fewest() {
        var state = state(slots: 20)
        var greedy = offer(100, to: 1...10, of: Self.greedy, in: &state)
        var modest = offer(100, to: 11...12, of: Self.modest, in: &state)
        #expect(greedy.count == 16 && modest.count < 5)
        for _ in 0..<300 {
            for next in finish(greedy.removeFirst(), in: &state) {
                if next.tenant == Self.greedy { greedy.append(next) } else { modest.append(next) }
            }
            #expect(state.calls == greedy.count + modest.count && state.calls <= 20)
        }
        #expect(abs(greedy.count - modest.count) <= 2)
    }

    @Test("A tenant whose endpoint hangs can't slow another down")
    func hanging() {
        var state = state(slots: 64)
        _ = offer(100, to: 1...25, of: Self.greedy, in: &state)
        var running = offer(1, to: 100...100, of: Self.modest, in: &state)
        // Nothing of the greedy one ever ends; what the modest one offers starts at once, each time.
        for number in 1..<500 as Range<UInt64> {
            #expect(running.count == 1)
            for delivery in running { _ = finish(delivery, in: &state) }
            running = state.offer(
                [SampleDeliveries.delivery(number, to: endpoint(100), tenant: Self.modest)], now: Self.now)
        }
    }

    @Test("Retries leave the reserved slots to first attempts, and come in when those are not needed")
    func reserved() {
        var state = state(slots: 40, reserved: 30)
        let retries = offer(50, to: 1...1, of: Self.greedy, attempts: 2, in: &state)
        #expect(retries.count == 10)
        let fresh = offer(10, to: 2...2, of: Self.modest, in: &state)
        #expect(fresh.count == 10)
        #expect(finish(retries[0], in: &state).isEmpty)
        var started: [ReadyDelivery] = []
        for delivery in fresh { started += finish(delivery, in: &state) }
        #expect(started.count == 1 && started.allSatisfy(\.isLater))
    }

    @Test("Everything that was offered is called once, in every mixture of tenants and ends", arguments: 1...20)
    func conservation(seed: Int) {
        var random = SeededNumbers(UInt64(seed))
        var state = state(slots: 12, reserved: 3)
        var (running, called): ([ReadyDelivery], [DeliveryID: Int]) = ([], [:])
        var offered: UInt64 = 0
        for _ in 0..<3000 {
            if offered < 800, random.next(3) == 0 {
                let number = UInt64(random.next(6))
                let tenant = TenantID(high: 7, low: number / 2)
                state.noteBacklog(CollectionOfOne((endpoint(number), tenant)))
                running += state.configure(
                    endpoint(number), EndpointLimits(inFlight: number == 0 ? 1 : nil), now: Self.now)
                running += state.offer(
                    [
                        SampleDeliveries.delivery(
                            offered, to: endpoint(number), tenant: tenant, attempts: random.next(2))
                    ], now: Self.now)
                offered += 1
            } else if !running.isEmpty {
                let delivery = running.remove(at: random.next(running.count))
                called[delivery.id, default: 0] += 1
                let end: EndpointQueue.End = random.next(5) == 0 ? .uncalled : .succeeded
                running += finish(delivery, end, in: &state)
            }
            #expect(state.calls == running.count && state.calls <= 12)
        }
        while let delivery = running.popLast() {
            called[delivery.id, default: 0] += 1
            running += finish(delivery, in: &state)
        }
        #expect(called.count == Int(offered) && called.values.allSatisfy { $0 == 1 })
        #expect(state.calls == 0 && state.places == 0)
    }

    @Test("Places are counted by payload, and a tenant leaves some to others")
    func places() {
        var state = state(slots: 1000, places: 100)
        let big = SampleDeliveries.delivery(1, to: endpoint(1), tenant: Self.greedy, payload: 320 << 10)
        _ = state.offer([big], now: Self.now)
        #expect(state.places == 41)
        var room = state.room(for: [(endpoint(1), Self.greedy), (endpoint(2), Self.modest)])
        #expect(room.left == 59 && room.tenants[Self.greedy] == 59 && room.tenants[Self.modest] == 59)
        _ = state.offer(
            [SampleDeliveries.delivery(2, to: endpoint(1), tenant: Self.greedy, payload: 320 << 10)], now: Self.now)
        room = state.room(for: [(endpoint(1), Self.greedy), (endpoint(2), Self.modest)])
        #expect(room.tenants[Self.greedy] == 0 && room.tenants[Self.modest] == 18)
        let taken = [
            room.take(endpoint(1), Self.greedy), room.take(endpoint(2), Self.modest, places: 18),
            room.take(endpoint(2), Self.modest),
        ]
        #expect(taken == [false, true, false])
    }

    @Test("An endpoint whose rate is used up goes on when it is woken")
    func sleeping() throws {
        var state = state(slots: 100)
        let started = offer(3, to: 1...1, of: Self.greedy, limits: EndpointLimits(rate: 2), in: &state)
        #expect(started.count == 1)
        _ = state.takeNeedsTurn()
        let time = try #require(state.sleeping.values.first)
        #expect(time == Self.now + .milliseconds(500))
        #expect(state.wake(now: time - .milliseconds(1)).isEmpty)
        #expect(state.wake(now: time).count == 1)
        #expect(state.sleeping.values.first == time + .milliseconds(500))
    }

    @Test("Backlogs are fetched by those with room, tenants with little in memory first")
    func fetching() {
        var state = state(slots: 100, places: 300)
        // Both have answered a call quickly.
        let (first, second) = (
            offer(17, to: 1...1, of: Self.greedy, in: &state), offer(1, to: 2...2, of: Self.modest, in: &state)
        )
        for delivery in [first[0], second[0]] { _ = finish(delivery, took: .milliseconds(1), in: &state) }
        let fetches = state.planFetches(endpoints: 10, rows: 4096)
        #expect(fetches.map(\.subscription) == [endpoint(2), endpoint(1)])
        #expect(fetches.map(\.limit) == [142, 142])
        #expect(state.planFetches(endpoints: 10, rows: 4096).isEmpty)
        // News of a backlog that came while it was fetched is not forgotten with it.
        state.noteBacklog([(endpoint(2), Self.modest)])
        state.fetched(.init(fetch: fetches[0], isEmptied: true), now: Self.now)
        state.fetched(.init(fetch: fetches[1], isEmptied: true), now: Self.now)
        #expect(state.planFetches(endpoints: 10, rows: 4096).map(\.subscription) == [endpoint(2)])
    }

    @Test("Many endpoints that hang leave each other room for their calls")
    func manyHanging() {
        // A tenth of the standard.
        let bounds = DispatchBounds(slots: 1638, reservedSlots: 410, places: 1638, connections: 410)
        var state = DispatchState(bounds: bounds)
        let limits = EndpointLimits(inFlight: 10)
        _ = offer(0, to: 1...100, of: Self.greedy, limits: limits, in: &state)
        var calls = fetchAll(&state)
        #expect(calls.count == 4 * 100, "until one is known to be slow, kept connections are shared")
        // They come back after nine seconds, all at once.
        for delivery in calls { calls += finish(delivery, took: .seconds(9), in: &state) }
        calls = Array(calls.dropFirst(400)) + fetchAll(&state)
        let running = Dictionary(grouping: calls, by: \.subscription)
        #expect(running.count == 100 && running.values.allSatisfy { $0.count == 10 })
        #expect(state.places <= bounds.places)
    }

    /// Fetches as often as there is something to fetch, from backlogs without an end; the calls that follow.
    private func fetchAll(_ state: inout DispatchState) -> [ReadyDelivery] {
        var started: [ReadyDelivery] = []
        while case let fetches = state.planFetches(endpoints: 64, rows: 4096), !fetches.isEmpty {
            for fetch in fetches {
                let deliveries = (0..<UInt64(fetch.limit)).map {
                    SampleDeliveries.delivery($0, to: fetch.subscription, tenant: fetch.tenant)
                }
                started += state.offer(deliveries, now: Self.now)
                state.fetched(.init(fetch: fetch, isEmptied: false), now: Self.now)
            }
        }
        return started
    }

    @Test("What waits behind a breaker that opens is given back, unspent")
    func breaker() {
        var state = state(slots: 100)
        let started = offer(20, to: 1...1, of: Self.greedy, in: &state)
        #expect(started.count == 16)
        for delivery in started { #expect(finish(delivery, .failed, in: &state).isEmpty) }
        let (turned, returned) = state.takeTurned()
        #expect(turned.map(\.turn) == [.opened(trips: 1, wait: .seconds(30))])
        #expect(returned.map(\.id.low) == [16, 17, 18, 19])
        #expect(state.places == 0)
        state.adopt([BreakerStore.Stored(subscription: endpoint(1), tenant: Self.greedy, trips: 1, isDue: false)])
        #expect(state.planFetches(endpoints: 10, rows: 10).isEmpty)
        state.adopt([])
        #expect(state.planFetches(endpoints: 10, rows: 10).map(\.limit) == [8])
    }
}

/// Small numbers that a seed repeats.
private struct SeededNumbers {
    private var random: SeededRandom

    init(_ seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
}
