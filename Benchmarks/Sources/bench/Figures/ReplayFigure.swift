import ArgumentParser
import FoundationEssentials
import NIOCore
import NIOPosix

/// A replay of many events through the API: its rate beside that of a fresh backlog to the same sink, and what
/// deliveries of new events notice of it, held against the same load of them without it.
struct ReplayFigure {
    let lab: Lab
    let count: Int
    /// New orders a second, before and during the replay.
    let perSecond: Int

    private struct Round {
        var rate = 0.0
        var (quietP99, besideP99) = (0.0, 0.0)
        /// New orders within the time of the replay.
        var samples = 0
    }

    private struct Begun: Decodable { let total: Int }

    func take() async throws -> [Figure] {
        let sinkGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var (fresh, rounds): ([Double], [Round]) = ([], [])
        for round in 1...lab.rounds {
            lab.note("a fresh backlog, round \(round) of \(lab.rounds)")
            let sink = try await Sink(on: sinkGroup)
            let launch = try await lab.launch()
            fresh.append(try await DeliveriesFigure(lab, count: min(count, 60_000)).drain(launch, to: sink))
            try await sink.stop()
            try lab.discard(launch)
            lab.note("replay of \(count) events, round \(round) of \(lab.rounds)")
            rounds.append(try await replay())
        }
        let rates = rounds.map(\.rate)
        let (quiet, beside) = (rounds.map(\.quietP99), rounds.map(\.besideP99))
        let ratio = median(rates) / median(fresh)
        let slower = median(beside) / median(quiet)
        return [
            Figure(
                name: "replay of \(count) events, beside \(perSecond) new orders/s",
                engine: lab.options.engine.rawValue, measured: "\(spread(rates))/s",
                beside: "fresh backlog \(spread(fresh))/s", ratio: ratio, target: "≥ 0.5 ×", isMet: ratio >= 0.5,
                samples: ["replayed_per_second": rates, "fresh_per_second": fresh]),
            Figure(
                name: "accept → delivered p99 of new orders during that replay, same endpoint",
                engine: lab.options.engine.rawValue,
                measured: "\(spread(beside, 1)) ms",
                beside: "before it \(spread(quiet, 1)) ms; \(rounds.map(\.samples).min() ?? 0) orders or more",
                ratio: slower, target: "≤ 2 ×", isMet: slower <= 2,
                samples: ["during_p99_ms": beside, "before_p99_ms": quiet]),
        ]
    }

