import ArgumentParser
import NIOCore
import NIOPosix

/// One tenant offers nine tenths of the load, one of its endpoints hangs, and a large backlog is parked for that one:
/// what the other tenants notice of it, held against the same load of theirs with nobody beside them.
struct HangingTenantFigure {
    let lab: Lab
    let parked: Int
    /// Orders offered over all tenants.
    let perSecond: Int
    let seconds: Double
    let hangSeconds: Double
    /// Whether the endpoint is given up by itself, as is usual after ten failures, which ends all that is parked.
    var isGivenUp = false

    private static let quietTenants = 5

    /// Whom the other tenants have beside them.
    private enum Neighbour {
        case none
        /// One that offers as much, and all of whose endpoints answer: what is left is the hanging.
        case well
        case hanging
    }

    /// What the store holds before the load begins.
    private struct Stage: Sendable {
        let quiet: [OrderShape]
        let loud: OrderShape
        let hanging: Endpoint
    }

    private struct Round {
        var (p50, p99) = (0.0, 0.0)
        var loudP99 = 0.0
        var calls = 0
        var left = 0
    }

    func take() async throws -> [Figure] {
        var (quiet, well, beside): ([Round], [Round], [Round]) = ([], [], [])
        for round in 1...lab.rounds {
            lab.note("other tenants alone, round \(round) of \(lab.rounds)")
            quiet.append(try await take(beside: .none))
            lab.note("other tenants beside one that is well, round \(round) of \(lab.rounds)")
            well.append(try await take(beside: .well))
            lab.note("other tenants beside a hanging one, round \(round) of \(lab.rounds)")
            beside.append(try await take(beside: .hanging))
        }
        let ratio = median(beside.map(\.p99)) / median(quiet.map(\.p99))
        let left = beside.map { Double($0.left) }
        let calls = beside.map { Double($0.calls) }
        return [
            Figure(
                name: "accept → delivered p99 of others beside a hanging tenant, \(parked) parked, "
                    + "\(perSecond) orders/s" + (isGivenUp ? ", endpoint given up" : ""),
                engine: lab.options.engine.rawValue,
                measured: "\(spread(beside.map(\.p99), 1)) ms",
                beside: "alone \(spread(quiet.map(\.p99), 1)) ms, beside as much load without hanging "
                    + "\(spread(well.map(\.p99), 1)) ms; p50 \(spread(beside.map(\.p50), 1)) and "
                    + "\(spread(quiet.map(\.p50), 1)); the hanging tenant's other endpoint "
                    + "\(spread(beside.map(\.loudP99), 1)) ms; \(spread(calls)) calls hung, "
                    + "\(spread(left)) still parked",
                ratio: ratio, target: "≤ 2 ×",
                isMet: ratio <= 2 && calls.allSatisfy { $0 > 0 } && (isGivenUp || left.allSatisfy { $0 > 0 }),
                samples: [
                    "beside_p99_ms": beside.map(\.p99), "alone_p99_ms": quiet.map(\.p99),
                    "beside_well_p99_ms": well.map(\.p99), "still_parked": left,
                    "hung_calls": calls,
                ])
        ]
    }

