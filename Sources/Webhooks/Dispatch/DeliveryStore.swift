import Events
import Kernel
import Storage

/// The rows of deliveries and attempts.
///
/// Where a row is found by its id, the claim that the writer shows says that it is still pending. With
/// `state = 'pending'` beside the id PostgreSQL may take an index of all pending rows and walk the whole backlog. Where
/// no claim can be shown it says `coalesce(finished_at, 0) = 0`: for `finished_at IS NULL` there are statistics, which
/// are of another time.
///
/// A backlog is found `BETWEEN` an endpoint and itself, in the order of endpoints. For one that equals a value this
/// order means nothing, and PostgreSQL may look for the oldest in any index that ends in ids: among all that was ever
/// delivered.
enum DeliveryStore {
    /// What a delivery is born as.
    enum Birth {
        /// Leased to the process that writes it, which will send it after the commit.
        case leased
        /// Held back until its endpoint has room.
        case heldBack
        /// Never to be sent; the reason is kept with it.
        case skipped(reason: String)
    }

    static func newRows() -> RowBatch {
        RowBatch([
            "id": .uuid, "tenant_id": .uuid, "subscription_id": .uuid, "event_id": .uuid, "next_at": .int,
            "claim": .int, "created_at": .int, "held": .int, "ordered_by": .uuid, "skip_reason": .text,
            "replay_id": .uuid,
        ])
    }

    /// A delivery born leased is due when its lease ends.
    static func append(_ delivery: ReadyDelivery, _ birth: Birth, now: Timestamp, to rows: inout RowBatch) {
        var (next, claim, held, reason) = (now, Int64(0), Int64(0), String?.none)
        switch birth {
        case .leased: (next, claim) = (delivery.leaseEnds, delivery.claim)
        case .heldBack: held = 1
        case .skipped(let why): reason = why
        }
        rows.append(
            .id(delivery.id), .id(delivery.tenant), .id(delivery.subscription), .id(delivery.event.id),
            .time(next), .int(claim), .time(delivery.createdAt), .int(held), .id(delivery.orderedBy), .text(reason),
            .id(delivery.replay))
    }

