import ArgumentParser
import NIOPosix

/// What claiming costs beside a million deliveries that can't go out now, held against a store without them.
///
/// Half of those parked are retries of later hours, half wait behind open breakers. Two things are measured, in
/// alternating rounds on two stores: claiming alone, of deliveries whose endpoints take none at the moment, so that
/// each is found, judged and written back and nothing is sent; and a backlog that is due and goes out.
struct ParkedFigure {
    let lab: Lab
    let parked: Int
    /// Deliveries that a round claims: processor time is counted in hundredths of a second, and a claim takes some
    /// microseconds.
    let due: Int
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private static let parkedEndpoints = 20
    /// So many that each has room for its share of what is due.
    private static let goodEndpoints = 40
    /// Sending takes longer than claiming, and needs no more for its rate.
    private static let sentMost = 40_000

    init(_ lab: Lab, parked: Int, due: Int) {
        self.lab = lab
        self.parked = parked
        self.due = due
    }

    /// A server's data with its endpoints.
    private struct Store {
        let launch: TradewindServer.Launch
        let good: WaitingDeliveries
        /// Open breakers; what is due for them is claimed and held back.
        let refusing: WaitingDeliveries
        var claims: [Double] = []
        var drains: [Double] = []
        var polls: [Double] = []
    }

    func take() async throws -> [Figure] {
        let sink = try await Sink(on: group, endpoints: Self.goodEndpoints)
        var without = try await prepare(0, sink)
        var with = try await prepare(parked, sink)
        for round in 1...lab.rounds {
            lab.note("claims without and with \(parked) parked, round \(round) of \(lab.rounds)")
            try await measure(&without, sink)
            try await measure(&with, sink)
        }
        try await sink.stop()
        try lab.discard(without.launch)
        try lab.discard(with.launch)
        let claims = median(with.claims) / median(without.claims)
        let drains = median(without.drains) / median(with.drains)
        return [
            Figure(
                name: "claiming beside \(parked) parked deliveries", engine: lab.options.engine.rawValue,
                measured: "\(spread(with.claims, 1)) µs of CPU each",
                beside: "without them \(spread(without.claims, 1)) µs; a second of polls "
                    + "\(spread(with.polls, 1)) and \(spread(without.polls, 1)) ms of CPU",
                ratio: claims, target: "≤ 1.2 ×", isMet: claims <= 1.2,
                samples: ["with_us": with.claims, "without_us": without.claims]),
            Figure(
                name: "cost of claiming and sending beside \(parked) parked deliveries",
                engine: lab.options.engine.rawValue,
                measured: "\(spread(with.drains))/s", beside: "without them \(spread(without.drains))/s", ratio: drains,
                target: "≤ 1.2 ×", isMet: drains <= 1.2,
                samples: ["with_per_second": with.drains, "without_per_second": without.drains]),
        ]
    }

    private func prepare(_ parked: Int, _ sink: Sink) async throws -> Store {
        let launch = try await lab.launch()
        let (good, late, broken, refusing) = try await TradewindServer.with(launch) { server in
            (
                try await Endpoint.subscribe(Self.goodEndpoints, of: sink, on: server),
                try await Endpoint.subscribe(Self.parkedEndpoints, of: sink, on: server),
                try await Endpoint.subscribe(Self.parkedEndpoints, of: sink, on: server),
                try await Endpoint.subscribe(Self.parkedEndpoints, of: sink, on: server)
            )
        }
        if parked > 0 {
            lab.note("parking \(parked) deliveries")
            try await WaitingDeliveries(endpoints: late).add(parked / 2, waitingFor: .later, to: launch)
            try await WaitingDeliveries(endpoints: broken).add(parked - parked / 2, waitingFor: .room, to: launch)
        }
        try await WaitingDeliveries(endpoints: broken).openBreakers(in: launch)
        let store = Store(
            launch: launch, good: WaitingDeliveries(endpoints: good), refusing: WaitingDeliveries(endpoints: refusing))
        try await store.refusing.openBreakers(in: launch)
        try await store.refusing.add(due, waitingFor: .room, to: launch)
        return store
    }

    private func measure(_ store: inout Store, _ sink: Sink) async throws {
        // A start with nothing to claim, and five seconds of polls: what the next start costs besides its claims.
        let (start, polls) = try await TradewindServer.with(store.launch) { server in
            try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(60))
            let before = try server.cpuSeconds
            try await Task.sleep(for: .seconds(5))
            return (before, try server.cpuSeconds - before)
        }
        store.polls.append(polls / 5 * 1e3)
        try await store.refusing.makeDue(in: store.launch)
        let claimed = try await TradewindServer.with(store.launch) { server in
            // While PostgreSQL looks for what is due, the server has nothing to do either.
            let end = ContinuousClock.now + .seconds(300)
            repeat {
                if ContinuousClock.now > end { throw BenchError("not all that was due was claimed") }
                try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(300))
            } while try await store.refusing.count("held = 1", in: store.launch) != due
            return try server.cpuSeconds
        }
        store.claims.append((claimed - start) / Double(due) * 1e6)
        let sent = min(due, Self.sentMost)
        try await store.good.add(sent, waitingFor: .due, to: store.launch)
        let received = sink.received
        store.drains.append(
            try await TradewindServer.with(store.launch) { _ in try await sink.rate(of: sent, after: received) })
    }
}

struct ParkedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parked", abstract: "Claiming with many parked deliveries beside claiming without.")

    @OptionGroup var options: LabOptions
    @Option(help: "Deliveries that can't go out.") var parked: Int?
    @Option(help: "Deliveries that each round claims.") var due: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let figure = ParkedFigure(
                lab, parked: parked ?? (options.quick ? 20_000 : 1_000_000),
                due: due ?? (options.quick ? 5_000 : 200_000))
            return try await Figure.taking { try await figure.take() }
        }
    }
}
