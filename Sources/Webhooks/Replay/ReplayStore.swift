import Events
import Kernel
import Storage

/// The rows of replays.
enum ReplayStore {
    private static let columns = """
        id, tenant_id, org_id, subscription_id, since, until, event_types, selection, rate, state, reason, total,
        queued, last_position, end_position, paced_until, requested_by, created_at, updated_at, finished_at,
        unsure_from
        """

    private static func decode(_ row: any Row) -> Replay {
        Replay(
            id: row.id(0), scope: Scope(tenant: row.id(1), organisation: row.id(2)), subscription: row.id(3),
            since: row.time(4), until: row.time(5),
            patterns: row.text(6).split(separator: " ").compactMap { EventPattern(stored: String($0)) },
            selection: Replay.Selection(rawValue: row.text(7)) ?? .all, rate: row.intOrNil(8).map(Int.init),
            state: Replay.State(rawValue: row.text(9)) ?? .cancelled, reason: row.textOrNil(10),
            total: Int(row.int(11)), queued: Int(row.int(12)), lastPosition: row.int(13), endPosition: row.int(14),
            pacedUntil: row.time(15), requestedBy: row.id(16), createdAt: row.time(17), updatedAt: row.time(18),
            finishedAt: row.timeOrNil(19), unsureFrom: row.idOrNil(20))
    }

