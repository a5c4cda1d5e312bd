import Events
import Kernel

@testable import Webhooks

extension DeliveryJudge {
    /// Replays come to an end, and send each event that they were asked for once.
    func replays() -> [String] {
        let rows = Dictionary(grouping: account.rows.filter(\.isReplay), by: \.replay)
        var found: [String] = []
        for replay in account.replays {
            guard let index = ledger.subscriptions.firstIndex(of: replay.subscription) else { continue }
            let mine = rows[replay.id] ?? []
            found += judge(replay, mine, ledger.endpoints[index]).map { "s\(index) replay \(replay.id): \($0)" }
        }
        return found + resent(rows)
    }

    private func judge(_ replay: Replay, _ rows: [Row], _ endpoint: SimulatedEndpoint) -> [String] {
        var found: [String] = []
        if replay.state == .running { found.append("it goes on for ever") }
        let events = Set(rows.map(\.event))
        if events.count != rows.count { found.append("a replay sends it \(rows.count - events.count) times too often") }
        if replay.queued != rows.count { found.append("a replay says \(replay.queued) and wrote \(rows.count)") }
        let range = ledger.written.filter { _, written in
            endpoint.wants(written.event.type) && written.number >= endpoint.least
                && (replay.since..<replay.until).contains(written.event.occurredAt)
        }
        if !events.isSubset(of: range.keys) { found.append("a replay sends what nobody asked for") }
        // What was committed in the moment in which it began may be in it or not.
        let wanted = range.filter { $0.value.at + Self.skewMost < replay.createdAt }
        if replay.state == .completed, replay.selection == .all, !events.isSuperset(of: wanted.keys) {
            found.append("a replay leaves out \(Set(wanted.keys).subtracting(events).count) events")
        }
        return found
    }

    /// An event that somebody had sent once more has a delivery for it.
    private func resent(_ rows: [ReplayID?: [Row]]) -> [String] {
        let known = Set(account.replays.map(\.id))
        var counts: [DeliveryLedger.Pair: Int] = [:]
        for (replay, rows) in rows where replay.map({ known.contains($0) }) == false {
            for row in rows {
                guard let index = ledger.subscriptions.firstIndex(of: row.subscription) else { continue }
                counts[.init(endpoint: index, event: row.event), default: 0] += 1
            }
        }
        return ledger.resent.compactMap { pair, count in
            counts[pair, default: 0] >= count ? nil : "s\(pair.endpoint) \(pair.event): it was to be sent once more"
        }
    }
}
