import Hummingbird
import Kernel
import Logging
import NIOCore

/// A subscriber of its own within `tradewind dev`: a second HTTP server on a free port of the loopback.
struct DevelopmentReceiver {
    /// Where deliveries are posted to.
    static let path = "/deliveries"

    let log: ArrivalLog
    let logger: Logger

    /// The server as a service; `onListening` is told its port.
    func application(onListening: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        let router = Router()
        let log = log
        router.post("\(Self.path)") { request, _ -> HTTPResponse.Status in
            let body = try await request.body.collect(upTo: Limits.bodyBytes)
            // What is not verified is refused, as every subscriber should.
            return log.receive(headers: request.headers, body: Array(body.readableBytesView)) ? .ok : .unauthorized
        }
        var quiet = logger
        // When the other server can't start, this one is stopped in the middle of starting, and calls that an error.
        quiet.logLevel = .critical
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .singleton, logger: quiet)
    }
}
