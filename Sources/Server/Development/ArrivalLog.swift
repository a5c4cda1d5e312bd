import HTTPTypes
import Kernel
import Signing
import Synchronization

/// One delivery as the built-in receiver got it.
package struct Arrival: Sendable, Equatable {
    package let receivedAt: Timestamp
    package let eventType: String
    /// What the event is about: the source's id of an order, a product's title, else an id of ours.
    package let subject: String
    /// Whether both signatures, `Synq-Signature` and `webhook-signature`, are those of the received bytes.
    package let isVerified: Bool
    /// From the POST of the store's delivery, where that is known, else from the event's own time.
    package let delay: Duration
    package let isSincePost: Bool

    package init(
        receivedAt: Timestamp, eventType: String, subject: String, isVerified: Bool, delay: Duration,
        isSincePost: Bool
    ) {
        self.receivedAt = receivedAt
        self.eventType = eventType
        self.subject = subject
        self.isVerified = isVerified
        self.delay = delay
        self.isSincePost = isSincePost
    }
}

/// What the built-in receiver got and nobody has shown yet.
final class ArrivalLog: Sendable {
    /// Whoever shows them is never this far behind; past it the oldest are dropped and only counted.
    static let most = 1000

    private struct State {
        var key: SigningKey?
        var posted: [String: ContinuousClock.Instant] = [:]
        var arrivals: [Arrival] = []
        var dropped = 0
    }

    let bell = Doorbell()
    private let time: TimeSource
    private let clock = ContinuousClock()
    private let state = Mutex(State())

    init(time: TimeSource) { self.time = time }

    /// From now on deliveries are verified with this subscription's secret.
    func expect(_ secret: Secret) {
        let key = SigningKey(secret)
        state.withLock { $0.key = key }
    }

    /// Starts the clock for the order that a delivery is about to be posted for.
    func begin(order: String) {
        let now = clock.now
        state.withLock { $0.posted[order] = now }
    }

    /// Later events of the same orders are told from their own times again.
    func stopClocks() { state.withLock { $0.posted.removeAll() } }

    /// Takes what came since the last call, oldest first, with the number of those that were dropped.
    func take() -> (arrivals: [Arrival], dropped: Int) {
        state.withLock { state in
            defer {
                state.arrivals.removeAll()
                state.dropped = 0
            }
            return (state.arrivals, state.dropped)
        }
    }

    /// Verifies and keeps a delivery; false when a signature does not hold.
    func receive(headers: HTTPFields, body: [UInt8]) -> Bool {
        let now = time.now()
        let instant = clock.now
        let keys = state.withLock { $0.key }.map { [$0] } ?? []
        let isVerified = [SignatureCatalog.synq as any SignatureScheme, SignatureCatalog.standardV1].allSatisfy {
            (try? $0.verify(body: body, headers: headers, keys: keys, now: now)) != nil
        }
        let event = (try? JSONValue(parsing: body)) ?? .null
        let payload = event["payload"]
        let order = payload?["external_id"]?.string
        let subject = order ?? payload?["title"]?.string ?? payload?["order_id"]?.string ?? "-"
        let occurredAt = event["timestamp"]?.string.flatMap { Timestamp($0) } ?? now
        state.withLock { state in
            let posted = order.flatMap { state.posted[$0] }
            if state.arrivals.count == Self.most {
                state.arrivals.removeFirst()
                state.dropped += 1
            }
            state.arrivals.append(
                Arrival(
                    receivedAt: now, eventType: event["event_type"]?.string ?? "-", subject: subject,
                    isVerified: isVerified, delay: posted?.duration(to: instant) ?? (now - occurredAt),
                    isSincePost: posted != nil))
        }
        bell.ring()
        return isVerified
    }
}
