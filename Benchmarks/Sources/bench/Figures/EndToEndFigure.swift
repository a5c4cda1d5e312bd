import ArgumentParser
import NIOCore
import NIOPosix

/// Orders at a fixed rate from the signed request to the signed delivery at a sink of ours.
struct EndToEndFigure {
    let lab: Lab
    let perSecond: Int
    let seconds: Double

    func take() async throws -> [Figure] {
        // Driver and sink share one loop: the ledger needs no lock, and both times come from one clock.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let launch = try await lab.launch()
        let figures = try await TradewindServer.with(launch) { server in
            let workspace = try await Workspace(on: server)
            let orders = workspace.orders()
            let ledger = DeliveryLedger(run: orders.run, capacity: Int(Double(perSecond) * seconds) + 1)
            let sink = try await Sink(on: group) { ledger.delivered(head: $0, body: $1, now: $2) }
            ledger.secret = try await workspace.subscribe(sink.url).secret
            let requests = OrderRequests(orders, path: "/unified/webhook", prepared: ledger.capacity)
            let plan = LoadPlan(
                port: server.port, requests: requests, connections: lab.options.connections,
                pace: .open(perSecond: perSecond), warmUp: 0, seconds: seconds)
            lab.note("\(perSecond) orders/s for \(seconds.text()) s on \(lab.options.engine.rawValue)")
            let result = try await offer(plan, ledger: ledger, server: server, client: workspace.client, group: group)
            try await sink.stop()
            return result
        }
        try lab.discard(launch)
        return figures
    }

    private func offer(
        _ plan: LoadPlan, ledger: DeliveryLedger, server: TradewindServer, client: ControlClient,
        group: MultiThreadedEventLoopGroup
    ) async throws -> [Figure] {
        let loop = group.next()
        let before = try ProcessUse(of: server.process.id)
        let statementsBefore = try await client.counter("tradewind_sql_statements_total")
        let watch = Task { await Self.backlogs(of: ledger, on: loop) }
        let outcome = try await LoadRun(plan, on: loop) { ledger.accepted($0, now: $1) }.run()
        watch.cancel()
        let backlogs = await watch.value
        var patience = 30_000
        while try await loop.submit({ ledger.backlog }).get() > 0, patience > 0 {
            try await Task.sleep(for: .milliseconds(20))
            patience -= 20
        }
        let after = try ProcessUse(of: server.process.id)
        let statementsAfter = try await client.counter("tradewind_sql_statements_total")
        let summary = try await loop.submit { ledger.summary }.get()
        var statements: Double?
        if let statementsBefore, let statementsAfter, summary.accepted > 0 {
            statements = (statementsAfter - statementsBefore) / Double(summary.accepted)
        }
        return figures(
            outcome, summary, backlogs: backlogs, statements: statements,
            cpuSeconds: after.cpuSeconds - before.cpuSeconds, residentMiB: after.residentMiB)
    }

    /// Accepted but not delivered, once a second while the load lasts.
    private static func backlogs(of ledger: DeliveryLedger, on loop: any EventLoop) async -> [Double] {
        var samples: [Double] = []
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(1))
                samples.append(Double(try await loop.submit { ledger.backlog }.get()))
            } catch {
                break  // only the sleep throws, when the load is over
            }
        }
        return samples
    }

    private func figures(
        _ outcome: LoadOutcome, _ ledger: DeliveryLedger.Summary, backlogs: [Double], statements: Double?,
        cpuSeconds: Double, residentMiB: Double
    ) -> [Figure] {
        let engine = lab.options.engine.rawValue
        let times = ledger.latencies.percentiles([0.5, 0.99, 1])
        let slope = growth(of: backlogs)
        let isWhole =
            outcome.refused.isEmpty && ledger.delivered == ledger.accepted && ledger.accepted == outcome.sent
            && ledger.wrongSignatures == 0 && ledger.checkedSignatures > 0
        let end = Figure(
            name: "accept → delivered p99, \(perSecond) orders/s for \(seconds.text()) s", engine: engine,
            measured: "\(times[1].text(1)) ms",
            beside: "p50 \(times[0].text(1)), max \(times[2].text(1)) ms; \(ledger.delivered) of \(ledger.accepted) "
                + "delivered, \(ledger.repeated) twice; \(ledger.checkedSignatures) signatures checked, "
                + "\(ledger.wrongSignatures) wrong; \(outcome.refused.values.reduce(0, +)) refused",
            target: "≤ 250 ms", isMet: times[1] <= 250 && isWhole, samples: ["p50_p99_max_ms": times])
        // One per cent of the offered rate: over a minute that would be less than one second's orders.
        let backlog = Figure(
            name: "growth of the backlog", engine: engine, measured: "\(slope.text(2)) orders/s",
            beside: "highest \(Int(backlogs.max() ?? 0)), at the end \(Int(backlogs.last ?? 0))",
            target: "none", isMet: slope <= Double(perSecond) / 100, samples: ["backlog_each_second": backlogs])
        let cost = Figure(
            name: "SQL statements per order", engine: engine,
            measured: statements.map { $0.text(2) } ?? "not published",
            beside: "\((cpuSeconds * 1e6 / Double(max(1, ledger.accepted))).text()) µs of CPU per order; "
                + "\(residentMiB.text()) MiB resident",
            target: "≤ 10", isMet: statements.map { $0 <= 10 } ?? false,
            samples: ["cpu_seconds": [cpuSeconds], "resident_mib": [residentMiB]])
        return [end, backlog, cost]
    }

    /// The slope of a straight line through the second half of the samples, in orders per second.
    private func growth(of samples: [Double]) -> Double {
        let half = Array(samples.dropFirst(samples.count / 2))
        guard half.count > 1 else { return 0 }
        let middle = Double(half.count - 1) / 2
        let mean = half.reduce(0, +) / Double(half.count)
        var above = 0.0
        var below = 0.0
        for (index, value) in half.enumerated() {
            above += (Double(index) - middle) * (value - mean)
            below += (Double(index) - middle) * (Double(index) - middle)
        }
        return above / below
    }
}

struct EndToEndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end-to-end", abstract: "Orders at a fixed rate from the signed request to the signed delivery.")

    @OptionGroup var options: LabOptions
    @Option(help: "Orders offered each second.") var rate = 1_000

    func run() async throws {
        try await Lab.report(options) { lab in
            let seconds = options.seconds ?? (options.quick ? 5 : 60)
            return try await Figure.taking {
                try await EndToEndFigure(lab: lab, perSecond: rate, seconds: seconds).take()
            }
        }
    }
}
