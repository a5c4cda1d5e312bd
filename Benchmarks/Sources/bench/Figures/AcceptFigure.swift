import ArgumentParser
import NIOPosix

/// Durable accepts of signed orders beside a route that does nothing, in alternating rounds; then the latency at
/// half of that rate.
struct AcceptFigure {
    let lab: Lab
    let engine: Engine
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(_ lab: Lab, engine: Engine? = nil) {
        self.lab = lab
        self.engine = engine ?? lab.options.engine
    }

    func take() async throws -> [Figure] {
        var accepts: [Double] = []
        var floors: [Double] = []
        for round in 1...lab.rounds {
            lab.note("accept on \(engine.rawValue), round \(round) of \(lab.rounds)")
            accepts.append(try await accept().perSecond)
            floors.append(try await floor().perSecond)
        }
        let rate = median(accepts)
        let ratio = rate / median(floors)
        let rates = Figure(
            name: "durable accepts, \(lab.options.connections) connections", engine: engine.rawValue,
            measured: "\(rate.text())/s", beside: "no-op route \(median(floors).text())/s", ratio: ratio,
            target: "≥ 0.4 ×", isMet: ratio >= 0.4,
            samples: ["accepts_per_second": accepts, "floor_per_second": floors])
        return [rates, try await latency(at: max(1, Int(rate / 2)))]
    }

    /// One closed-loop round against a fresh server, or against the one that `launch` tells of.
    func accept(
        _ launch: TradewindServer.Launch? = nil, connections: Int? = nil, pace: Pace = .closed
    ) async throws -> LoadOutcome {
        guard let launch else {
            let fresh = try await lab.launch(engine)
            let outcome = try await accept(fresh, connections: connections, pace: pace)
            try lab.discard(fresh)
            return outcome
        }
        let outcome = try await TradewindServer.with(launch) { server in
            let orders = try await Workspace(on: server).orders()
            // A store that earlier rounds have filled may still have imports to finish: they are not this round's.
            try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(600))
            let requests = OrderRequests(orders, path: "/unified/webhook", prepared: Int(lab.seconds * 24_000))
            let plan = LoadPlan(
                port: server.port, requests: requests, connections: connections ?? lab.options.connections, pace: pace,
                seconds: lab.seconds)
            return try await LoadRun(plan, on: group.next()).run()
        }
        guard outcome.accepted > 0 else { throw BenchError("nothing was accepted: \(outcome.refused)") }
        if !outcome.refused.isEmpty { lab.note("refused by status: \(outcome.refused)") }
        return outcome
    }

    private func floor() async throws -> LoadOutcome {
        let shape = OrderShape(connection: "bench-00000000", secret: "floor", sku: "BOOT-00000000", run: "00000000")
        let requests = OrderRequests(shape, path: "/noop", prepared: 20_000, isUnique: false)
        return try await Floor.round(in: lab, on: group.next()) { port in
            LoadPlan(port: port, requests: requests, connections: lab.options.connections, seconds: lab.seconds)
        }
    }

    private func latency(at perSecond: Int) async throws -> Figure {
        lab.note("accept latency at \(perSecond)/s")
        let outcome = try await accept(pace: .open(perSecond: perSecond))
        let percentiles = outcome.latencies.percentiles([0.5, 0.99, 0.999, 1])
        return Figure(
            name: "accept p99 at half of that rate (\(perSecond)/s offered)", engine: engine.rawValue,
            measured: "\(percentiles[1].text(1)) ms",
            beside: "p50 \(percentiles[0].text(1)), p99.9 \(percentiles[2].text(1)), max \(percentiles[3].text(1)) ms",
            target: "≤ 30 ms", isMet: percentiles[1] <= 30 && outcome.refused.isEmpty,
            samples: ["p50_p99_p999_max_ms": percentiles, "refused": [Double(outcome.refused.values.reduce(0, +))]])
    }
}

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Durable accepts beside a route that does nothing, and their latency.")

    @OptionGroup var options: LabOptions

    func run() async throws {
        try await Lab.report(options) { lab in try await Figure.taking { try await AcceptFigure(lab).take() } }
    }
}
