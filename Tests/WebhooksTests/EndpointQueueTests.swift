import Events
import Kernel
import TestSupport
import Testing

@testable import Webhooks

@Suite("The queue of one endpoint")
struct EndpointQueueTests {
    private static let now = SampleDeliveries.now

    private func queue(_ count: UInt64, _ limits: EndpointLimits = EndpointLimits()) -> EndpointQueue {
        let queue = EndpointQueue(tenant: Hub.scope.tenant)
        queue.configure(limits, now: Self.now)
        for number in 0..<count { queue.append(SampleDeliveries.delivery(number)) }
        return queue
    }

    private func startAll(
        _ queue: EndpointQueue, at now: Timestamp = now, laterToo: Bool = true
    ) -> [UInt64] {
        var (started, dropped): ([UInt64], [ReadyDelivery]) = ([], [])
        while case .call(let next) = queue.start(now: now, laterToo: laterToo, dropping: &dropped) {
            started.append(next.id.low)
        }
        return started
    }

    @Test("Deliveries start in order, as many at once as the window is wide")
    func order() {
        let queue = queue(20)
        #expect(startAll(queue) == Array(0..<16))
        #expect(queue.inFlight == 16 && queue.held == 20 && !queue.isIdle)
        #expect(queue.finish(.succeeded, jitter: 0) == nil)
        #expect(startAll(queue) == [16, 17])
    }

    @Test("Until the subscription was read one call goes out")
    func unread() {
        let queue = EndpointQueue(tenant: Hub.scope.tenant)
        for number in 0..<20 as Range<UInt64> { queue.append(SampleDeliveries.delivery(number)) }
        #expect(startAll(queue) == [0])
        queue.configure(EndpointLimits(inFlight: 3), now: Self.now)
        #expect(startAll(queue) == [1, 2])
    }

    @Test("Each success widens the window by one, up to the most, and to what the subscription allows")
    func growing() {
        for (limit, most) in [(nil, EndpointQueue.windowMost), (20, 20), (1, 1), (10_000, EndpointQueue.windowMost)] {
            let queue = queue(400, EndpointLimits(inFlight: limit))
            #expect(startAll(queue).count == min(16, most))
            for _ in 0..<200 {
                _ = queue.finish(.succeeded, jitter: 0)
                _ = startAll(queue)
            }
            #expect(queue.width == most && queue.inFlight == most)
        }
    }

    @Test("A quick one among many gets as many calls as it can keep connections for, a slow one its window")
    func connections() {
        let queue = queue(400)
        queue.connections = 4
        #expect(startAll(queue).count == 4)
        for _ in 0..<20 {
            _ = queue.finish(.succeeded, took: .milliseconds(200), jitter: 0)
            _ = startAll(queue)
        }
        #expect(queue.window == 36 && queue.inFlight == 4)
        // Calls become slow; one that fails quickly says at once that they are not.
        for _ in 0..<40 {
            _ = queue.finish(.succeeded, took: .seconds(3), jitter: 0)
            _ = startAll(queue)
        }
        #expect(queue.quickest > EndpointQueue.slow && queue.inFlight == queue.window)
        _ = queue.finish(.failed, took: .milliseconds(5), jitter: 0)
        #expect(queue.quickest == .milliseconds(5) && queue.width == 4)
    }

    @Test("Retries and replays get calls for ten thousand a second, what happens now the rest of the window")
    func later() {
        for (took, width) in [(0, 16), (2_000, 36), (50_000, 128)] as [(Int64, Int)] {
            let queue = queue(200)
            for number in 1000..<1400 as Range<UInt64> {
                queue.append(SampleDeliveries.delivery(number, isReplay: true))
            }
            // Grown to its most by what happens now.
            _ = startAll(queue, laterToo: false)
            for _ in 0..<200 {
                _ = queue.finish(.succeeded, took: .microseconds(took), jitter: 0)
                _ = startAll(queue, laterToo: false)
            }
            while queue.inFlight > 0 { _ = queue.finish(.succeeded, took: .microseconds(took), jitter: 0) }
            #expect(queue.width == EndpointQueue.windowMost && queue.laterWidth == width)
            #expect(startAll(queue).count == width)
            if width == queue.width { continue }
            #expect(!queue.wantsToStart, "more replays wait, and none may go")
            queue.append(SampleDeliveries.delivery(5000))
            #expect(startAll(queue) == [5000])
            // Its end makes no room for one of them, the end of one of them does.
            _ = queue.finish(.succeeded, took: .microseconds(took), jitter: 0)
            #expect(startAll(queue).isEmpty)
            _ = queue.finish(.succeeded, took: .microseconds(took), isLater: true, jitter: 0)
            #expect(startAll(queue).count == 1)
        }
    }