    private func replay() async throws -> Round {
        // Driver and sink share one loop and one clock.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let launch = try await lab.launch()
        let tenant = try await KeptEvents.prepare(count, launch: launch).tenant
        let round = try await TradewindServer.with(launch) { server in
            let workspace = try await Workspace(on: server, tenant: tenant)
            // Longer than the replay is expected to last; orders accepted behind its end don't count.
            let load = (before: lab.seconds, during: 5 + Double(count) / 4_000)
            let (first, second) = (workspace.orders(), workspace.orders())
            let before = DeliveryLedger(run: first.run, capacity: Int(Double(perSecond) * load.before))
            let during = DeliveryLedger(run: second.run, capacity: Int(Double(perSecond) * load.during))
            let replayed = ReplayedCount(of: count)
            let sink = try await Sink(on: group) { head, body, now in
                if before.delivered(head: head, body: body, now: now) { return }
                if !during.delivered(head: head, body: body, now: now) { replayed.came(at: now) }
            }
            let subscription = try await workspace.subscribe(sink.url)
            try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(60))
            let offer = Offer(port: server.port, connections: lab.options.connections, perSecond: perSecond)
            try await offer.make(first, for: load.before, ledger: before, on: group.next())
            async let offered: Void = offer.make(second, for: load.during, ledger: during, on: group.next())
            try await Task.sleep(for: .seconds(1))
            try await replay(to: subscription, workspace.client, replayed, on: group.next())
            try await offered
            try await Self.settle([before, during], on: group.next())
            let round = try await group.next().submit {
                let beside = during.latencies(acceptedFrom: replayed.beganAt, to: replayed.endedAt)
                return Round(
                    rate: replayed.perSecond, quietP99: before.summary.latencies.percentiles([0.99])[0],
                    besideP99: beside.percentiles([0.99])[0], samples: beside.count)
            }.get()
            try await sink.stop()
            return round
        }
        try lab.discard(launch)
        return round
    }

    /// Has everything that is kept sent again, and returns when it has come.
    private func replay(
        to subscription: Workspace.Subscribed, _ client: ControlClient, _ replayed: ReplayedCount,
        on loop: any EventLoop
    ) async throws {
        let since = Date.ISO8601FormatStyle().format(Date(timeIntervalSinceNow: -11 * 86_400))
        let path = "/api/v1/webhooks/replays"
        try await loop.submit { replayed.begin() }.get()
        // What the subscription has had meanwhile is not asked for again.
        let until = Date.ISO8601FormatStyle().format(Date(timeIntervalSinceNow: -60))
        let begun: Begun = try await client.require(
            client.post(
                path,
                json: #"{"subscription_id":"\#(subscription.id)","since":"\#(since)","until":"\#(until)"}"#),
            202, "a replay"
        ).decoded()
        let deadline = ContinuousClock.now + .seconds(60 + count / 500)
        try await loop.submit { replayed.count = begun.total }.get()
        while try await loop.submit({ !replayed.isOver }).get() {
            if ContinuousClock.now > deadline { throw BenchError("the replay did not end") }
            try await Task.sleep(for: .milliseconds(10))
        }
        guard begun.total > count / 10 * 9 else { throw BenchError("\(begun.total) of \(count) events are replayed") }
    }

    private static func settle(_ ledgers: [DeliveryLedger], on loop: any EventLoop) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await loop.submit({ ledgers.reduce(0) { $0 + $1.backlog } }).get() > 0 {
            if ContinuousClock.now > deadline { throw BenchError("not all was delivered in a minute") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// New orders at a fixed rate.
private struct Offer: Sendable {
    let port: Int
    let connections: Int
    let perSecond: Int

    func make(
        _ orders: OrderShape, for seconds: Double, ledger: DeliveryLedger, on loop: any EventLoop
    ) async throws {
        let plan = LoadPlan(
            port: port, requests: OrderRequests(orders, path: "/unified/webhook", prepared: 0),
            connections: connections, pace: .open(perSecond: perSecond), warmUp: 0, seconds: seconds)
        let outcome = try await LoadRun(plan, on: loop) { ledger.accepted($0, now: $1) }.run()
        guard outcome.refused.isEmpty else { throw BenchError("refused by status: \(outcome.refused)") }
    }
}

/// When the deliveries of a replay came. Touched on one event loop only.
private final class ReplayedCount: @unchecked Sendable {
    var count: Int
    private(set) var beganAt: Int64 = 0
    private(set) var endedAt: Int64 = 0
    private var came = 0
    private var firstTenthAt: Int64 = 0
    private var lastTenthAt: Int64 = 0

    init(of count: Int) { self.count = count }

    var isOver: Bool { came >= count }

    /// Between the first and the last tenth.
    var perSecond: Double { Double(count / 10 * 8) * 1e9 / Double(max(1, lastTenthAt - firstTenthAt)) }

    func begin() { beganAt = LoadRun.now() }

    func came(at now: Int64) {
        came += 1
        if came == count / 10 { firstTenthAt = now }
        if came == count / 10 * 9 { lastTenthAt = now }
        endedAt = now
    }
}

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "A replay's rate, and what new deliveries notice of it.")

    @OptionGroup var options: LabOptions
    @Option(help: "Events that are replayed.") var count: Int?
    @Option(help: "New orders each second beside it.") var rate = 200

    func run() async throws {
        try await Lab.report(options) { lab in
            let figure = ReplayFigure(lab: lab, count: count ?? (options.quick ? 5_000 : 100_000), perSecond: rate)
            return try await Figure.taking { try await figure.take() }
        }
    }
}
