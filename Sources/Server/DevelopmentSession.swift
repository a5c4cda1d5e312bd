import Logging

/// The server with a development workspace in it, into which recorded deliveries are played.
package struct DevelopmentSession: Sendable {
    private let settings: Settings
    private let logger: Logger

    package init(_ settings: Settings, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    package func run() async throws {
        try await ServerBuilder.build(settings, logger: logger).run()
    }
}
