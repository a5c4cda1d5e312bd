import API
import Commerce
import Integrations
import Kernel
import Logging
import ServiceLifecycle

/// The server with a development workspace in it, into which recorded deliveries are played.
package struct DevelopmentSession: Sendable {
    private let settings: Settings
    private let output: DevelopmentOutput
    private let logger: Logger

    package init(_ settings: Settings, output: DevelopmentOutput, logger: Logger) {
        self.settings = Self.developed(settings)
        self.output = output
        self.logger = logger
    }

    /// The settings with what development needs: deliveries may go to this machine, over http, and tokens are our own.
    package static func developed(_ settings: Settings) -> Settings {
        var settings = settings
        let loopback = ["127.0.0.0/8", "::1/128", settings.host].compactMap { CIDRBlock($0) }
        settings.egress = EgressPolicy(
            allowedBlocks: settings.egress.allowedBlocks + loopback, allowsHTTP: true)
        settings.tokens = .own
        return settings
    }

    /// Serves until SIGTERM or SIGINT.
    package func run() async throws {
        try await run(on: try await ServerBuilder.build(settings, logger: logger))
    }

    /// The same on a server that is put together already, from `developed` settings.
    package func run(on server: TradewindServer) async throws {
        let log = ArrivalLog(time: .system)
        // Each yields one number, once its server listens.
        let (serverPorts, serverPort) = AsyncStream.makeStream(of: Int.self)
        let (receiverPorts, receiverPort) = AsyncStream.makeStream(of: Int.self)
        let receiver = DevelopmentReceiver(log: log, logger: logger).application { receiverPort.yield($0) }
        let stage = DevelopmentStage(
            server: RunningServer(server), log: log, output: output, serverPorts: serverPorts,
            receiverPorts: receiverPorts)
        try await server.run(beside: [receiver, stage]) { serverPort.yield($0) }
    }
}

/// Plays once both servers listen, then shows each delivery that arrives until it all ends.
private struct DevelopmentStage: Service {
    let server: RunningServer
    let log: ArrivalLog
    let output: DevelopmentOutput
    let serverPorts: AsyncStream<Int>
    let receiverPorts: AsyncStream<Int>

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            do {
                guard let port = await first(serverPorts), let receiver = await first(receiverPorts) else { return }
                try await perform(port: port, receiverPort: receiver)
                await follow()
            } catch {
                // What breaks because everything ends is no failure.
                if !Task.isCancelled { throw error }
            }
        }
    }

    private func first(_ ports: AsyncStream<Int>) async -> Int? {
        for await port in ports { return port }
        return nil
    }

    private func perform(port: Int, receiverPort: Int) async throws {
        let ids = IDGenerator()
        let address = address(port)
        let workspace = try await DevelopmentWorkspace.prepare(server, receiverPort: receiverPort, ids: ids)
        log.expect(workspace.subscriptionSecret)
        output.lines(opening(workspace))
        let player = DevelopmentPlayer(server: server, workspace: workspace, address: address, log: log)
        let recorded = try DevelopmentRecording.all().map { DevelopmentDelivery($0, to: workspace.store) }
        let posted =
            try await play("playing recorded deliveries", recorded, player)
            + play("posting orders of a gateway, signed now", gatewayOrders(workspace, ids), player)
        let arrivals = log.take().arrivals
        log.stopClocks()
        let orders = try await player.orders(of: posted)
        let repeated = posted.count { $0.answer == "duplicate" }
        var lines = [""] + DevelopmentReport.played(posted)
        if workspace.isOld, repeated > 0 {
            lines.append("  answered duplicate, since an earlier start stored them: \(repeated); they change nothing")
        }
        lines += [""] + DevelopmentReport.orders(orders, told: posted)
        lines += [""] + DevelopmentReport.arrivals(arrivals) + (try await player.missing().map { "  \($0)" })
        output.lines(lines + (try closing(workspace, address)))
    }

    private func play(
        _ label: String, _ deliveries: [DevelopmentDelivery], _ player: DevelopmentPlayer
    ) async throws -> [DevelopmentReport.Played] {
        var played: [DevelopmentReport.Played] = []
        output.progress(label, 0, of: deliveries.count, last: "")
        for delivery in deliveries {
            let result = try await player.play(delivery)
            played.append(result)
            output.progress(label, played.count, of: deliveries.count, last: "\(result.event): \(result.answer)")
        }
        return played
    }

    /// One that is the same at every start, and one that is new at each, so that there is always something to see.
    private func gatewayOrders(_ workspace: DevelopmentWorkspace, _ ids: IDGenerator) -> [DevelopmentDelivery] {
        let now = TimeSource.system.now()
        let suffix = ids.next(DevelopmentStage.self).ulid.suffix(6)
        return [
            DevelopmentDelivery(
                order: "DEV-1001", skus: ["HUB-MUG-01", "HUB-SPN-01"], note: "an order of every start",
                to: workspace.gateway, secret: workspace.gatewaySecret, now: now),
            DevelopmentDelivery(
                order: "DEV-\(suffix)", skus: ["HUB-MUG-01", workspace.freeSKU],
                note: "an order of this start; \(workspace.freeSKU) is not in the catalogue", to: workspace.gateway,
                secret: workspace.gatewaySecret, now: now),
        ]
    }

    // MARK: Texts

    private func opening(_ workspace: DevelopmentWorkspace) -> [String] {
        let place = server.settings.databaseURL == nil ? server.settings.dataDirectory : "the PostgreSQL database"
        let state = workspace.isOld ? "was found in" : "is new in"
        return [
            "tradewind \(ServerBuilder.version), development",
            "the workspace \(state) \(place): a small catalogue, a WooCommerce store, a gateway, a subscription", "",
        ]
    }

    private func closing(_ workspace: DevelopmentWorkspace, _ address: String) throws -> [String] {
        let principal = DevelopmentWorkspace.principal
        let issuer = try TokenIssuer.loadOrCreate(directory: server.settings.dataDirectory)
        let token = try issuer.mint(principal, ttl: .seconds(86_400), now: TimeSource.system.now())
        let commands = DevelopmentCommands(
            address: address, token: token, principal: principal, connection: workspace.gateway.externalID,
            secret: workspace.gatewaySecret, freeSKU: workspace.freeSKU)
        return ["", "address  \(address)", "token    \(token)", "         good for 24 hours, role admin", "headers"]
            + commands.headers.map { "  \($0)" } + ["", "four lines to try:"] + commands.lines
            + ["", "serving; stop with Ctrl-C", "deliveries that arrive from now on:"]
    }

    /// A server that listens on every address is reached by the loopback's.
    private func address(_ port: Int) -> String {
        let host = server.settings.host
        if ["0.0.0.0", "::", "*"].contains(host) { return "http://127.0.0.1:\(port)" }
        return host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
    }

    private func follow() async {
        while !Task.isCancelled {
            let (arrivals, dropped) = log.take()
            var lines = arrivals.map { "  " + DevelopmentReport.line($0) }
            if dropped > 0 { lines.insert("  \(dropped) earlier ones are not shown", at: 0) }
            if !lines.isEmpty { output.lines(lines) }
            await log.bell.wait(upTo: .seconds(60))
        }
    }
}
