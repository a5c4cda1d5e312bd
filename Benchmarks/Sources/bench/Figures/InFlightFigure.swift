import ArgumentParser
import NIOPosix

/// Resident memory while many endpoints hang, each with as many calls under way as its subscription allows.
struct InFlightFigure {
    let lab: Lab
    let endpoints: Int
    let inFlight: Int

    /// A little less than the ten seconds after which a call has failed, so that calls follow each other.
    private static let heldMilliseconds: Int64 = 9_000

    func take() async throws -> [Figure] {
        // The sink has a connection for each call, and a socket for each endpoint.
        try OpenFiles.allow(inFlight + endpoints + 500)
        var (peaks, held): ([Double], [Double]) = ([], [])
        for round in 1...lab.rounds {
            lab.note("memory with \(inFlight) calls under way, round \(round) of \(lab.rounds)")
            let (peak, calls) = try await measure()
            peaks.append(peak)
            held.append(Double(calls))
        }
        let isFull = held.allSatisfy { $0 >= Double(inFlight) }
        return [
            Figure(
                name: "resident memory, \(endpoints) endpoints, \(inFlight) calls in flight",
                engine: lab.options.engine.rawValue,
                measured: "\(spread(peaks, 1)) MiB at most", beside: "\(spread(held)) calls at once at the sink",
                target: "≤ 300 MiB", isMet: median(peaks) <= 300 && isFull,
                samples: ["peak_mib": peaks, "calls_at_once": held])
        ]
    }

    /// The highest resident memory, and the most calls that were under way at once.
    private func measure() async throws -> (peakMiB: Double, calls: Int) {
        let sink = try await Sink(on: MultiThreadedEventLoopGroup(numberOfThreads: 1), endpoints: endpoints)
        let launch = try await lab.launch()
        let each = (inFlight + endpoints - 1) / endpoints
        let made = try await TradewindServer.with(launch) { server in
            try await Endpoint.subscribe(endpoints, of: sink, on: server, more: #","max_in_flight":\#(each)"#)
        }
        // Twice what goes out at once: the rest waits in memory and in the store, as it would.
        try await WaitingDeliveries(endpoints: made).add(2 * endpoints * each, waitingFor: .room, to: launch)
        sink.hold(Self.heldMilliseconds)
        let peak = try await TradewindServer.with(launch) { server in
            let deadline = ContinuousClock.now + .seconds(60)
            while sink.heldMost < inFlight, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            // Two rounds of calls, in which answers are recorded and new calls are made.
            try await Task.sleep(for: .milliseconds(2 * Self.heldMilliseconds))
            let peak = try ProcessUse(of: server.process.id).peakResidentMiB
            sink.hold(0)
            return peak
        }
        try await sink.stop()
        try lab.discard(launch)
        return (peak, sink.heldMost)
    }
}

struct InFlightCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "in-flight", abstract: "Resident memory with many calls to endpoints that hang.")

    @OptionGroup var options: LabOptions
    @Option(help: "Endpoints that hang.") var endpoints: Int?
    @Option(help: "Calls under way at once over all of them.") var inFlight: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let figure = InFlightFigure(
                lab: lab, endpoints: endpoints ?? (options.quick ? 100 : 1_000),
                inFlight: inFlight ?? (options.quick ? 1_000 : 10_000))
            return try await Figure.taking { try await figure.take() }
        }
    }
}
