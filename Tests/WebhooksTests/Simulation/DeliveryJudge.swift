import Events
import Kernel
import Storage

@testable import Webhooks

/// Compares the store's account with what really happened.
struct DeliveryJudge {
    struct Row: Sendable {
        let id: DeliveryID
        let subscription: SubscriptionID
        let event: EventID
        let state: String
        let reason: String?
        let attempts: Int
        let createdAt: Timestamp
        let finishedAt: Timestamp?
        let replay: ReplayID?

        var isReplay: Bool { replay != nil }
    }

    struct Attempt: Sendable {
        let delivery: DeliveryID
        let number: Int
        let startedAt: Timestamp
        let status: Int?
        let errorClass: String?
    }

    struct Account: Sendable {
        let rows: [Row]
        let attempts: [Attempt]
        let events: Set<EventID>
        let replays: [Replay]

        static func load(in transaction: any Transaction) throws -> Account {
            let rows = try transaction.all(
                """
                SELECT id, subscription_id, event_id, state, reason, attempts, created_at, finished_at, replay_id
                FROM delivery ORDER BY id
                """
            ) {
                Row(
                    id: $0.id(0), subscription: $0.id(1), event: $0.id(2), state: $0.text(3), reason: $0.textOrNil(4),
                    attempts: Int($0.int(5)), createdAt: $0.time(6), finishedAt: $0.timeOrNil(7),
                    replay: $0.idOrNil(8))
            }
            let attempts = try transaction.all(
                "SELECT delivery_id, number, started_at, status, error_class FROM attempt ORDER BY delivery_id, number"
            ) {
                Attempt(
                    delivery: $0.id(0), number: Int($0.int(1)), startedAt: $0.time(2),
                    status: $0.intOrNil(3).map { Int($0) }, errorClass: $0.textOrNil(4))
            }
            let events = try transaction.all("SELECT id FROM event") { $0.id(0) as EventID }
            let replays = try ReplayStore.list(scope: Hub.scope, before: nil, limit: 100, in: transaction)
            return Account(rows: rows, attempts: attempts, events: Set(events), replays: replays)
        }
    }

    /// What clocks may differ by: each is off by a quarter of a second at most.
    static let skewMost: Duration = .milliseconds(600)

    let ledger: DeliveryLedger
    let account: Account
    let isCalm: Bool
    private let attempts: [DeliveryID: [Attempt]]
    private let calls: [DeliveryLedger.Pair: [DeliveryLedger.Call]]

    init(_ ledger: DeliveryLedger, _ account: Account, isCalm: Bool) {
        (self.ledger, self.account, self.isCalm) = (ledger, account, isCalm)
        attempts = Dictionary(grouping: account.attempts, by: \.delivery)
        calls = Dictionary(grouping: ledger.calls, by: \.pair)
    }

    /// Everything that is wrong, the first things first.
    func judge() -> [String] {
        var unrecorded = calls
        var found = ledger.accusations + lost()
        for row in account.rows {
            guard let index = ledger.subscriptions.firstIndex(of: row.subscription) else { continue }
            let endpoint = ledger.endpoints[index]
            found += ending(row, endpoint) + history(row, endpoint, &unrecorded)
        }
        for call in unrecorded.values.joined() where !isExcused(call) {
            found.append("\(ledger.name(call)): the call is not among the attempts")
        }
        return found + order() + replays()
    }

    // MARK: Nothing is lost

    private func lost() -> [String] {
        var found = ledger.acknowledged.subtracting(account.events).map { "\($0): acknowledged and gone" }
        var firsts: [DeliveryLedger.Pair: [Row]] = [:]
        for row in account.rows where !row.isReplay {
            guard let index = ledger.subscriptions.firstIndex(of: row.subscription) else { continue }
            firsts[.init(endpoint: index, event: row.event), default: []].append(row)
        }
        for (id, written) in ledger.written where account.events.contains(id) {
            for endpoint in ledger.endpoints {
                let rows = firsts[.init(endpoint: endpoint.index, event: id)] ?? []
                let isWanted =
                    endpoint.wants(written.event.type)
                    && written.event.active.contains(ledger.subscriptions[endpoint.index])
                if rows.count != (isWanted ? 1 : 0) {
                    found.append("s\(endpoint.index) \(id): \(rows.count) deliveries of an event; wanted: \(isWanted)")
                }
                guard let row = rows.first else { continue }
                let isFiltered = row.state == "skipped" && row.attempts == 0 && row.reason?.contains("filter") == true
                if isFiltered != (written.number < endpoint.least) {
                    found.append("s\(endpoint.index) \(id): the filter is not kept: \(row.state) \(row.reason ?? "")")
                }
            }
        }
        return found
    }

