import HTTPTypes
import Kernel
import Signing
import Synchronization
import TestSupport

/// One delivery as it came in.
struct ReceivedDelivery: Sendable {
    let headers: HTTPFields
    let body: [UInt8]
    let json: JSONValue
    private let receivedAt = TimeSource.system.now()

    init(headers: HTTPFields, body: [UInt8]) {
        self.headers = headers
        self.body = body
        json = (try? JSONValue(parsing: body)) ?? .null
    }

    var eventID: String { json["event_id"]?.string ?? "" }
    var eventType: String { json["event_type"]?.string ?? "" }
    /// The source's id of the order that the event is about.
    var externalID: String { json["payload"]?["external_id"]?.string ?? "" }

    /// Whether both signatures are those of this body under `secret`.
    func isSigned(with secret: String) -> Bool {
        guard let key = SigningKey(Secret(secret)) else { return false }
        for scheme in [SignatureCatalog.synq, SignatureCatalog.standardV1] as [any SignatureScheme]
        where (try? scheme.verify(body: body, headers: headers, keys: [key], now: receivedAt)) == nil {
            return false
        }
        return headers[StandardWebhooks.idHeader] == eventID
    }
}

/// A subscriber's endpoint, in the tests' own process. It answers 200 unless told otherwise.
final class Receiver: Sendable {
    private let received = Recorder<ReceivedDelivery>()
    private let reply = Mutex(ReceiverServer.Reply(status: 200))
    private let port = Mutex(0)
    private let hold = Mutex<Gate?>(nil)

    var deliveries: [ReceivedDelivery] { received.elements }
    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/events" }

    /// What it answers from now on.
    func answer(_ code: Int, saying body: String = "") {
        reply.withLock { $0 = ReceiverServer.Reply(status: code, body: Array(body.utf8)) }
    }

    /// Leaves callers without an answer from now on; they get theirs when the gate is opened.
    func hang() -> Gate {
        let gate = Gate()
        hold.withLock { $0 = gate }
        return gate
    }

    /// The deliveries of one order's events of a type, once there are that many.
    func deliveries(of type: String, order: String, count: Int = 1) async throws -> [ReceivedDelivery] {
        try await eventually("\(count) deliveries of \(type) for \(order)") {
            let found = deliveries.filter { $0.eventType == type && $0.externalID == order }
            return found.count >= count ? found : nil
        }
    }

    /// Runs an endpoint while the body runs.
    static func run<T>(_ body: (Receiver) async throws -> T) async throws -> T {
        let receiver = Receiver()
        return try await ReceiverServer.run({ await receiver.take($0) }) { port in
            receiver.port.withLock { $0 = port }
            defer { receiver.hold.withLock { $0 }?.open() }
            return try await body(receiver)
        }
    }

    /// Keeps a delivery and says how to answer it.
    private func take(_ delivery: ReceivedDelivery) async -> ReceiverServer.Reply {
        let reply = reply.withLock { $0 }
        if let gate = hold.withLock({ $0 }) { await gate.pass() }
        received.record(delivery)
        return reply
    }
}
