import HTTPTypes
import Kernel
import Storage
import TestSupport

@testable import Webhooks

/// Days of deliveries in a moment: two copies of the server over one store, endpoints that fail and heal, and a clock
/// that leaps to whatever comes next. All that happens, and in which order, follows from the seed.
///
/// One task drives it. Jobs of the engine run only when it says so; bodies of transactions run on the engine's thread
/// while it waits for them. So nothing in here is touched by two at once.
final class SimulatedWorld: @unchecked Sendable {
    struct Terms: Sendable {
        let seed: UInt64
        /// Endpoints fail always, and nothing else happens: each retry is due to the minute.
        var isCalm = false
        var sabotage: Sabotage?
    }

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

    let terms: Terms
    let base: any Database
    let time: ManualTime
    let executor = StepExecutor()
    let ledger: DeliveryLedger
    /// The node that stands at each place now.
    var nodes: [SimulatedNode] = []
    var random: SeededRandom
    var agenda: [(due: Timestamp, action: Action)] = []
    var doomsReached: Set<NodeLife.Doom> = []
    private var works: [Waiting] = []
    private var calls: [Call] = []
    /// When the store is to be looked at again.
    private var lookAt: Timestamp?
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
        random = SeededRandom(seed: terms.seed &* 7919)
        let endpoints = SimulatedEndpoint.all(from: time.now, isCalm: terms.isCalm, &random)
        ledger = DeliveryLedger(endpoints: endpoints)
    }

    func chance(_ one: UInt64) -> Bool { random.next(upperBound: one) == 0 }

    func draw(_ bound: Int) -> Int { Int(random.next(upperBound: UInt64(bound))) }

    // MARK: Running

    private static let stepsMost = 400_000

    /// Runs until every delivery has ended and nothing is planned any more.
    func run() async throws {
        try await begin()
        while true {
            steps += 1
            if steps > Self.stepsMost {
                ledger.accuse("it does not come to an end; \(time.now)")
                return
            }
            if executor.runOne(random.next()) { continue }
            if let next = nextWork() {
                await perform(next)
            } else if let index = calls.firstIndex(where: { $0.record.end <= time.now }) {
                answer(calls.remove(at: index))
            } else if let index = agenda.firstIndex(where: { $0.due <= time.now }) {
                try take(agenda.remove(at: index).action)
            } else if nodes.map({ $0.startRound() }).contains(true) {
                continue
            } else if try await !leap() {
                return
            }
        }
    }

    /// Moves the clock to what comes next; false when nothing does.
    private func leap() async throws -> Bool {
        let now = time.now
        let store = try await base.read { try StoreOutlook.load(in: $0) }
        if store.isOver, agenda.isEmpty, works.isEmpty, calls.isEmpty { return false }
        if let due = store.nextLook(now: now),
            lookAt == nil || lookAt.map({ $0 > due + .seconds(1) || $0 <= now }) == true
        {
            lookAt = max(due, now) + .milliseconds(1 + draw(1000))
        }
        var moments = works.map(\.due) + calls.map(\.record.end) + agenda.map(\.due)
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
            for index in nodes.indices where index == first || chance(3) { nodes[index].wantsPoll = true }
        }
        return true
    }

    // MARK: The store

    func submit(_ work: Work, from life: NodeLife) {
        var delay = Duration.zero
        if !terms.isCalm, chance(25) { delay = .milliseconds(draw(chance(20) ? 90_000 : 3000)) }
        if delay > .seconds(5) { life.troubles.append(time.now) }
        works.append(Waiting(life: life, work: work, due: time.now + delay))
    }

    /// Any that is due, but writes of one node in their order.
    private func nextWork() -> Waiting? {
        var candidates: [Int] = []
        var seen: Set<ObjectIdentifier> = []
        for (index, waiting) in works.enumerated() {
            let isFirst = !waiting.work.isWrite || seen.insert(ObjectIdentifier(waiting.life)).inserted
            if isFirst, waiting.due <= time.now || waiting.life.isDead { candidates.append(index) }
        }
        return candidates.isEmpty ? nil : works.remove(at: candidates[draw(candidates.count)])
    }

    private struct Cut: Error {}

    private func perform(_ waiting: Waiting) async {
        let (life, work) = (waiting.life, waiting.work)
        let gone = StorageError(.unavailable, "the simulation took the store away")
        if life.isDead { return work.completion(gone) }
        let trouble = terms.isCalm || !chance(150) ? 3 : draw(3)
        if trouble < 3 { life.troubles.append(time.now) }
        if trouble == 0 { return work.completion(gone) }
        let (sabotage, salt, doom) = (terms.sabotage, random.next(), life.doom)
        let notes = Box(WatchedTransaction.Notes())
        let error: (any Error)? = await withCheckedContinuation { continuation in
            base.enqueue(
                Work(
                    lane: work.lane, isWrite: work.isWrite,
                    body: { transaction in
                        let watched = WatchedTransaction(transaction, sabotage: sabotage, draw: salt)
                        try work.body(watched)
                        notes.value = watched.notes
                        let isCut =
                            (doom == .midClaim && watched.notes.leases)
                            || (doom == .duringRecord && watched.notes.records)
                        if isCut || (trouble == 1 && work.isWrite) { throw Cut() }
                    }, completion: { continuation.resume(returning: $0) }))
        }
        if error == nil, work.isWrite { committed(notes.value) }
        let isHit: Bool =
            switch doom {
            case .midClaim: notes.value.leases
            case .duringRecord, .afterRecord: notes.value.records
            case .afterCommit: notes.value.deliveries
            case .afterSend, .anywhere, nil: false
            }
        if isHit { end(life) }
        // The commit may be there all the same: its answer is what was lost.
        work.completion(life.isDead || trouble < 3 ? gone : error)
    }

    /// Carries what a body saw out of it.
    private final class Box<Value>: @unchecked Sendable {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private func committed(_ notes: WatchedTransaction.Notes) {
        for (subscription, isOpen) in notes.breakers { ledger.breaker(subscription, isOpen: isOpen, at: time.now) }
        for (subscription, isActive) in notes.statuses { ledger.status(subscription, isActive: isActive, at: time.now) }
    }

    /// The power of one copy goes: what it has not written is lost, and nobody answers it any more.
    func end(_ life: NodeLife) {
        if life.isDead { return }
        if let doom = life.doom { doomsReached.insert(doom) }
        life.isDead = true
        life.troubles.append(time.now)
        let cut = calls.filter { $0.life === life }
        calls.removeAll { $0.life === life }
        for call in cut {
            ledger.cut(call.record, at: time.now)
            call.resume.resume(returning: .failure(ExchangeError(.body, "the power is gone")))
        }
        agenda.append((time.now + .seconds(1 + draw(400)), .restart(life.index)))
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
            end(life)
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

/// What the store holds for later.
struct StoreOutlook: Sendable {
    let dueAt: Timestamp?
    /// When an open breaker lets one of those through that wait for it. Without any it asks every few seconds in vain.
    let tryAt: Timestamp?
    let isHeld: Bool
    let isBehind: Bool

    var isOver: Bool { dueAt == nil && tryAt == nil && !isHeld && !isBehind }

    static func load(in transaction: any Transaction) throws -> StoreOutlook {
        let outlook = try transaction.first(
            """
            SELECT (SELECT min(next_at) FROM delivery WHERE state = 'pending' AND held = 0),
                (SELECT min(b.next_at) FROM breaker b WHERE EXISTS (
                    SELECT 1 FROM delivery d
                    WHERE d.subscription_id = b.subscription_id AND d.state = 'pending' AND d.held = 1)),
                (SELECT count(*) FROM delivery d WHERE state = 'pending' AND held = 1 AND NOT EXISTS (
                    SELECT 1 FROM breaker b WHERE b.subscription_id = d.subscription_id)),
                (SELECT count(*) FROM delivery WHERE state = 'pending' AND held = 2)
            """
        ) {
            StoreOutlook(
                dueAt: $0.timeOrNil(0), tryAt: $0.timeOrNil(1), isHeld: $0.int(2) > 0, isBehind: $0.int(3) > 0)
        }
        return outlook ?? StoreOutlook(dueAt: nil, tryAt: nil, isHeld: false, isBehind: false)
    }

    /// When a copy finds something to do: what is held back is found at each look, what stands behind others by sweeps.
    func nextLook(now: Timestamp) -> Timestamp? {
        [dueAt, tryAt, isHeld ? now : nil, isBehind ? now + .seconds(1800) : nil].compactMap { $0 }.min()
    }
}