    private func ending(_ row: Row, _ endpoint: SimulatedEndpoint) -> [String] {
        let name = "s\(endpoint.index) \(row.event) (\(row.state))"
        let calls = calls[.init(endpoint: endpoint.index, event: row.event)] ?? []
        switch row.state {
        case "delivered": return calls.contains { $0.isSuccess } ? [] : ["\(name): no endpoint got it"]
        case "skipped":
            let changes = ledger.statuses[endpoint.index] ?? []
            if row.reason?.contains("filter") == true { return [] }
            if let replay = account.replays.first(where: { $0.id == row.replay }), replay.state == .cancelled {
                return []
            }
            return row.reason == nil || !changes.contains { !$0.isActive } ? ["\(name): for no reason"] : []
        case "failed":
            if row.reason == nil { return ["\(name): for no reason"] }
            let last = attempts[row.id]?.last
            if last?.status == 410 { return [] }
            guard let last, row.attempts < endpoint.schedule.attempts else { return [] }
            let wait = endpoint.schedule.wait(after: row.attempts)
            if let window = endpoint.schedule.window,
                last.startedAt + .seconds(12) + wait + wait / 5 > row.createdAt + .seconds(window)
            {
                return []
            }
            return ["\(name): given up after \(row.attempts) attempts"]
        default: return ["\(name): has not ended"]
        }
    }

    // MARK: Attempts

    /// The attempts of one delivery against its calls and its schedule.
    private func history(
        _ row: Row, _ endpoint: SimulatedEndpoint,
        _ unrecorded: inout [DeliveryLedger.Pair: [DeliveryLedger.Call]]
    ) -> [String] {
        let name = "s\(endpoint.index) \(row.event)"
        let pair = DeliveryLedger.Pair(endpoint: endpoint.index, event: row.event)
        let attempts = attempts[row.id] ?? []
        var found: [String] = []
        if attempts.map(\.number) != Array(1..<(attempts.count + 1)) || attempts.count != row.attempts {
            found.append("\(name): attempts \(attempts.map(\.number)) of \(row.attempts)")
        }
        if attempts.count > endpoint.schedule.attempts { found.append("\(name): \(attempts.count) attempts") }
        var last: DeliveryLedger.Call?
        for attempt in attempts {
            guard
                let at = unrecorded[pair]?.firstIndex(where: {
                    $0.shownStart == attempt.startedAt && $0.status == attempt.status
                }), let call = unrecorded[pair]?.remove(at: at)
            else {
                found.append("\(name): attempt \(attempt.number) at \(attempt.startedAt) was never made")
                continue
            }
            if let last { found += wait(name, attempt.number - 1, last, call, endpoint) }
            if last?.isSuccess == true { found.append("\(name): attempt \(attempt.number) follows a success") }
            last = call
        }
        return found
    }

    private func wait(
        _ name: String, _ number: Int, _ last: DeliveryLedger.Call, _ next: DeliveryLedger.Call,
        _ endpoint: SimulatedEndpoint
    ) -> [String] {
        var wait = endpoint.schedule.wait(after: number)
        let longest = wait + wait / 5 + .seconds(5)
        if case .asksForPatience(_, let seconds) = last.behaviour { wait = max(wait, endpoint.patience(seconds)) }
        let passed = next.start - last.end
        if passed + Self.skewMost < wait { return ["\(name): attempt \(number + 1) after \(passed), not \(wait)"] }
        if isCalm, passed > longest { return ["\(name): attempt \(number + 1) only after \(passed), not \(wait)"] }
        return []
    }

    /// Whether something happened around a call that may cost its record, which is then made up for by another call.
    private func isExcused(_ call: DeliveryLedger.Call) -> Bool {
        let (from, to) = (call.start - .seconds(90), call.end + .seconds(120))
        // A copy whose record came late, after its lease, may have sent the same and written it down first.
        let rivals = (calls[call.pair] ?? []).filter { $0.start >= from && $0.start <= to }.map(\.life)
        let troubled = ([call.life] + rivals).contains { $0.troubles.contains { $0 >= from && $0 <= to } }
        let changed = ledger.statuses[call.pair.endpoint]?.contains { $0.at >= from && $0.at <= to } ?? false
        let subscription = ledger.subscriptions[call.pair.endpoint]
        let cancelled = account.replays.contains {
            $0.subscription == subscription && $0.state == .cancelled && $0.updatedAt >= from && $0.updatedAt <= to
        }
        return troubled || changed || cancelled
    }

    // MARK: Order

    /// On ordered subscriptions, no event of an entity goes out before the one before it has ended.
    private func order() -> [String] {
        var found: [String] = []
        for endpoint in ledger.endpoints where endpoint.isOrdered {
            let subscription = ledger.subscriptions[endpoint.index]
            let rows = account.rows.filter { $0.subscription == subscription }
            let entities = Dictionary(grouping: rows) { ledger.written[$0.event]?.event.entity }
            for rows in entities.values {
                for (before, after) in zip(rows, rows.dropFirst()) {
                    let pair = DeliveryLedger.Pair(endpoint: endpoint.index, event: after.event)
                    // The first call of an event belongs to its first delivery.
                    let first = after.isReplay ? attempts[after.id]?.first?.startedAt : calls[pair]?.first?.start
                    guard let begin = first, let end = before.finishedAt else { continue }
                    // Another copy's event of the same moment may have been committed only after this one was sent.
                    if let committed = ledger.written[before.event]?.at, committed > begin { continue }
                    if begin + Self.skewMost < end {
                        found.append("s\(endpoint.index) \(after.event): sent while \(before.event) waits until \(end)")
                    }
                }
            }
        }
        return found
    }
}
