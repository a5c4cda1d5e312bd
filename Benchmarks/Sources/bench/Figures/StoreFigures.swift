import ArgumentParser
import NIOPosix

/// What a store that has grown old costs: starting on it, accepting into it.
struct StoreFigures {
    let lab: Lab
    let count: Int

    /// From starting the process to `/readyz`, and memory at rest.
    func start() async throws -> [Figure] {
        let kept = try await lab.launch(keeping: count)
        var times: [Double] = []
        for _ in 1...max(3, lab.rounds) {
            let ready = try await TradewindServer.with(kept.launch) { $0.readyAfter }
            times.append(Double(ready.components.seconds) + Double(ready.components.attoseconds) / 1e18)
        }
        let seconds = median(times)
        return [
            Figure(
                name: "start to ready with \(count) events kept", engine: lab.options.engine.rawValue,
                measured: "\(seconds.text(3)) s",
                beside: "slowest of \(times.count): \((times.max() ?? 0).text(3)) s", target: "≤ 1 s",
                isMet: seconds <= 1, samples: ["seconds": times])
        ]
    }

    /// Accepting into the old store and into an empty one, in alternating rounds.
    ///
    /// - Parameter folder: an old store that there is already, in place of one that is made for the run.
    func accept(into folder: String? = nil) async throws -> [Figure] {
        var old: TradewindServer.Launch
        if let folder {
            old = try await lab.launch()
            old.dataFolder = folder
        } else {
            old = try await lab.launch(keeping: count).launch
        }
        let figure = AcceptFigure(lab)
        var kept: [Double] = []
        var empty: [Double] = []
        for round in 1...lab.rounds {
            lab.note("accept with \(count) events kept, round \(round) of \(lab.rounds)")
            kept.append(try await figure.accept(old).perSecond)
            empty.append(try await figure.accept().perSecond)
        }
        let ratio = median(kept) / median(empty)
        return [
            Figure(
                name: "accept rate with \(count) events kept", engine: lab.options.engine.rawValue,
                measured: "\(median(kept).text())/s",
                beside: "empty store \(median(empty).text())/s", ratio: ratio, target: "≥ 0.9 ×",
                isMet: ratio >= 0.9,
                samples: ["kept": kept, "empty": empty])
        ]
    }
}

/// Resident memory at rest and after many orders at full speed.
struct MemoryFigure {
    let lab: Lab
    let orders: Int

    func take() async throws -> [Figure] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let launch = try await lab.launch()
        let engine = lab.options.engine.rawValue
        lab.note("memory at rest and after \(orders) orders")
        let figures = try await TradewindServer.with(launch) { server in
            try await Task.sleep(for: .seconds(2))
            let idle = try ProcessUse(of: server.process.id).residentMiB
            let workspace = try await Workspace(on: server)
            let sink = try await Sink(on: group)
            _ = try await workspace.subscribe(sink.url)
            let requests = OrderRequests(workspace.orders(), path: "/unified/webhook", prepared: orders)
            let plan = LoadPlan(
                port: server.port, requests: requests, connections: lab.options.connections, warmUp: 0, seconds: 600,
                limit: orders)
            let outcome = try await LoadRun(plan, on: group.next()).run()
            guard outcome.accepted == orders else { throw BenchError("not all were accepted: \(outcome.refused)") }
            let accepted = try ProcessUse(of: server.process.id)
            try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(600))
            let done = try ProcessUse(of: server.process.id)
            try await sink.stop()
            // Judged by the highest of all: a limit on memory is not kept by falling below it later.
            return [
                Figure(
                    name: "resident memory at rest", engine: engine, measured: "\(idle.text(1)) MiB",
                    target: "≤ 60 MiB",
                    isMet: idle <= 60, samples: ["mib": [idle]]),
                Figure(
                    name: "resident memory, \(orders) orders at full speed", engine: engine,
                    measured: "\(done.peakResidentMiB.text(1)) MiB at most",
                    beside: "\(accepted.residentMiB.text(1)) when all were accepted, \(done.residentMiB.text(1)) when "
                        + "all were delivered (\(sink.received))",
                    target: "≤ 200 MiB", isMet: done.peakResidentMiB <= 200 && sink.received >= orders,
                    samples: [
                        "accepted_done_peak_mib": [accepted.residentMiB, done.residentMiB, done.peakResidentMiB]
                    ]),
            ]
        }
        try lab.discard(launch)
        return figures
    }
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start to ready with many events kept, and resident memory.")

    @OptionGroup var options: LabOptions
    @Option(help: "Events kept.") var count: Int?
    @Option(help: "Orders after which memory is looked at.") var orders: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let count = count ?? (options.quick ? 20_000 : 1_000_000)
            let orders = orders ?? (options.quick ? 5_000 : 100_000)
            let start = try await Figure.taking { try await StoreFigures(lab: lab, count: count).start() }
            return try await start + Figure.taking { try await MemoryFigure(lab: lab, orders: orders).take() }
        }
    }
}

struct KeptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kept", abstract: "The accept rate with many events kept beside that of an empty store.")

    @OptionGroup var options: LabOptions
    @Option(help: "Events kept.") var count: Int?
    @Option(help: "A stopped server's data folder that holds so many already; it is filled further, and left there.")
    var store: String?

    func validate() throws {
        guard store == nil || options.engine == .sqlite else { throw ValidationError("--store is SQLite's alone") }
    }

    func run() async throws {
        try await Lab.report(options) { lab in
            let count = count ?? (options.quick ? 50_000 : 5_000_000)
            return try await Figure.taking { try await StoreFigures(lab: lab, count: count).accept(into: store) }
        }
    }
}
