import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore
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
    private let status = Mutex(200)
    private let port = Mutex(0)
    private let hold = Mutex<Gate?>(nil)

    var deliveries: [ReceivedDelivery] { received.elements }
    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/events" }

    /// What it answers from now on.
    func answer(_ code: Int) { status.withLock { $0 = code } }

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
    static func run<T: Sendable>(_ body: @Sendable @escaping (Receiver) async throws -> T) async throws -> T {
        let receiver = Receiver()
        let listening = Gate()
        // Its only words would be about connections that a killed server leaves behind.
        let logger = Logger(label: "receiver") { _ in SwiftLogNoOpLogHandler() }
        let responder = CallbackResponder<BasicRequestContext> { request, _ in try await receiver.take(request) }
        let application = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                receiver.port.withLock { $0 = channel.localAddress?.port ?? 0 }
                listening.open()
            }, eventLoopGroupProvider: .singleton, logger: logger)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            group.addTask {
                await listening.pass()
                return try await body(receiver)
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw Overdue(description: "the receiver ended before its test")
        }
    }

    private func take(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 4 << 20)
        let code = status.withLock { $0 }
        if let gate = hold.withLock({ $0 }) { await gate.pass() }
        received.record(ReceivedDelivery(headers: request.headers, body: Array(body.readableBytesView)))
        return Response(status: HTTPResponse.Status(code: code))
    }
}
