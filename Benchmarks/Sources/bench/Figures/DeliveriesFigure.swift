import ArgumentParser
import NIOPosix

/// A backlog of deliveries, let go at once, beside two bare loops that post the same bytes to the same endpoints: one
/// of NIOHTTP1, one of AsyncHTTPClient. Where there are many, it is told too what the loops do with one of them.
///
/// What is measured is sending and recording alone, not importing. For one endpoint the backlog is made by a sink that
/// answers late while orders are imported; for many, where each would have calls of its own under way meanwhile, it is
/// put into the stopped server's store.
struct DeliveriesFigure {
    let lab: Lab
    let count: Int
    let endpoints: Int
    private let sinkGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let driverGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(_ lab: Lab, count: Int, endpoints: Int = 1) {
        self.lab = lab
        self.count = count
        self.endpoints = endpoints
    }

    private var engine: Engine { lab.options.engine }

    func take() async throws -> [Figure] {
        let sample = SampleDelivery()
        let sink = try await Sink(on: sinkGroup, endpoints: endpoints) { head, body, _ in
            sample.keepFirst(head: head, body: body)
        }
        let floor = SinkFloor(lab: lab, sink: sink, endpoints: endpoints, sample: sample, group: driverGroup)
        let floorOfOne = SinkFloor(lab: lab, sink: sink, endpoints: 1, sample: sample, group: driverGroup)
        var (deliveries, bareLoops, clientLoops): ([Double], [Double], [Double]) = ([], [], [])
        var (bareLoopsOfOne, clientLoopsOfOne): ([Double], [Double]) = ([], [])
        var attempts: [Double] = []
        for round in 1...lab.rounds {
            lab.note("deliveries on \(engine.rawValue), round \(round) of \(lab.rounds)")
            let launch = try await lab.launch(engine)
            deliveries.append(
                endpoints == 1 ? try await drain(launch, to: sink) : try await drainStored(launch, to: sink))
            attempts.append(
                Double(try await launch.stoppedStore().integer("SELECT count(*) FROM attempt WHERE status = 200")))
            try lab.discard(launch)
            bareLoops.append(try await floor.bareLoop())
            clientLoops.append(try await floor.clientLoop())
            if endpoints == 1 { continue }
            bareLoopsOfOne.append(try await floorOfOne.bareLoop())
            clientLoopsOfOne.append(try await floorOfOne.clientLoop())
        }
        try await sink.stop()
        let isRecorded = attempts.allSatisfy { $0 >= Double(count) }
        let ratio = median(deliveries) / median(bareLoops)
        let ofClient = median(deliveries) / median(clientLoops)
        let ofOne =
            endpoints == 1
            ? "" : "; to one endpoint they do \(spread(bareLoopsOfOne))/s and \(spread(clientLoopsOfOne))/s"
        return [
            Figure(
                name: "deliveries with recorded attempt, \(endpoints == 1 ? "one endpoint" : "\(endpoints) endpoints")",
                engine: engine.rawValue,
                measured: "\(spread(deliveries))/s" + (isRecorded ? "" : ", attempts are missing"),
                beside: "bare NIOHTTP1 loop \(spread(bareLoops))/s, "
                    + "AsyncHTTPClient loop \(spread(clientLoops))/s (\(ofClient.text(2)) ×)\(ofOne)",
                ratio: ratio, target: "≥ 0.25 ×; 0.8 × of the second",
                isMet: ratio >= 0.25 && ofClient >= 0.8 && isRecorded,
                samples: [
                    "deliveries": deliveries, "bare_loop": bareLoops, "client_loop": clientLoops,
                    "bare_loop_of_one": bareLoopsOfOne, "client_loop_of_one": clientLoopsOfOne,
                    "attempts_recorded": attempts,
                ])
        ]
    }

    /// Deliveries a second between the first and the last tenth of a backlog for one endpoint.
    func drain(_ launch: TradewindServer.Launch, to sink: Sink) async throws -> Double {
        try await TradewindServer.with(launch) { server in
            let workspace = try await Workspace(on: server)
            _ = try await workspace.subscribe(sink.url)
            let start = sink.received
            // Half of the ten seconds after which an attempt has failed.
            sink.hold(5_000)
            let requests = OrderRequests(workspace.orders(), path: "/unified/webhook", prepared: count)
            let plan = LoadPlan(
                port: server.port, requests: requests, connections: lab.options.connections, warmUp: 0, seconds: 600,
                limit: count)
            let outcome = try await LoadRun(plan, on: driverGroup.next()).run()
            guard outcome.accepted == count else { throw BenchError("not all were accepted: \(outcome.refused)") }
            try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(300))
            let held = sink.received - start
            lab.note("\(count - held) deliveries are waiting")
            sink.hold(0)
            let rate = try await sink.rate(of: count - held, after: start + held)
            // The attempts of the last ones are recorded after they were sent.
            try await Task.sleep(for: .seconds(1))
            return rate
        }
    }

    /// The same of a backlog for all endpoints, which the server finds at its start.
    private func drainStored(_ launch: TradewindServer.Launch, to sink: Sink) async throws -> Double {
        let made = try await TradewindServer.with(launch) { try await Endpoint.subscribe(endpoints, of: sink, on: $0) }
        try await WaitingDeliveries(endpoints: made).add(count, waitingFor: .room, to: launch)
        let start = sink.received
        return try await TradewindServer.with(launch) { _ in
            let rate = try await sink.rate(of: count, after: start)
            try await Task.sleep(for: .seconds(1))
            return rate
        }
    }
}

struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries", abstract: "Deliveries with recorded attempt beside a bare client loop.")

    @OptionGroup var options: LabOptions
    @Option(help: "Deliveries in the backlog.") var count: Int?
    @Option(help: "Endpoints that they are for; more than one: from the store.") var endpoints = 1

    func validate() throws {
        guard (1...10_000).contains(endpoints) else { throw ValidationError("1 to 10000 endpoints") }
    }

    func run() async throws {
        try await Lab.report(options) { lab in
            let count = count ?? (options.quick ? 3_000 : 60_000)
            return try await Figure.taking {
                try await DeliveriesFigure(lab, count: count, endpoints: endpoints).take()
            }
        }
    }
}
