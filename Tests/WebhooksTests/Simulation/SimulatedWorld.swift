import HTTPTypes
import Kernel
import Storage
import TestSupport

@testable import Webhooks

/// Days of deliveries in a moment: two copies of the server over one store, endpoints that fail and heal, and a clock
/// that leaps to whatever comes next. All that happens, and in which order, follows from the seed.
///
/// One task drives it. Jobs of the engine run only when it says so; bodies of transactions run while it waits for them.
/// So nothing in here is touched by two at once.
final class SimulatedWorld: @unchecked Sendable {
    struct Terms: Sendable {
        let seed: UInt64
        /// Endpoints fail always, and nothing else happens: each retry is due to the minute.
        var isCalm = false
        /// One copy alone has the store, and keeps its leases in memory.
        var isAlone = false
        var sabotage: Sabotage?

        var copies: Int { isCalm || isAlone ? 1 : 2 }
    }

    /// A piece of work that waits for its turn at the store.
    struct Waiting {
        let life: NodeLife
        let work: Work
        let due: Timestamp
    }

    struct Call {
        let record: DeliveryLedger.Call
        let life: NodeLife
        let resume: CheckedContinuation<Result<IncomingResponse, ExchangeError>, Never>
    }

    /// Something of the engine that waits for a bell, or until then.
    struct Pause {
        let life: NodeLife
        let bell: Doorbell
        let due: Timestamp
        let resume: CheckedContinuation<Void, Never>
    }

    let terms: Terms
    let base: any Database
    let time: ManualTime
    let executor = StepExecutor()
    let ledger: DeliveryLedger
    let health: HealthLedger.Terms
    /// The node that stands at each place now.
    var nodes: [SimulatedNode] = []
    var random: SeededRandom
    var agenda: [(due: Timestamp, action: Action)] = []
    var doomsReached: Set<NodeLife.Doom> = []
    /// Subscriptions that were begun anew after they had been given up.
    var renewals = 0
    /// Copies that stopped as they should.
    var stops = 0
    var newestReplay: ReplayID?
    var works: [Waiting] = []
    var calls: [Call] = []
    private var pauses: [Pause] = []
    /// When the store is to be looked at again.
    private var lookAt: Timestamp?
    /// What the store holds for later, until something is written.
    var outlook: StoreOutlook?
    let book: StatementKind.Book
    private(set) var steps = 0
    private let moved: @Sendable (Timestamp) async throws -> Void

    /// - Parameter moved: told of each new present, for an engine with a clock of its own.
    init(
        _ terms: Terms, base: any Database, time: ManualTime,
        moved: @escaping @Sendable (Timestamp) async throws -> Void
    ) {
        self.terms = terms
        self.base = base
        self.time = time
        self.moved = moved
        book = StatementKind.Book(terms.sabotage)
        random = SeededRandom(seed: terms.seed &* 7919)
        let endpoints = SimulatedEndpoint.all(from: time.now, isCalm: terms.isCalm, &random)
        health = .drawn(isCalm: terms.isCalm, &random)
        ledger = DeliveryLedger(endpoints: endpoints, terms: health)
    }

    func chance(_ one: UInt64) -> Bool { random.next(upperBound: one) == 0 }

    func draw(_ bound: Int) -> Int { Int(random.next(upperBound: UInt64(bound))) }

    // MARK: Running

    /// A replay that waits for an endpoint that is down for days looks at it every two seconds.
    private static let stepsMost = 4_000_000
    /// Leaps between two chances for other tests: this one never waits for anything.
    private static let leapsInARow = 256

    /// Runs until every delivery has ended and nothing is planned any more.
    func run() async throws {
        try await begin()
        var leaps = 0
        while ledger.accusations.count < (terms.sabotage == nil ? 100 : 10) {
            steps += 1
            if steps > Self.stepsMost {
                ledger.accuse("it does not come to an end; \(time.now)")
                break
            }
            if executor.runOne(random.next()) { continue }
            if let next = nextWork() {
                await perform(next)
            } else if resumeOne() {
                continue
            } else if let index = calls.firstIndex(where: { $0.record.end <= time.now }) {
                answer(calls.remove(at: index))
            } else if let index = agenda.firstIndex(where: { $0.due <= time.now }) {
                try take(agenda.remove(at: index).action)
            } else if nodes.map({ $0.startRound() }).contains(true) {
                continue
            } else if let node = nodes.first(where: { $0.life.hasStopped && !$0.life.isDead }) {
                try await stopped(node.life)
            } else {
                if try await !leap() { break }
                leaps += 1
                if leaps % Self.leapsInARow == 0 { await Task.yield() }
            }
        }
        abandon()
    }