    @Test("Each failure halves it, down to one, and it holds less")
    func halving() {
        let queue = queue(100)
        #expect(queue.capacity == 256)
        #expect(startAll(queue).count == 16)
        var windows: [Int] = []
        for _ in 0..<5 {
            #expect(queue.finish(.failed, jitter: 0) == nil)
            windows.append(queue.window)
        }
        #expect(windows == [8, 4, 2, 1, 1] && queue.capacity == 16)
        #expect(startAll(queue).isEmpty)
    }

    @Test("What could not be answered within its lease is dropped, not sent")
    func leases() {
        let queue = queue(0)
        queue.append(SampleDeliveries.delivery(1, lease: Dispatcher.callTime))
        queue.append(SampleDeliveries.delivery(2, lease: Dispatcher.callTime + .milliseconds(1)))
        queue.append(SampleDeliveries.delivery(3, lease: .zero))
        var dropped: [ReadyDelivery] = []
        guard case .call(let next) = queue.start(now: Self.now, laterToo: true, dropping: &dropped) else {
            Issue.record("nothing was started")
            return
        }
        _ = queue.start(now: Self.now, laterToo: true, dropping: &dropped)
        #expect(next.id.low == 2 && dropped.map(\.id.low) == [1, 3])
        _ = queue.finish(.succeeded, jitter: 0)
        #expect(queue.isIdle)
    }

    @Test("What waits can be taken out; what runs stays")
    func removing() {
        let queue = queue(20)
        _ = startAll(queue)
        #expect(queue.removeWaiting().map(\.id.low) == [16, 17, 18, 19])
        #expect(queue.held == 16 && !queue.isIdle)
    }

    @Test("Fresh deliveries come first, but retries and replays get each fourth call")
    func classes() {
        var queue = queue(8, EndpointLimits(inFlight: 100))
        for number in 100..<103 as Range<UInt64> { queue.append(SampleDeliveries.delivery(number, attempts: 1)) }
        queue.append(SampleDeliveries.delivery(103, isReplay: true))
        #expect(startAll(queue) == [0, 1, 2, 100, 3, 4, 5, 101, 6, 7, 102, 103])
        queue = self.queue(2)
        queue.append(SampleDeliveries.delivery(100, attempts: 1))
        #expect(startAll(queue, laterToo: false) == [0, 1])
        #expect(startAll(queue) == [100])
    }

    @Test("The rate holds over any second, and nothing is lost by it", .isLongWork, arguments: [1, 7, 100, 999])
    func rate(rate: Int) {
        let queue = queue(0, EndpointLimits(rate: rate, inFlight: 100))
        var (now, number, calls): (Timestamp, UInt64, [Timestamp]) = (Self.now, 0, [])
        let end = Self.now + .seconds(20)
        while now < end {
            while queue.waiting < 200 {
                queue.append(SampleDeliveries.delivery(number))
                number += 1
            }
            var dropped: [ReadyDelivery] = []
            switch queue.start(now: now, laterToo: true, dropping: &dropped) {
            case .call:
                calls.append(now)
                _ = queue.finish(.succeeded, jitter: 0)
            case .at(let next):
                #expect(next > now)
                now = next
            case .nothing, .onlyLater:
                Issue.record("it waits for nothing")
                return
            }
            #expect(dropped.isEmpty)
        }
        for (index, time) in calls.enumerated() {
            let within = calls[index...].prefix { $0 < time + .seconds(1) }.count
            #expect(within <= rate + max(1, rate / 10))
        }
        #expect(calls.count >= rate * 20 - 1 && calls.count <= rate * 20 + max(1, rate / 10))
    }