    private func take(beside neighbour: Neighbour) async throws -> Round {
        // Driver and sink share one loop and one clock; what hangs has another.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let share = neighbour == .none ? 1 : 10
        let rate = perSecond / 10 * share
        let count = Int(Double(rate) * seconds)
        let (quietRun, loudRun) = (Workspace.run(), Workspace.run())
        let quiet = DeliveryLedger(run: quietRun, capacity: count)
        let loud = DeliveryLedger(run: loudRun, capacity: count)
        let sink = try await Sink(on: group) { head, body, now in
            if !quiet.delivered(head: head, body: body, now: now) { loud.delivered(head: head, body: body, now: now) }
        }
        let hanging = try await Sink(on: MultiThreadedEventLoopGroup(numberOfThreads: 1))
        if neighbour == .hanging { hanging.hold(Int64(hangSeconds * 1_000)) }
        let launch = try await lab.launch()
        let stage = try await TradewindServer.with(launch) { server in
            try await prepare(on: server, sink: sink, hanging: hanging, quietRun: quietRun, loudRun: loudRun)
        }
        let waiting = WaitingDeliveries(endpoints: [stage.hanging])
        if neighbour == .hanging { try await waiting.add(parked, waitingFor: .room, to: launch) }
        let requests = DealtRequests(
            (stage.quiet + [stage.loud]).map { OrderRequests($0, path: "/unified/webhook", prepared: 0) }
        ) { number in number % share == 0 ? number / share % Self.quietTenants : Self.quietTenants }
        var round = Round()
        try await TradewindServer.with(launch) { server in
            let plan = LoadPlan(
                port: server.port, requests: requests, connections: lab.options.connections,
                pace: .open(perSecond: rate), warmUp: 0, seconds: seconds)
            let loop = group.next()
            let outcome = try await LoadRun(plan, on: loop) { number, now in
                (number % share == 0 ? quiet : loud).accepted(number, now: now)
            }.run()
            guard outcome.refused.isEmpty else { throw BenchError("refused by status: \(outcome.refused)") }
            try await Self.settle(quiet, loud, on: loop)
            let times = try await loop.submit { (quiet.summary.latencies, loud.summary.latencies) }.get()
            (round.p50, round.p99) = (times.0.percentiles([0.5])[0], times.0.percentiles([0.99])[0])
            round.loudP99 = times.1.percentiles([0.99])[0]
        }
        round.calls = hanging.received
        round.left = try await waiting.count("state = 'pending'", in: launch)
        try await sink.stop()
        try await hanging.stop()
        try lab.discard(launch)
        return round
    }

    private func prepare(
        on server: TradewindServer, sink: Sink, hanging: Sink, quietRun: String, loudRun: String
    ) async throws -> Stage {
        var quiet: [OrderShape] = []
        for _ in 0..<Self.quietTenants {
            let workspace = try await Workspace(on: server)
            _ = try await workspace.subscribe(sink.url)
            quiet.append(workspace.orders(run: quietRun))
        }
        let workspace = try await Workspace(on: server)
        if !isGivenUp {
            let settings = try await workspace.client.patch(
                "/api/v1/webhooks/settings", json: #"{"min_deliveries_for_disable":10000}"#)
            _ = try workspace.client.require(settings, 200, "keeping the endpoint")
        }
        _ = try await workspace.subscribe(sink.url)
        let subscription = try await workspace.subscribe(hanging.url)
        return Stage(
            quiet: quiet, loud: workspace.orders(run: loudRun),
            hanging: Endpoint(tenant: workspace.tenant, subscription: subscription.id))
    }

    /// All that was accepted has to be delivered to the endpoints that answer.
    private static func settle(_ quiet: DeliveryLedger, _ loud: DeliveryLedger, on loop: any EventLoop) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await loop.submit({ quiet.backlog + loud.backlog }).get() > 0 {
            if ContinuousClock.now > deadline { throw BenchError("not all was delivered in a minute") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

struct HangingTenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hanging-tenant", abstract: "What other tenants notice of one whose endpoint hangs.")

    @OptionGroup var options: LabOptions
    @Option(help: "Deliveries parked for the endpoint that hangs.") var parked: Int?
    @Option(help: "Orders offered each second, a tenth of them by the other tenants.") var rate = 500
    @Option(help: "How long each call to it hangs; after ten it fails.") var hangSeconds = 10.0
    @Flag(help: "Lets the endpoint be given up within the run, which ends all that is parked.") var givenUp = false

    func run() async throws {
        try await Lab.report(options) { lab in
            let figure = HangingTenantFigure(
                lab: lab, parked: parked ?? (options.quick ? 5_000 : 100_000), perSecond: rate,
                seconds: options.seconds ?? (options.quick ? 5 : 30), hangSeconds: hangSeconds, isGivenUp: givenUp)
            return try await Figure.taking { try await figure.take() }
        }
    }
}
