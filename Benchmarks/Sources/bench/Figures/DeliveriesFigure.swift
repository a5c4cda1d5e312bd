import ArgumentParser
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A backlog of deliveries for one endpoint, let go at once, beside two bare loops that post the same bytes to the same
/// sink: one of NIOHTTP1, one of AsyncHTTPClient.
///
/// The backlog is made by a sink that answers late while orders are imported: what is measured then is sending and
/// recording alone, not importing.
struct DeliveriesFigure {
    let lab: Lab
    let count: Int
    private let sinkGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let driverGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(_ lab: Lab, count: Int) {
        self.lab = lab
        self.count = count
    }

    func take() async throws -> [Figure] {
        let sample = SampleDelivery()
        let sink = try await Sink(on: sinkGroup) { head, body, _ in sample.keepFirst(head: head, body: body) }
        var deliveries: [Double] = []
        var bareLoops: [Double] = []
        var clientLoops: [Double] = []
        var attempts: [Double] = []
        for round in 1...lab.rounds {
            lab.note("deliveries on \(lab.options.engine.rawValue), round \(round) of \(lab.rounds)")
            let launch = try await lab.launch()
            deliveries.append(try await drain(launch, to: sink))
            if launch.databaseURL == nil {
                let file = try SQLiteFile(SQLiteFile.path(in: launch.dataFolder))
                attempts.append(Double(try file.integer("SELECT count(*) FROM attempt WHERE status = 200")))
            }
            try lab.discard(launch)
            bareLoops.append(try await bareLoop(sample, sink: sink))
            clientLoops.append(try await clientLoop(sample, sink: sink))
        }
        try await sink.stop()
        let isRecorded = attempts.allSatisfy { $0 >= Double(count) }
        let ratio = median(deliveries) / median(bareLoops)
        return [
            Figure(
                name: "deliveries with recorded attempt, one endpoint", engine: lab.options.engine.rawValue,
                measured: "\(median(deliveries).text())/s" + (isRecorded ? "" : ", attempts are missing"),
                beside: "bare NIOHTTP1 loop \(median(bareLoops).text())/s, "
                    + "AsyncHTTPClient loop \(median(clientLoops).text())/s",
                ratio: ratio, target: "≥ 0.25 ×", isMet: ratio >= 0.25 && isRecorded,
                samples: [
                    "deliveries": deliveries, "bare_loop": bareLoops, "client_loop": clientLoops,
                    "attempts_recorded": attempts,
                ])
        ]
    }

    /// Deliveries a second between the first and the last tenth of the backlog.
    private func drain(_ launch: TradewindServer.Launch, to sink: Sink) async throws -> Double {
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
            let first = try await moment(sink, when: start + held + (count - held) / 10)
            let last = try await moment(sink, when: start + held + (count - held) / 10 * 9)
            _ = try await moment(sink, when: start + count)
            // The attempts of the last ones are recorded after they were sent.
            try await Task.sleep(for: .seconds(1))
            return Double(last.count - first.count) * 1e9 / Double(max(1, last.at - first.at))
        }
    }

    private func moment(_ sink: Sink, when received: Int) async throws -> (count: Int, at: Int64) {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let count = sink.received
            if count >= received { return (count, LoadRun.now()) }
            if ContinuousClock.now > deadline {
                throw BenchError("\(received - count) deliveries did not come in two minutes")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func bareLoop(_ sample: SampleDelivery, sink: Sink) async throws -> Double {
        let (headers, body) = try sample.parts()
        return try await PostLoop(
            port: sink.port, path: "/deliveries", headers: headers, body: body, connections: lab.options.connections,
            seconds: min(lab.seconds, 5), on: driverGroup.next()
        ).run()
    }

    private func clientLoop(_ sample: SampleDelivery, sink: Sink) async throws -> Double {
        let (headers, body) = try sample.parts()
        var request = HTTPClientRequest(url: sink.url)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await clientLoop(request, sink: sink)
    }

    private func clientLoop(_ request: HTTPClientRequest, sink: Sink) async throws -> Double {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = lab.options.connections
        let client = HTTPClient(eventLoopGroupProvider: .shared(driverGroup), configuration: configuration)
        let seconds = min(lab.seconds, 5)
        let began = LoadRun.now()
        let end = began + Int64((seconds + 1) * 1e9)
        do {
            let sent = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<lab.options.connections {
                    group.addTask {
                        var sent = 0
                        while true {
                            let response = try await client.execute(request, timeout: .seconds(10))
                            _ = try await response.body.collect(upTo: 1 << 16)
                            let now = LoadRun.now()
                            if now >= end { return sent }
                            if now >= began + 1_000_000_000 { sent += 1 }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            try await client.shutdown()
            return Double(sent) / seconds
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}

/// The first delivery that came, so that the bare loops can post the very same bytes and fields.
private final class SampleDelivery: Sendable {
    private let kept = Mutex<(head: [UInt8], body: [UInt8])?>(nil)

    func keepFirst(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        kept.withLock { kept in
            if kept == nil { kept = (Array(head), Array(body)) }
        }
    }

    /// Its fields, but for those that tell of host, length and connection, and its body.
    func parts() throws -> (headers: HTTPHeaders, body: [UInt8]) {
        guard let (head, body) = kept.withLock({ $0 }) else { throw BenchError("no delivery came") }
        var headers = HTTPHeaders()
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            if name == "host" || name == "content-length" || name == "connection" { continue }
            headers.add(name: name, value: String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        return (headers, body)
    }
}

struct DeliveriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries", abstract: "Deliveries with recorded attempt beside a bare client loop.")

    @OptionGroup var options: LabOptions
    @Option(help: "Deliveries in the backlog.") var count: Int?

    func run() async throws {
        try await Lab.report(options) { lab in
            let count = count ?? (options.quick ? 3_000 : 60_000)
            return try await Figure.taking { try await DeliveriesFigure(lab, count: count).take() }
        }
    }
}
