import API
import DeliveryClient
import Hummingbird
import HummingbirdCore
import Kernel
import Logging
import NIOPosix
import ProviderClient
import ServiceLifecycle
import Storage
import UnixSignals

/// The assembled server, ready to run.
package struct TradewindServer {
    package let settings: Settings
    package let database: any Database
    /// For key sets and connectors.
    let client: ProviderClient
    let deliveryClient: DeliveryClient
    package let services: APIServices
    package let router: Router<AppContext>
    package let registry: PrometheusRegistry
    let door: Door
    let background: [any Service]
    let logger: Logger

    /// How long running work may take to end after a SIGTERM, so that the whole exit stays within ten seconds.
    private static let graceTime: Duration = .seconds(8)

    /// Serves until SIGTERM or SIGINT, or until `beside` ends: takes nothing new then, ends or gives back what runs.
    ///
    /// - Parameters:
    ///   - beside: further services, started last and stopped first.
    ///   - onListening: called with the port once connections are accepted.
    package func run(
        beside: [any Service] = [], onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) async throws {
        let logger = logger
        if let files = OpenFiles.raise(), files.limit < OpenFiles.wanted {
            logger.warning(
                "few open files are allowed: calls to many slow endpoints would fail",
                metadata: ["limit": "\(files.limit)", "wanted": "\(OpenFiles.wanted)"])
        }
        // A burst of a thousand stores must find room: NIO takes in four connections a tick, the rest wait here.
        let configuration = ApplicationConfiguration(
            address: .hostname(settings.host, port: settings.port), serverName: nil, backlog: 4096,
            reuseAddress: true)
        let application = Application(
            router: router,
            server: HTTPServerBuilder { [door] responder in
                DoorChannel(responder: responder, door: door, idleTimeout: .seconds(75))
            }, configuration: configuration,
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("listening", metadata: ["port": "\(port)"])
                await onListening(port)
            }, eventLoopGroupProvider: .singleton, logger: quiet(logger))
        var group = ServiceGroupConfiguration(
            services: (background + [application] + beside).map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger))
        group.maximumGracefulShutdownDuration = Self.graceTime
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await ServiceGroup(configuration: group).run()) } catch is CancellationError
            where !Task.isCancelled
        {
            // A peer that never finished its body, for one, must not make an ordered stop look like a failure.
            logger.warning("the grace time is over; what still ran was broken off")
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await database.shutdown()
        do {
            try await deliveryClient.shutdown()
            try await client.shutdown()
        } catch {
            logger.warning("closing outgoing connections failed", metadata: ["error": "\(error)"])
        }
        logger.info("stopped")
        try outcome.get()
    }

    /// The libraries' own notes on starting and stopping say nothing that ours don't.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
