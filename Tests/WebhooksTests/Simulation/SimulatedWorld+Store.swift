import Events
import Kernel
import Storage
import TestSupport

@testable import Webhooks

/// The nodes' way to the store: work waits here, meets trouble, and is noted when it is committed.
extension SimulatedWorld {
    static var gone: StorageError { StorageError(.unavailable, "the simulation took the store away") }

    func submit(_ work: Work, from life: NodeLife) {
        var delay = Duration.zero
        if !terms.isCalm, chance(25) { delay = .milliseconds(draw(chance(20) ? 90_000 : 3000)) }
        // Held up for longer than a lease, and somebody else sees to the deliveries meanwhile.
        if work.isWrite, let stall = life.stalledUntil, stall > time.now { delay = max(delay, stall - time.now) }
        if delay > .seconds(5) { life.troubles.append(time.now) }
        works.append(Waiting(life: life, work: work, due: time.now + delay))
    }

    /// Any that is due, but writes of one node in their order.
    func nextWork() -> Waiting? {
        var candidates: [Int] = []
        var seen: Set<ObjectIdentifier> = []
        for (index, waiting) in works.enumerated() {
            let isFirst = !waiting.work.isWrite || seen.insert(ObjectIdentifier(waiting.life)).inserted
            if isFirst, waiting.due <= time.now || waiting.life.isDead { candidates.append(index) }
        }
        return candidates.isEmpty ? nil : works.remove(at: candidates[draw(candidates.count)])
    }

    /// Of each seed: an endpoint that is down for a day would be given up again and again.
    private static let renewalsMost = 4

    private struct Cut: Error {}

    func perform(_ waiting: Waiting) async {
        let (life, work) = (waiting.life, waiting.work)
        if life.isDead { return work.completion(Self.gone) }
        let trouble = terms.isCalm || !chance(150) ? 3 : draw(3)
        if trouble < 3 { life.troubles.append(time.now) }
        if trouble == 0 { return work.completion(Self.gone) }
        let (book, salt, doom, isStopping) = (book, random.next(), life.doom, life.hasBegunToStop)
        let notes = Box(TransactionNotes())
        let error: (any Error)? = await withCheckedContinuation { continuation in
            base.enqueue(
                Work(
                    lane: work.lane, isWrite: work.isWrite,
                    body: { transaction in
                        if !work.isWrite { return try work.body(transaction) }
                        let watched = WatchedTransaction(transaction, book: book, draw: salt, isStopping: isStopping)
                        try work.body(watched)
                        notes.value = watched.notes
                        let isCut =
                            (doom == .midClaim && watched.notes.hasLeases)
                            || (doom == .duringRecord && watched.notes.hasRecords)
                        if isCut || trouble == 1 { throw Cut() }
                    }, completion: { continuation.resume(returning: $0) }))
        }
        if error == nil, work.isWrite { committed(notes.value, by: life) }
        let isHit: Bool =
            switch doom {
            case .midClaim: notes.value.hasLeases
            case .duringRecord, .afterRecord: notes.value.hasRecords
            case .afterCommit: notes.value.hasDeliveries
            case .afterSend, .anywhere, nil: false
            }
        if isHit { end(life, by: doom) }
        // The commit may be there all the same: its answer is what was lost.
        work.completion(life.isDead || trouble < 3 ? Self.gone : error)
    }

    /// Carries what a body saw out of it.
    private final class Box<Value>: @unchecked Sendable {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    private func committed(_ notes: TransactionNotes, by life: NodeLife) {
        outlook = nil
        life.claims.formUnion(notes.claims)
        for index in ledger.committed(notes, at: time.now) where renewals < Self.renewalsMost && !chance(3) {
            // Somebody begins anew, be the endpoint well again or not.
            renewals += 1
            let then = time.now + .seconds(60 + draw(chance(2) ? 900 : 30_000))
            agenda.append((then, .activate(index)))
            agenda.append((then + .seconds(5 + draw(20)), .publish(count: 1 + draw(3))))
        }
    }

    /// What the store holds for later; asked again only after something was written.
    func look() async throws -> StoreOutlook {
        if let outlook { return outlook }
        let found = try await base.read { try StoreOutlook.load(in: $0) }
        outlook = found
        for index in found.forgotten.compactMap({ ledger.subscriptions.firstIndex(of: $0) }) {
            ledger.accuse("\(time.now) s\(index): deliveries are pending, and the subscription is not active")
        }
        return found
    }

    // MARK: Ends of nodes

