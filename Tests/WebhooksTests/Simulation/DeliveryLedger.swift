import Events
import Kernel
import Storage
import Synchronization

@testable import Webhooks

/// What really happened, as the world saw it: every event that was written, every call that an endpoint got, and what
/// was wrong with it at once. The store's own account is compared with it in the end.
///
/// Touched by one at a time, as the world is.
final class DeliveryLedger: @unchecked Sendable {
    struct Pair: Hashable {
        let endpoint: Int
        let event: EventID
    }

    /// One call, as the endpoint saw it.
    final class Call {
        let pair: Pair
        let life: NodeLife
        let behaviour: SimulatedEndpoint.Behaviour
        let start: Timestamp
        /// The same by the caller's clock.
        let shownStart: Timestamp
        /// When it is answered.
        let end: Timestamp
        fileprivate(set) var isOver = false
        /// When its copy had last seen which breakers are open.
        let polledAt: Timestamp?

        init(
            _ pair: Pair, _ life: NodeLife, _ behaviour: SimulatedEndpoint.Behaviour, start: Timestamp, end: Timestamp
        ) {
            (self.pair, self.life, self.behaviour) = (pair, life, behaviour)
            (self.start, self.end, shownStart) = (start, end, life.now)
            polledAt = life.polledAt
        }

        /// Whether its copy knew what turned then. One that nobody has called for hours has not looked in that time.
        func knows(of time: Timestamp) -> Bool { polledAt.map { $0 > time } ?? false }

        var status: Int? {
            switch behaviour {
            case .answers(let status), .asksForPatience(let status, _): status
            case .hangs, .fails, .fickle: nil
            }
        }

        var isSuccess: Bool { status.map { (200..<300).contains($0) } ?? false }
    }

    /// An event that is committed.
    struct Written {
        let event: TransactionNotes.Event
        let number: Int
        let at: Timestamp
    }

    let endpoints: [SimulatedEndpoint]
    var subscriptions: [SubscriptionID] = []
    private(set) var written: [EventID: Written] = [:]
    /// Those whose publisher was told so.
    var acknowledged: Set<EventID> = []
    /// The numbers of changes, for filters.
    private var numbers: [EventID: Int] = [:]
    /// How many deliveries a pair may have: the first and its replays.
    private(set) var copies: [Pair: Int] = [:]
    private var replayed: Set<TransactionNotes.Copy> = []
    /// The replays of each subscription: before its row is there, each may send an event.
    private var replays: [SubscriptionID: [ReplayID]] = [:]
    /// Events that were sent once more, as those who asked for it were told.
    var resent: [Pair: Int] = [:]
    private(set) var calls: [Call] = []
    private var open: [Call] = []
    private(set) var accusations: [String] = []
    /// When each subscription was disabled and activated.
    private(set) var statuses: [Int: [(at: Timestamp, isActive: Bool)]] = [:]
    /// When calls to each endpoint began, from whichever copy.
    private var starts: [Int: [Timestamp]] = [:]
    private var breakers: [Int: Timestamp] = [:]
    /// Bounds on calls at once that callers set, and since when they know that they hold.
    private var bounds: [Int: (inFlight: Int, since: Timestamp)] = [:]
    private var succeededAt: [Int: Timestamp] = [:]
    private var health: [HealthLedger]
    /// How often a subscription was given up.
    private(set) var givenUp = 0

    init(endpoints: [SimulatedEndpoint], terms: HealthLedger.Terms) {
        self.endpoints = endpoints
        health = endpoints.map { HealthLedger(terms, isTold: !$0.isOperator) }
    }

    func accuse(_ sentence: String) { accusations.append(sentence) }

    // MARK: What is written

    /// What a filter is going to see of an event that may be committed.
    func number(_ event: EventID, is number: Int) { numbers[event] = number }

