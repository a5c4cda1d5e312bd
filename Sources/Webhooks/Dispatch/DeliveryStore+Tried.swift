import Events
import Kernel
import Storage

/// Deliveries whose rows come with their first attempt.
extension DeliveryStore {
    /// Writes deliveries of replays that were sent before they had rows, with what their first attempt came to. Returns
    /// those that are written: of a replay that somebody else sends by now, or that was cancelled, none is.
    ///
    /// The replay counts them in the same statement that asks who sends it, and its row stays locked: whoever takes it
    /// over sees all that was written before.
    static func insertTried(
        _ records: [AttemptRecord], now: Timestamp, in transaction: any Transaction
    ) throws -> Set<DeliveryID> {
        if records.isEmpty { return [] }
        let parts = Dictionary(grouping: records) { part(of: $0.delivery) }
        let held = try count(parts.mapValues(\.count), now: now, in: transaction)
        var rows = RowBatch([
            "replay_id": .uuid, "id": .uuid, "tenant_id": .uuid, "subscription_id": .uuid, "event_id": .uuid,
            "state": .text, "reason": .text, "attempts": .int, "next_at": .int, "created_at": .int,
            "finished_at": .int,
        ])
        rows.reserve(records.count)
        var written: Set<DeliveryID> = []
        for record in records where held.contains(part(of: record.delivery)) {
            let (delivery, (state, reason, due)) = (record.delivery, outcome(of: record.decision))
            rows.append(
                .id(delivery.replay), .id(delivery.id), .id(delivery.tenant), .id(delivery.subscription),
                .id(delivery.event.id), .text(state.rawValue), .text(reason), .int(delivery.attempts + 1),
                .time(due ?? now), .time(delivery.createdAt), .time(due == nil ? now : nil))
            written.insert(delivery.id)
        }
        if written.isEmpty { return [] }
        let retried = records.filter { record in
            if case .retry = record.decision { written.contains(record.delivery.id) } else { false }
        }
        try transaction.execute(
            """
            INSERT INTO delivery (replay_id, id, tenant_id, subscription_id, event_id, state, reason, attempts,
                next_at, claim, created_at, finished_at, held)
            SELECT replay_id, id, tenant_id, subscription_id, event_id, state, reason, attempts, next_at, 0,
                created_at, finished_at, 0
            FROM {rows} r
            """, rows: rows)
        try endRetries(of: retried.lazy.map(\.delivery), now: now, in: transaction)
        return written
    }

    /// Ends retries to subscriptions that were disabled while the first attempt was under way: what was pending then
    /// has been ended, and these were not among it.
    private static func endRetries(
        of deliveries: some Sequence<ReadyDelivery>, now: Timestamp, in transaction: any Transaction
    ) throws {
        for (id, tenant) in endpoints(of: deliveries) {
            if try SubscriptionStore.isActive(id, tenant: tenant, in: transaction) { continue }
            try skipPending(of: id, tenant: tenant, now: now, in: transaction)
        }
    }

    /// Deliveries that one claim of a replay sends.
    private struct Part: Hashable {
        let replay: ReplayID
        let claim: Int64
    }

    private static func part(of delivery: ReadyDelivery) -> Part {
        Part(replay: delivery.replay ?? .zero, claim: delivery.claim)
    }

    /// Counts what replays are about to have written, and returns the parts whose claim still sends.
    private static func count(
        _ parts: [Part: Int], now: Timestamp, in transaction: any Transaction
    ) throws -> Set<Part> {
        var rows = RowBatch(["of_replay": .uuid, "shown_claim": .int, "tried": .int])
        // In one order for all transactions, so that no two wait for each other.
        for (part, count) in parts.sorted(by: { $0.key.replay < $1.key.replay }) {
            rows.append(.id(part.replay), .int(part.claim), .int(count))
        }
        return Set(
            try transaction.all(
                """
                UPDATE replay SET queued = queued + r.tried, updated_at = $1 FROM {rows} r
                WHERE id = r.of_replay AND sender = r.shown_claim RETURNING id, sender
                """, [.time(now)], rows: rows
            ) { Part(replay: $0.id(0), claim: $0.int(1)) })
    }
}