    /// The power of one copy goes: what it has not written is lost, and nobody answers it any more.
    func end(_ life: NodeLife, by doom: NodeLife.Doom? = nil) {
        if life.isDead { return }
        if let doom { doomsReached.insert(doom) }
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

    /// A copy has stopped as it was asked to. What it could not finish belongs to nobody now.
    func stopped(_ life: NodeLife) async throws {
        let now = time.now
        let left = try await base.read { transaction in
            try transaction.all(
                """
                SELECT subscription_id, event_id, claim, next_at FROM delivery
                WHERE state = 'pending' AND held = 0 AND claim <> 0 AND next_at > now_ms() + 16000
                """
            ) {
                (subscription: $0.id(0, of: Subscription.self), event: $0.id(1, of: Event.self), $0.int(2), $0.time(3))
            }
        }
        // What is lost on the way to the store is nobody's fault, and comes back when its lease ends.
        let isTroubled =
            life.troubles.contains { $0 > now - .seconds(150) } || works.contains { $0.life === life }
        for (subscription, event, claim, until) in left where !isTroubled && life.claims.contains(claim) {
            guard let index = ledger.subscriptions.firstIndex(of: subscription) else { continue }
            if calls.contains(where: { $0.life === life && $0.record.pair == .init(endpoint: index, event: event) }) {
                continue
            }
            ledger.accuse("\(now) s\(index) \(event): node \(life.index) has stopped and keeps a lease until \(until)")
        }
        for (subscription, holder) in try await backlogsHeld() where !isTroubled && life.claims.contains(holder) {
            guard let index = ledger.subscriptions.firstIndex(of: subscription) else { continue }
            if calls.contains(where: { $0.life === life && $0.record.pair.endpoint == index }) { continue }
            ledger.accuse("\(now) s\(index): node \(life.index) has stopped and keeps the backlog")
        }
        stops += 1
        end(life)
    }

    /// Backlogs that somebody takes from now.
    private func backlogsHeld() async throws -> [(SubscriptionID, holder: Int64)] {
        try await base.read { transaction in
            try transaction.all("SELECT subscription_id, holder FROM backlog_lease WHERE ends_at > now_ms()") {
                ($0.id(0), $0.int(1))
            }
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
    /// When a replay goes on.
    let replayAt: Timestamp?
    /// Subscriptions that are disabled or deleted, and have deliveries that wait.
    let forgotten: [SubscriptionID]

    var isOver: Bool { dueAt == nil && tryAt == nil && !isHeld && !isBehind && replayAt == nil }

    static func load(in transaction: any Transaction) throws -> StoreOutlook {
        let forgotten = try transaction.all(
            """
            SELECT DISTINCT d.subscription_id FROM delivery d
            WHERE d.state = 'pending' AND d.held IN (0, 1, 2) AND NOT EXISTS (
                SELECT 1 FROM subscription s WHERE s.id = d.subscription_id AND s.status = 'active')
            """
        ) { $0.id(0, of: Subscription.self) }
        let outlook = try transaction.first(
            """
            SELECT (SELECT min(next_at) FROM delivery WHERE state = 'pending' AND held = 0),
                (SELECT min(b.next_at) FROM breaker b WHERE EXISTS (
                    SELECT 1 FROM delivery d
                    WHERE d.subscription_id = b.subscription_id AND d.state = 'pending' AND d.held = 1)),
                (SELECT count(*) FROM delivery d WHERE state = 'pending' AND held = 1 AND NOT EXISTS (
                    SELECT 1 FROM breaker b WHERE b.subscription_id = d.subscription_id)),
                (SELECT count(*) FROM delivery WHERE state = 'pending' AND held = 2),
                (SELECT min(next_at) FROM workflow WHERE state = 'pending')
            """
        ) {
            StoreOutlook(
                dueAt: $0.timeOrNil(0), tryAt: $0.timeOrNil(1), isHeld: $0.int(2) > 0, isBehind: $0.int(3) > 0,
                replayAt: $0.timeOrNil(4), forgotten: forgotten)
        }
        return outlook
            ?? StoreOutlook(dueAt: nil, tryAt: nil, isHeld: false, isBehind: false, replayAt: nil, forgotten: [])
    }

    /// When a copy finds something to do: what is held back is found at each look, what stands behind others by sweeps.
    func nextLook(now: Timestamp) -> Timestamp? {
        [dueAt, tryAt, isHeld ? now : nil, isBehind ? now + .seconds(1800) : nil, replayAt].compactMap { $0 }.min()
    }
}