    /// A transaction is committed. Returns the subscriptions that it gave up.
    func committed(_ notes: TransactionNotes, at now: Timestamp) -> [Int] {
        if notes.isEmpty { return [] }
        for event in notes.events { written[event.id] = Written(event: event, number: numbers[event.id] ?? 0, at: now) }
        for (subscription, replay) in notes.replays { replays[subscription, default: []].append(replay) }
        for copy in notes.copies {
            guard let index = subscriptions.firstIndex(of: copy.subscription) else { continue }
            copies[Pair(endpoint: index, event: copy.event), default: 1] += 1
            if !replayed.insert(copy).inserted { accuse("\(now) s\(index) \(copy.event): a replay sends it twice") }
        }
        for fault in notes.faults { accuse("\(now) \(fault)") }
        var ended: [Int] = []
        let changes = Dictionary(grouping: notes.changes, by: \.subscription).mapValues { $0.map(\.change) }
        for (index, subscription) in subscriptions.enumerated() {
            guard let changes = changes[subscription] else { continue }
            for fault in health[index].follow(changes, at: now) { accuse("\(now) s\(index): \(fault)") }
            for change in changes {
                switch change {
                case .status(let isActive, let isCallers):
                    statuses[index, default: []].append((now, isActive))
                    if !isActive { breakers[index] = nil }
                    if !isActive, !isCallers { ended.append(index) }
                case .breakerOpened: if breakers[index] == nil { breakers[index] = now }
                case .breakerClosed: breakers[index] = nil
                case .attempted, .told: break
                }
            }
        }
        givenUp += ended.count
        return ended
    }

    func bound(_ index: Int, _ inFlight: Int, at now: Timestamp) { bounds[index] = (inFlight, now) }

    func isDisabled(_ index: Int) -> Bool { statuses[index]?.last?.isActive == false }

    // MARK: What is called

    func begin(
        _ request: OutgoingRequest, from life: NodeLife, at now: Timestamp,
        _ behave: (SimulatedEndpoint) -> (SimulatedEndpoint.Behaviour, Duration)
    ) -> Call {
        let endpoint = endpoints.first { request.url == $0.url } ?? endpoints[0]
        let event = request.header("webhook-id").flatMap { EventID($0) } ?? .zero
        let (behaviour, latency) = behave(endpoint)
        let call = Call(Pair(endpoint: endpoint.index, event: event), life, behaviour, start: now, end: now + latency)
        if written[event] == nil { accuse("\(name(call)): an event that nobody wrote") }
        check(call, endpoint)
        starts[endpoint.index, default: []].append(now)
        open.append(call)
        calls.append(call)
        return call
    }

    func end(_ call: Call) {
        call.isOver = true
        open.removeAll { $0 === call }
        if call.isSuccess { succeededAt[call.pair.endpoint] = call.end }
    }

    /// The caller is gone. The endpoint may have worked all the same.
    func cut(_ call: Call, at now: Timestamp) { open.removeAll { $0 === call } }

    func name(_ call: Call) -> String {
        "\(call.start) s\(call.pair.endpoint) \(call.pair.event) from node \(call.life.index)"
    }

    /// Replays that may be about to send an event, and have no row for it yet.
    private func unwritten(_ pair: Pair) -> Int {
        let subscription = subscriptions[pair.endpoint]
        return (replays[subscription] ?? []).count { replay in
            !replayed.contains(.init(subscription: subscription, replay: replay, event: pair.event))
        }
    }

    // MARK: What must never be

    /// Until each copy knows of a bound that is new, and calls that began before have ended.
    private static let boundGrace: Duration = .seconds(14)

    private func check(_ call: Call, _ endpoint: SimulatedEndpoint) {
        let (index, now, life) = (endpoint.index, call.start, call.life)
        let there = open.filter { $0.pair.endpoint == index }
        // Another copy may know the subscription as it was for two seconds.
        if let last = statuses[index]?.last, !last.isActive, now > last.at + .seconds(2) {
            accuse("\(name(call)): the subscription has been disabled since \(last.at)")
        }
        let allowed = copies[call.pair, default: 1] + unwritten(call.pair)
        if there.count(where: { $0.pair == call.pair }) >= allowed {
            accuse("\(name(call)): two hold the same delivery at once")
        }
        // Limits of its own are those of all copies together; a window that was grown is each one's.
        let bound = bounds[index].flatMap { $0.since + Self.boundGrace < now ? $0.inFlight : nil } ?? endpoint.inFlight
        let calls = bound == nil ? there.count { $0.life === life } : there.count
        if calls >= bound ?? 128 {
            accuse("\(name(call)): more calls at once than the window has room for")
        }
        if let rate = endpoint.rate {
            let recent = (starts[index] ?? []).count { $0 > now - .milliseconds(1000) } + 1
            if recent > rate + max(1, rate / 10) { accuse("\(name(call)): \(recent) calls within a second") }
        }
        if let opened = breakers[index], call.knows(of: opened), succeededAt[index].map({ $0 < opened }) ?? true,
            there.contains(where: { $0.start > opened + .seconds(1) && $0.knows(of: opened) })
        {
            accuse("\(name(call)): a second try while the breaker is open since \(opened)")
        }
    }
}