    /// Moves the clock to what comes next; false when nothing does.
    private func leap() async throws -> Bool {
        let now = time.now
        let store = try await look()
        if store.isOver, agenda.isEmpty, works.isEmpty, calls.isEmpty, pauses.isEmpty { return false }
        if let due = store.nextLook(now: now),
            lookAt == nil || lookAt.map({ $0 > due + .seconds(1) || $0 <= now }) == true
        {
            lookAt = max(due, now) + .milliseconds(1 + draw(1000))
        }
        var moments = works.map(\.due) + calls.map(\.record.end) + agenda.map(\.due) + pauses.map(\.due)
        moments += nodes.compactMap { $0.life.isDead ? nil : $0.wakesAt } + (lookAt.map { [$0] } ?? [])
        guard let next = moments.min() else {
            ledger.accuse("deliveries wait, and nothing will ever happen")
            return false
        }
        time.set(max(next, now + .milliseconds(1)))
        try await moved(time.now)
        if let look = lookAt, look <= time.now {
            lookAt = nil
            let first = draw(nodes.count)
            for index in nodes.indices where index == first || chance(3) {
                nodes[index].wantsPoll = true
                nodes[index].wantsReplays = store.replayAt.map { $0 <= time.now } ?? false
            }
        }
        return true
    }

    /// Lets go of all that still waits, so that no task of this world outlives it.
    private func abandon() {
        for node in nodes { end(node.life) }
        repeat {
            for waiting in works { waiting.work.completion(Self.gone) }
            works = []
        } while executor.runOne(0) || resumeOne() || !works.isEmpty
    }

    // MARK: The nodes' time

    /// How the engine's work is taken into the world's hands.
    func execution(of life: NodeLife) -> DispatchExecution {
        let (executor, beginning) = (executor, time.now)
        return DispatchExecution(
            start: { executor.start($0) }, lingers: false, uptime: { self.time.now - beginning },
            wait: { bell, limit in
                await withCheckedContinuation {
                    self.pauses.append(Pause(life: life, bell: bell, due: self.time.now + limit, resume: $0))
                }
            })
    }

    private func resumeOne() -> Bool {
        let index = pauses.firstIndex { $0.due <= time.now || $0.life.isDead || $0.bell.takeRing() }
        if let index { pauses.remove(at: index).resume.resume() }
        return index != nil
    }

    // MARK: The endpoints

    func begin(
        _ request: OutgoingRequest, from life: NodeLife,
        _ resume: CheckedContinuation<Result<IncomingResponse, ExchangeError>, Never>
    ) {
        if life.isDead { return resume.resume(returning: .failure(ExchangeError(.connect, "the power is gone"))) }
        let call = ledger.begin(request, from: life, at: time.now) { endpoint in
            var behaviour = endpoint.behaviour(at: time.now)
            if behaviour == .fickle { behaviour = .answers(chance(2) ? 200 : 502) }
            let latency = behaviour == .hangs ? 10_000 : 5 + draw(chance(8) ? 6000 : 300)
            return (behaviour, .milliseconds(latency))
        }
        calls.append(Call(record: call, life: life, resume: resume))
    }

    private func answer(_ call: Call) {
        let life = call.life
        ledger.end(call.record)
        if life.doom == .afterSend {
            end(life, by: .afterSend)
            return call.resume.resume(returning: .failure(ExchangeError(.body, "the power is gone")))
        }
        switch call.record.behaviour {
        case .answers(let status): call.resume.resume(returning: .success(IncomingResponse(status: status)))
        case .asksForPatience(let status, let seconds):
            let headers: HTTPFields = [.retryAfter: "\(seconds)"]
            call.resume.resume(returning: .success(IncomingResponse(status: status, headers: headers)))
        case .hangs, .fickle: call.resume.resume(returning: .failure(ExchangeError(.timeout, "no answer")))
        case .fails(let errorClass): call.resume.resume(returning: .failure(ExchangeError(errorClass, "as planned")))
        }
    }
}
