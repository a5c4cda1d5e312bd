import Kernel
import TestSupport

/// A subscriber: what it asked for, and how its endpoint behaves as the days go by.
struct SimulatedEndpoint: Sendable {
    enum Behaviour: Sendable, Equatable {
        case answers(Int)
        case asksForPatience(status: Int, seconds: Int)
        case hangs
        case fails(ExchangeError.Class)
        case fickle
    }

    struct Episode: Sendable {
        let from: Timestamp
        let behaviour: Behaviour
    }

    /// When retries are due, in seconds after the failed attempt, written down here a second time on purpose.
    struct Schedule: Sendable {
        let waits: [Int]
        /// Attempts at most.
        let attempts: Int
        var window: Int?

        func wait(after attempts: Int) -> Duration { .seconds(waits[min(attempts, waits.count) - 1]) }

        static let synq = Schedule(
            waits: [5, 15, 45, 135, 405, 1215, 3645, 10_935, 21_600], attempts: 50, window: 72 * 3600)
        static let synthesq = Schedule(waits: [60, 300, 1800, 7200], attempts: 5)
        static let synctec = Schedule(waits: [30, 300, 3000], attempts: 4)
        static let standard = Schedule(
            waits: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400], attempts: 10)
        static let own = Schedule(waits: [7, 70, 700], attempts: 4)
    }

    let index: Int
    let profile: String
    let schedule: Schedule
    /// Members of the request beside the URL.
    let terms: String
    var rate: Int?
    var inFlight: Int?
    var isOrdered = false
    /// Its filter takes events whose number is at least this.
    var least = 0
    /// What it subscribes to.
    var types = "order."
    var episodes: [Episode]

    /// Whether it is told how the others are.
    var isOperator: Bool { types == "webhook." }

    func wants(_ type: String) -> Bool { type.hasPrefix(types) }

    var url: String { "https://s\(index).example.com/in" }

    func behaviour(at time: Timestamp) -> Behaviour {
        episodes.last { $0.from <= time }?.behaviour ?? .answers(200)
    }

    /// How soon an endpoint is asked to come back at the least, as far as the engine goes along with it.
    func patience(_ seconds: Int) -> Duration {
        .seconds(min(seconds, max(schedule.waits.max() ?? 0, 3600)))
    }

    // MARK: Making

    /// One for each profile, and one for each thing that a subscription may ask for besides.
    static func all(from start: Timestamp, isCalm: Bool, _ random: inout SeededRandom) -> [SimulatedEndpoint] {
        var all = [
            SimulatedEndpoint(index: 0, profile: "synq", schedule: .synq, terms: "", episodes: []),
            SimulatedEndpoint(index: 1, profile: "synthesq", schedule: .synthesq, terms: "", episodes: []),
            SimulatedEndpoint(index: 2, profile: "synctec", schedule: .synctec, terms: "", episodes: []),
            SimulatedEndpoint(index: 3, profile: "standard", schedule: .standard, terms: "", episodes: []),
            SimulatedEndpoint(
                index: 4, profile: "synq", schedule: .own,
                terms: #", "retry": {"delays_seconds": [7, 70, 700]}, "filter": {"number": {"$gte": 3}}"#, least: 3,
                episodes: []),
            SimulatedEndpoint(
                index: 5, profile: "synctec", schedule: .synctec, terms: #", "ordered": true, "max_in_flight": 2"#,
                inFlight: 2, isOrdered: true, episodes: []),
            SimulatedEndpoint(
                index: 6, profile: "synthesq", schedule: .synthesq, terms: #", "rate_limit": 1, "max_in_flight": 1"#,
                rate: 1, inFlight: 1, episodes: []),
            SimulatedEndpoint(
                index: 7, profile: "standard", schedule: .standard, terms: "", types: "webhook.", episodes: []),
        ]
        for index in all.indices {
            if !isCalm {
                all[index].episodes = episodes(from: start, &random)
            } else if !all[index].isOperator {
                all[index].episodes = [Episode(from: start, behaviour: .answers(500))]
            }
        }
        return all
    }

    /// A few bad times within the first three days; in the end all is well.
    private static func episodes(from start: Timestamp, _ random: inout SeededRandom) -> [Episode] {
        var episodes: [Episode] = []
        var time = start
        for _ in 0..<Int(random.next(upperBound: 5 as UInt64)) {
            time = time + .seconds(Int(random.next(upperBound: 50_000 as UInt64)))
            episodes.append(Episode(from: time, behaviour: trouble(&random)))
            // Mostly minutes, sometimes most of a day.
            let most: UInt64 = random.next(upperBound: 12 as UInt64) == 0 ? 60_000 : 2000
            time = time + .seconds(10 + Int(random.next(upperBound: most)))
            episodes.append(Episode(from: time, behaviour: .answers(random.next() % 2 == 0 ? 200 : 204)))
        }
        return episodes
    }

    private static func trouble(_ random: inout SeededRandom) -> Behaviour {
        switch random.next(upperBound: 14 as UInt64) {
        case 0, 1: .answers(500)
        case 2: .answers(301)
        case 3: .answers(404)
        case 4: .answers(410)
        case 5: .asksForPatience(status: 429, seconds: 90)
        case 6: .asksForPatience(status: 503, seconds: 20_000)
        case 7, 8: .hangs
        case 9: .fails(.connect)
        case 10: .fails(.body)
        case 11: .fails(.tls)
        case 12: .fails(.dns)
        default: .fickle
        }
    }
}
