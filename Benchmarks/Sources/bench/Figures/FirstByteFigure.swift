import ArgumentParser
import NIOCore
import NIOPosix

/// From the request that publishes an event to the event's first byte at an endpoint, on a system that does nothing
/// else: the commit between them included.
struct FirstByteFigure {
    let lab: Lab
    let events: Int

    /// Far enough apart that each finds the server at rest.
    private static let perSecond = 20
    private static let type = #"""
        {"name":"bench.ticked","summary":"A tick of the benchmark.","schema":{"type":"object",
        "properties":{"number":{"type":"string"}},"required":["number"]}}
        """#

    func take() async throws -> [Figure] {
        let engine = lab.options.engine.rawValue
        var (p50, p99): ([Double], [Double]) = ([], [])
        for round in 1...lab.rounds {
            lab.note("event to first byte on \(engine), round \(round) of \(lab.rounds)")
            let launch = try await lab.launch()
            let times = try await TradewindServer.with(launch) { try await publish(on: $0) }
            p50.append(times[0])
            p99.append(times[1])
            try lab.discard(launch)
        }
        return [
            Figure(
                name: "event → first byte at the endpoint, idle system, \(events) events", engine: engine,
                measured: "p50 \(spread(p50, 1)) ms, p99 \(spread(p99, 1)) ms",
                beside: "counted from the request that publishes it", target: "≤ 5 ms, ≤ 20 ms",
                isMet: median(p50) <= 5 && median(p99) <= 20, samples: ["p50_ms": p50, "p99_ms": p99])
        ]
    }

    /// The percentiles of one round.
    private func publish(on server: TradewindServer) async throws -> [Double] {
        // Driver and sink share one loop, so that both times come from one thread without a lock between them.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let workspace = try await Workspace(on: server)
        let client = workspace.client
        _ = try await client.require(
            client.post("/api/v1/webhooks/event-types", json: Self.type), 201, "registering a type")
        // The first second warms up.
        let ledger = TickLedger(
            NumberedRequests(
                "POST", "/api/v1/events", body: #"{"event_type":"bench.ticked","payload":{"number":"{n}"}}"#,
                headers: client.headers), count: events + Self.perSecond)
        let sink = try await Sink(on: group) { ledger.came($1, at: $2) }
        _ = try await workspace.subscribe(sink.url, types: "bench.ticked")
        try await ProcessUse.waitUntilIdle(server.process.id, atMost: .seconds(60))
        let plan = LoadPlan(
            port: server.port, requests: ledger, connections: 2, pace: .open(perSecond: Self.perSecond), warmUp: 0,
            seconds: Double(ledger.count) / Double(Self.perSecond))
        let outcome = try await LoadRun(plan, on: loop).run()
        guard outcome.refused.isEmpty else { throw BenchError("refused by status: \(outcome.refused)") }
        _ = try await sink.moment(when: ledger.count)
        let times = try await loop.submit { ledger.latencies(after: Self.perSecond) }.get()
        try await sink.stop()
        guard times.count == events else { throw BenchError("\(times.count) of \(events) events were told apart") }
        return times.percentiles([0.5, 0.99])
    }
}

/// When each request was written and when its event's first byte came. Touched on one event loop only.
private final class TickLedger: RequestSource, @unchecked Sendable {
    let count: Int
    private let requests: NumberedRequests
    private var sentAt: [Int64]
    private var cameAt: [Int64]

    var length: Int { requests.length }

    init(_ requests: NumberedRequests, count: Int) {
        self.requests = requests
        self.count = count
        sentAt = Array(repeating: 0, count: count)
        cameAt = Array(repeating: 0, count: count)
    }

    func write(_ number: Int, into buffer: inout ByteBuffer) {
        requests.write(number, into: &buffer)
        if number < count { sentAt[number] = LoadRun.now() }
    }

    func came(_ body: UnsafeRawBufferPointer, at: Int64) {
        guard let text = ByteSearch.string(after: "\"number\":", in: body), let number = Int(text), number < count
        else {
            return
        }
        if cameAt[number] == 0 { cameAt[number] = at }
    }

    func latencies(after first: Int) -> Latencies {
        var latencies = Latencies()
        for number in first..<count where cameAt[number] != 0 {
            latencies.record(nanoseconds: cameAt[number] - sentAt[number])
        }
        return latencies
    }
}

struct FirstByteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "first-byte", abstract: "From an event to its first byte at an endpoint, on an idle system.")

    @OptionGroup var options: LabOptions
    @Option(help: "Events of a round, twenty a second.") var events: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let events = events ?? (options.quick ? 40 : 600)
            return try await Figure.taking { try await FirstByteFigure(lab: lab, events: events).take() }
        }
    }
}
