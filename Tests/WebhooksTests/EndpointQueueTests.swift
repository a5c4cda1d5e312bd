import Events
import Kernel
import Testing

@testable import Webhooks

@Suite("The queue of one endpoint")
struct EndpointQueueTests {
    private static let now = Timestamp(milliseconds: 1_000_000)

    private func delivery(_ number: UInt64, lease: Duration = .seconds(60)) -> ReadyDelivery {
        let event = OrderCreated.example.occurred(
            id: .zero, at: Self.now, scope: Hub.scope, actor: .system, source: "api", causation: nil)
        return ReadyDelivery(
            id: ID(high: 0, low: number), tenant: Hub.scope.tenant, subscription: .zero, event: event, attempts: 0,
            claim: 1, leaseEnds: Self.now + lease, createdAt: Self.now)
    }

    private func queue(_ count: UInt64) -> EndpointQueue {
        var queue = EndpointQueue()
        for number in 0..<count { queue.append(delivery(number)) }
        return queue
    }

    private func startAll(_ queue: inout EndpointQueue) -> [UInt64] {
        var started: [UInt64] = []
        while let next = queue.start(now: Self.now) { started.append(next.id.low) }
        return started
    }

    @Test("Deliveries start in order, as many at once as the window is wide")
    func order() {
        var queue = queue(20)
        #expect(startAll(&queue) == Array(0..<16))
        #expect(queue.inFlight == 16 && queue.held == 20 && !queue.isIdle)
        queue.finish(succeeded: true)
        #expect(startAll(&queue) == [16, 17])
    }

    @Test("Each success widens the window by one, up to the most")
    func growing() {
        var queue = queue(200)
        #expect(startAll(&queue).count == 16)
        for _ in 0..<100 {
            queue.finish(succeeded: true)
            _ = startAll(&queue)
        }
        #expect(queue.window == EndpointQueue.windowMost && queue.inFlight == EndpointQueue.windowMost)
    }

    @Test("Each failure halves it, down to one")
    func halving() {
        var queue = queue(100)
        #expect(startAll(&queue).count == 16)
        var windows: [Int] = []
        for _ in 0..<5 {
            queue.finish(succeeded: false)
            windows.append(queue.window)
        }
        #expect(windows == [8, 4, 2, 1, 1])
        #expect(startAll(&queue).isEmpty)
        for _ in 0..<11 { queue.finish(succeeded: false) }
        #expect(queue.inFlight == 0)
        #expect(startAll(&queue).count == 1)
    }

    @Test("What could not be answered within its lease is dropped, not sent")
    func leases() {
        var queue = EndpointQueue()
        queue.append(delivery(1, lease: Dispatcher.callTime))
        queue.append(delivery(2, lease: Dispatcher.callTime + .milliseconds(1)))
        queue.append(delivery(3, lease: .zero))
        #expect(startAll(&queue) == [2])
        #expect(queue.held == 1)
        queue.finish(succeeded: true)
        #expect(queue.isIdle)
    }

    @Test("What waits can be taken out; what runs stays")
    func removing() {
        var queue = queue(20)
        _ = startAll(&queue)
        #expect(queue.removeWaiting().map(\.id.low) == [16, 17, 18, 19])
        #expect(queue.held == 16 && !queue.isIdle)
    }

    @Test("A process leases to itself no more than it and the endpoint have room for")
    func room() {
        var room = Dispatcher.Room(left: 3, perEndpoint: [:])
        var taken: [Bool] = []
        for _ in 0..<4 { taken.append(room.take(.zero)) }
        #expect(taken == [true, true, true, false])
        let full = SubscriptionID(high: 1, low: 1)
        room = Dispatcher.Room(left: 10, perEndpoint: [full: EndpointQueue.capacity - 1])
        taken = [room.take(full), room.take(full), room.take(.zero)]
        #expect(taken == [true, false, true])
        #expect(room.left == 8)
    }
}