    @Test("A quarter of its places is kept for the backlog, and a fetch is worth a quarter of them")
    func backlog() {
        let queue = queue(0)
        #expect(queue.room == 256 && queue.wanted == 0)
        queue.backlog.exists = true
        #expect(queue.room == 192 && queue.wanted == 16, "no call has come back yet")
        answer(queue, after: .milliseconds(1))
        #expect(queue.room == 204 && queue.wanted == 272)
        for number in 0..<204 as Range<UInt64> { queue.append(SampleDeliveries.delivery(number)) }
        #expect(queue.room == 0 && queue.wanted == 68)
        queue.append(SampleDeliveries.delivery(204))
        #expect(queue.wanted == 0)
        queue.backlog.isFetching = true
        #expect(queue.wanted == 0)
    }

    @Test("A slow endpoint fetches a quarter more than it calls at once")
    func slowBacklog() {
        let queue = queue(0, EndpointLimits(inFlight: 10))
        queue.backlog.exists = true
        answer(queue, after: .seconds(9))
        #expect(queue.wanted == 12)
        for number in 0..<9 as Range<UInt64> { queue.append(SampleDeliveries.delivery(number)) }
        #expect(queue.wanted == 3)
        queue.append(SampleDeliveries.delivery(9))
        #expect(queue.wanted == 0)
    }

    /// One call goes out and comes back.
    private func answer(_ queue: EndpointQueue, after duration: Duration) {
        queue.append(SampleDeliveries.delivery(1000))
        _ = startAll(queue)
        _ = queue.finish(.succeeded, took: duration, jitter: 0)
    }

    @Test("An ordered endpoint has no room: all that goes to it is fetched")
    func ordered() {
        let queue = queue(0, EndpointLimits(isOrdered: true))
        #expect(queue.room == 0)
    }

    @Test("An open breaker has no room; one call finds out; a success opens the window one by one")
    func ramp() {
        let queue = queue(40)
        #expect(startAll(queue).count == 16)
        var turns: [Breaker.Turn] = []
        for _ in 0..<16 { if let turn = queue.finish(.failed, jitter: 0) { turns.append(turn) } }
        #expect(turns == [.opened(trips: 1, wait: .seconds(30))])
        #expect(queue.room == 0 && startAll(queue).isEmpty)
        queue.probe()
        #expect(startAll(queue).count == 1 && queue.room == 0)
        #expect(queue.finish(.succeeded, jitter: 0) == .closed)
        #expect(startAll(queue).count == 1)
        _ = queue.finish(.succeeded, jitter: 0)
        #expect(startAll(queue).count == 2 && queue.room > 0)
    }

    @Test("A machine that remembers something is not forgotten")
    func forgetting() {
        let queue = queue(0, EndpointLimits(rate: 1))
        #expect(queue.isForgettable(now: Self.now))
        queue.append(SampleDeliveries.delivery(1))
        #expect(!queue.isForgettable(now: Self.now))
        #expect(startAll(queue) == [1])
        _ = queue.finish(.failed, jitter: 0)
        #expect(!queue.isForgettable(now: Self.now + .seconds(5)))
        queue.append(SampleDeliveries.delivery(2))
        #expect(startAll(queue, at: Self.now + .seconds(5)) == [2])
        _ = queue.finish(.succeeded, jitter: 0)
        #expect(!queue.isForgettable(now: Self.now + .seconds(5)))
        #expect(queue.isForgettable(now: Self.now + .seconds(6)))
    }
}

/// Leased deliveries for machines that look at nothing but their numbers.
enum SampleDeliveries {
    static let now = Timestamp(milliseconds: 1_735_689_600_000)

    static func delivery(
        _ number: UInt64, to subscription: SubscriptionID = .zero, tenant: TenantID = Hub.scope.tenant,
        attempts: Int = 0, isReplay: Bool = false, lease: Duration = .seconds(60), payload: Int = 2,
        claim: Int64 = 1
    ) -> ReadyDelivery {
        let event = DomainEvent(
            id: .zero, type: "order.created", occurredAt: now, scope: Hub.scope, actor: .system,
            entity: DomainEvent.Entity(type: "order", id: EventID.zero), source: "api", causation: nil,
            payload: [UInt8](repeating: 32, count: payload), withheld: nil)
        return ReadyDelivery(
            id: ID(high: 0, low: number), tenant: tenant, subscription: subscription, event: event,
            attempts: attempts, claim: claim, leaseEnds: now + lease, createdAt: now,
            replay: isReplay ? ReplayID(high: 3, low: 3) : nil)
    }
}
