import ArgumentParser
import NIOCore

/// Every page of a tenant's feed by one reader, from stores that keep more and more events, in alternating rounds.
struct FeedFigure {
    let lab: Lab
    /// Events kept, the fewest first.
    let counts: [Int]

    /// A small store is read again and again, for as long as a figure needs.
    private static let leastSeconds = 2.0

    func take() async throws -> [Figure] {
        var rates: [Int: [Double]] = [:]
        for round in 1...lab.rounds {
            for count in counts {
                let kept = try await lab.launch(keeping: count)
                lab.note("reading a feed of \(count), round \(round) of \(lab.rounds)")
                let rate = try await TradewindServer.with(kept.launch) { server in
                    try await read(
                        Workspace(on: server, tenant: kept.events.tenant).client, atLeast: count)
                }
                rates[count, default: []].append(rate)
            }
        }
        let first = counts.first.flatMap { rates[$0] }.map(median) ?? 0
        return counts.map { count in
            let found = rates[count] ?? []
            let ratio = median(found) / first
            return Figure(
                name: "feed of \(count) events, pages of 1000, one reader",
                engine: lab.options.engine.rawValue, measured: "\(spread(found)) events/s",
                beside: "of \(counts.first ?? count): \(first.text()) events/s", ratio: ratio,
                target: "≥ 50000 events/s, flat", isMet: median(found) >= 50_000 && ratio >= 0.8,
                samples: ["events_per_second": found])
        }
    }

    /// Events a second.
    private func read(_ client: ControlClient, atLeast count: Int) async throws -> Double {
        let began = LoadRun.now()
        var events = 0
        var seconds = 0.0
        repeat {
            let found = try await readOnce(client)
            guard found >= count else { throw BenchError("\(found) of \(count) events were read") }
            events += found
            seconds = Double(LoadRun.now() - began) / 1e9
        } while seconds < Self.leastSeconds
        return Double(events) / seconds
    }

    private func readOnce(_ client: ControlClient) async throws -> Int {
        var events = 0
        var after: String?
        repeat {
            let cursor = after.map { "&after=\($0)" } ?? ""
            let page = try await client.require(
                client.get("/api/v1/webhooks/events?limit=1000\(cursor)"), 200, "a page of the feed")
            let found = page.body.withUnsafeReadableBytes { bytes in
                (
                    ByteSearch.count(of: "\"occurred_at\":", in: bytes),
                    ByteSearch.string(after: "\"next_cursor\":", in: bytes)
                )
            }
            events += found.0
            after = found.0 < 1_000 ? nil : found.1
        } while after != nil
        return events
    }
}

struct FeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "How fast one reader gets through the event feed, however much is kept.")

    @OptionGroup var options: LabOptions
    @Option(help: "Events kept, the fewest first; may be repeated.") var count: [Int] = []

    func run() async throws {
        try await Lab.report(options) { lab in
            let usual = options.quick ? [2_000, 20_000] : [10_000, 1_000_000]
            return try await Figure.taking {
                try await FeedFigure(lab: lab, counts: count.isEmpty ? usual : count).take()
            }
        }
    }
}