    static func insert(_ replay: Replay, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO replay (id, tenant_id, org_id, subscription_id, since, until, event_types, selection, rate,
                state, total, queued, last_position, end_position, paced_until, requested_by, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', $10, 0, $11, $12, $13, $14, $13, $13)
            """,
            [
                .id(replay.id), .id(replay.scope.tenant), .id(replay.scope.organisation), .id(replay.subscription),
                .time(replay.since), .time(replay.until),
                .text(replay.patterns.map(\.description).joined(separator: " ")), .text(replay.selection.rawValue),
                .int(replay.rate.map(Int64.init)), .int(replay.total), .int(replay.lastPosition),
                .int(replay.endPosition), .time(replay.createdAt), .id(replay.requestedBy),
            ])
    }

    static func fetch(_ id: ReplayID, scope: Scope, in transaction: any Transaction) throws -> Replay? {
        try ask(id, scope: scope, in: transaction).first()
    }

    static func ask(_ id: ReplayID, scope: Scope, in transaction: any Transaction) throws -> Asked<Replay> {
        try transaction.ask(
            Statement(composed: "SELECT \(columns) FROM replay WHERE id = $1 AND tenant_id = $2 AND org_id = $3"),
            [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    /// The same for whoever is going to change it: the row stays locked to the end of the transaction, so that a pause
    /// and the next deliveries can't pass each other.
    static func hold(_ id: ReplayID, scope: Scope, in transaction: any Transaction) throws -> Replay? {
        try transaction.first(
            Statement(
                composed: """
                    SELECT \(columns) FROM replay WHERE id = $1 AND tenant_id = $2 AND org_id = $3 {for update}
                    """), [.id(id), .id(scope.tenant), .id(scope.organisation)], decode)
    }

    /// Newest first.
    static func list(
        scope: Scope, before: ReplayID?, limit: Int, in transaction: any Transaction
    ) throws -> [Replay] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(columns) FROM replay
                    WHERE tenant_id = $1 AND org_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
                    """),
            [
                .id(scope.tenant), .id(scope.organisation), .id(before ?? ReplayID(high: .max, low: .max)),
                .int(limit),
            ], decode)
    }

    /// Replays of a tenant that are not at their end. The tenant's row is locked first, so that two that begin at once
    /// can't both be the last one allowed.
    static func openCount(_ tenant: TenantID, in transaction: any Transaction) throws -> Int {
        try TenantLock.take(tenant, in: transaction)
        return try transaction.first(
            "SELECT count(*) FROM replay WHERE tenant_id = $1 AND state IN ('running', 'paused')", [.id(tenant)]
        ) { Int($0.int(0)) } ?? 0
    }

    // MARK: How far it is

    /// Makes a claim the one that sends: what is sent under another one is not written any more. Returns the events
    /// that may lie behind its last position and have deliveries already.
    ///
    /// - Parameter least: the id of a delivery that is less than all that this claim sends.
    static func take(
        _ replay: Replay, for claim: Int64, least: DeliveryID, in transaction: any Transaction
    ) throws -> (doubts: Set<EventID>, unsureFrom: DeliveryID) {
        let doubts = try replay.unsureFrom.map { try written(replay.id, from: $0, in: transaction) } ?? []
        let unsure = doubts.isEmpty ? least : min(least, replay.unsureFrom ?? least)
        try transaction.execute(
            "UPDATE replay SET sender = $2, unsure_from = $3 WHERE id = $1",
            [.id(replay.id), .int(claim), .id(unsure)])
        return (doubts, unsure)
    }

    /// The events of a replay's deliveries from one of them on.
    static func written(
        _ id: ReplayID, from first: DeliveryID, in transaction: any Transaction
    ) throws -> Set<EventID> {
        Set(
            try transaction.all(
                "SELECT event_id FROM delivery WHERE replay_id = $1 AND id >= $2", [.id(id), .id(first)]
            ) { $0.id(0) })
    }

    /// Notes how far the feed is done with, and deliveries that the same transaction has written.
    static func advance(
        _ replay: Replay, to position: Int64, queued: Int = 0, unsureFrom: DeliveryID?, pacedUntil: Timestamp,
        now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE replay SET last_position = $2, queued = queued + $3, unsure_from = $4, paced_until = $5,
                updated_at = $6
            WHERE id = $1
            """,
            [
                .id(replay.id), .int(position), .int(queued), .id(unsureFrom), .time(pacedUntil), .time(now),
            ])
    }

    /// What is under way of a cancelled one is not written any more.
    static func setState(
        _ state: Replay.State, reason: String?, of id: ReplayID, now: Timestamp, in transaction: any Transaction
    ) throws {
        let isOver = state == .completed || state == .cancelled
        try transaction.execute(
            """
            UPDATE replay SET state = $2, reason = $3, updated_at = $4, finished_at = $5,
                sender = CASE WHEN $2 = 'cancelled' THEN 0 ELSE sender END
            WHERE id = $1
            """, [.id(id), .text(state.rawValue), .text(reason), .time(now), .time(isOver ? now : nil)])
    }

    static func setRate(_ rate: Int?, of id: ReplayID, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE replay SET rate = $2, paced_until = $3, updated_at = $3 WHERE id = $1",
            [.id(id), .int(rate.map(Int64.init)), .time(now)])
    }

    // MARK: Deliveries

    /// Deliveries that were written and neither taken nor given up.
    static func askWaiting(_ id: ReplayID, in transaction: any Transaction) throws -> Asked<Int> {
        try transaction.ask(
            "SELECT count(*) FROM delivery WHERE replay_id = $1 AND state = 'pending'", [.id(id)]
        ) { Int($0.int(0)) }
    }

    /// Deliveries by what became of them.
    static func outcomes(_ id: ReplayID, in transaction: any Transaction) throws -> [String: Int] {
        Dictionary(
            try transaction.all(
                "SELECT state, count(*) FROM delivery WHERE replay_id = $1 GROUP BY state", [.id(id)]
            ) { ($0.text(0), Int($0.int(1))) }
        ) { first, _ in first }
    }

    /// Ends what a cancelled replay still has to send; what is on its way right now, or held by another copy of the
    /// server, arrives all the same.
    static func skipWaiting(_ id: ReplayID, now: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE delivery SET state = 'skipped', reason = 'the replay was cancelled', claim = 0, finished_at = $2
            WHERE replay_id = $1 AND state = 'pending'
            """, [.id(id), .time(now)])
    }
}