    static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, reason, attempts, next_at, claim,
                created_at, finished_at, held, ordered_by, replay_id)
            SELECT id, tenant_id, subscription_id, event_id,
                CASE WHEN skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, skip_reason, 0, next_at, claim,
                created_at, CASE WHEN skip_reason IS NULL THEN NULL ELSE created_at END, held, ordered_by,
                replay_id
            FROM {rows} r
            """, rows: rows)
    }

    // MARK: Ending

    /// What came of writing attempts down.
    struct Recorded: Sendable {
        /// Those that count.
        let attempts: [AttemptRecord]
        /// Subscriptions that they disabled, because their endpoints said that they are gone.
        var gone: Set<SubscriptionID> = []
    }

    /// Writes down attempts and what follows. A record whose claim is no longer the delivery's changes nothing. A lease
    /// in memory shows no claim of its own: there the number of the attempt tells one that comes too late, and after
    /// the lease's end who has the backlog now.
    ///
    /// - Parameter process: the number that the writer leases backlogs under; nil where it has the store alone.
    @discardableResult
    static func record(
        _ records: [AttemptRecord], by process: Int64?, now: Timestamp, in transaction: any Transaction
    ) throws -> Recorded {
        // Those first, whose replays' rows are locked before those of deliveries, as a cancel does.
        let tried = try insertTried(records.filter(\.delivery.isUnwritten), now: now, in: transaction)
        var known = records.filter { !$0.delivery.isUnwritten }
        let lost = try lostBacklogs(of: known, by: process, now: now, in: transaction)
        if !lost.isEmpty {
            known.removeAll { $0.delivery.isLeasedInMemory && lost.contains($0.delivery.subscription) }
        }
        let ours = try update(known, now: now, in: transaction).union(tried)
        let counting = ours.count == records.count ? records : records.filter { ours.contains($0.delivery.id) }
        try AttemptStore.insert(counting, in: transaction)
        try freeSuccessors(
            of: counting.filter { $0.endsOrdered }.map(\.delivery), in: transaction)
        var recorded = Recorded(attempts: counting)
        for (id, tenant) in endpoints(of: counting.lazy.filter { $0.decision == .gone }.map(\.delivery)) {
            // Once: a replay's calls may be under way still when the first of them says so.
            let isNew = try SubscriptionStore.disable(
                id, tenant: tenant, reason: "the endpoint answered 410 Gone", now: now, in: transaction)
            if isNew { recorded.gone.insert(id) }
        }
        return recorded
    }

    /// Each endpoint of some deliveries once, in one order for all transactions: each takes the lock of a
    /// subscription's row.
    static func endpoints(of deliveries: some Sequence<ReadyDelivery>) -> [(SubscriptionID, TenantID)] {
        Dictionary(deliveries.lazy.map { ($0.subscription, $0.tenant) }) { first, _ in first }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Backlogs whose lease ended before what was sent under it is written down, and that another process has taken
    /// since: it sends the same deliveries, which must not become due for anybody else meanwhile.
    private static func lostBacklogs(
        of records: [AttemptRecord], by process: Int64?, now: Timestamp, in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        guard let process else { return [] }
        let late = records.lazy.map(\.delivery).filter { $0.isLeasedInMemory && $0.leaseEnds <= now }
        return try BacklogLeases.lost(among: Set(late.map(\.subscription)), by: process, in: transaction)
    }

    /// Writes down what became of deliveries that have rows, and returns those that are still the writer's.
    private static func update(
        _ records: [AttemptRecord], now: Timestamp, in transaction: any Transaction
    ) throws -> Set<DeliveryID> {
        if records.isEmpty { return [] }
        try lockOrders(of: records, in: transaction)
        var updates = RowBatch([
            "delivery_id": .uuid, "shown_claim": .int, "new_state": .text, "new_reason": .text, "number": .int,
            "due": .int, "finished": .int,
        ])
        updates.reserve(records.count)
        for record in records {
            let (state, reason, due) = outcome(of: record.decision)
            updates.append(
                .id(record.delivery.id), .int(record.delivery.claim), .text(state.rawValue), .text(reason),
                .int(record.delivery.attempts + 1), .time(due ?? now), .time(due == nil ? now : nil))
        }
        return Set(
            try transaction.all(
                """
                UPDATE delivery SET state = r.new_state, reason = r.new_reason, attempts = r.number, claim = 0,
                    held = 0, next_at = r.due, finished_at = r.finished
                FROM {rows} r WHERE id = r.delivery_id AND claim = r.shown_claim AND attempts = r.number - 1
                    AND coalesce(finished_at, 0) = 0
                RETURNING id
                """, rows: updates
            ) { $0.id(0, of: Delivery.self) })
    }

    /// In one order for all transactions, so that no two wait for each other.
    private static func lockOrders(of records: [AttemptRecord], in transaction: any Transaction) throws {
        let ordered = Set(records.lazy.filter { $0.endsOrdered }.map(\.delivery.subscription))
        for subscription in ordered.sorted() { try lockOrder(of: subscription, in: transaction) }
    }

    static func outcome(
        of decision: DeliveryDecision
    ) -> (state: DeliveryState, reason: String?, due: Timestamp?) {
        let state = DeliveryState.delivering.after(decision.move) ?? .delivering
        switch decision {
        case .delivered: return (state, nil, nil)
        case .retry(let due): return (state, nil, due)
        case .failed(let reason): return (state, reason, nil)
        case .gone: return (state, "the endpoint answered 410 Gone", nil)
        }
    }

    /// Why a delivery is skipped where nobody gave another reason for disabling its subscription.
    static let disabledReason = "the subscription is disabled"

    /// Deliveries that one transaction ends: a backlog has any size, and all others wait for the store meanwhile.
    static let skippedMost = 1024

    /// Ends deliveries of a subscription that is not active any more, a bounded number of them, and forgets that its
    /// endpoint failed. Returns whether there can be more: the caller goes on in a further transaction, or leaves it to
    /// the dispatcher, which comes upon what is left.
    @discardableResult
    static func skipPending(
        of subscription: SubscriptionID, reason: String, now: Timestamp, in transaction: any Transaction
    ) throws -> Bool {
        var left = skippedMost
        // Each value apart, so that the index gives the first of them without sorting the whole backlog.
        for held in 0...2 where left > 0 {
            left -= try transaction.executeCounting(
                """
                WITH part AS MATERIALIZED (
                    SELECT id FROM delivery
                    WHERE state = 'pending' AND held = $1 AND subscription_id BETWEEN $2 AND $2
                    ORDER BY subscription_id, id LIMIT $3
                )
                UPDATE delivery SET state = 'skipped', reason = $4, claim = 0, finished_at = $5
                WHERE id IN (SELECT id FROM part) AND coalesce(finished_at, 0) = 0
                """, [.int(held), .id(subscription), .int(left), .text(reason), .time(now)])
        }
        try BreakerStore.forget(subscription, in: transaction)
        return left == 0
    }

    /// The same for one that is disabled already, with the reason that was given then, if there was one.
    @discardableResult
    static func skipPending(
        of subscription: SubscriptionID, tenant: TenantID, otherwise other: String = disabledReason, now: Timestamp,
        in transaction: any Transaction
    ) throws -> Bool {
        let reason = try SubscriptionStore.statusReason(of: subscription, tenant: tenant, in: transaction)
        return try skipPending(of: subscription, reason: reason ?? other, now: now, in: transaction)
    }
}
