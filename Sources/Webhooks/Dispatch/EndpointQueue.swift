import DequeModule
import Kernel

/// The deliveries to one endpoint that this process holds, and how many calls to it may run at once.
///
/// A pure state machine: a slow endpoint fills its own queue and its own window, never another's.
struct EndpointQueue {
    /// Enough to keep a receiver busy at a millisecond an answer; one that fails gets less.
    static let windowMost = 64
    /// Deliveries held for one endpoint; what comes beyond stays in the store until there is room.
    static let capacity = 1024

    private var waiting: Deque<ReadyDelivery> = []
    private(set) var inFlight = 0
    private(set) var window = 16

    var held: Int { waiting.count + inFlight }
    var isIdle: Bool { waiting.isEmpty && inFlight == 0 }

    mutating func append(_ delivery: ReadyDelivery) { waiting.append(delivery) }

    /// The next delivery to send, if the window has room. Those whose lease would not outlast a call are dropped: by
    /// the time of the answer they could belong to someone else, who will claim them when the lease ends.
    mutating func start(now: Timestamp) -> ReadyDelivery? {
        while inFlight < window, let next = waiting.popFirst() {
            guard next.leaseEnds > now + Dispatcher.callTime else { continue }
            inFlight += 1
            return next
        }
        return nil
    }

    /// Takes out what has not been started.
    mutating func removeWaiting() -> [ReadyDelivery] {
        defer { waiting = [] }
        return Array(waiting)
    }

    /// One call ended. The window grows by one with each success and halves with each failure.
    mutating func finish(succeeded: Bool) {
        inFlight -= 1
        window = succeeded ? min(window + 1, Self.windowMost) : max(window / 2, 1)
    }
}
