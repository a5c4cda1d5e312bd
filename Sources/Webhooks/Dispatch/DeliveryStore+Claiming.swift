import Events
import Kernel
import Storage

extension DeliveryStore {
    // MARK: Looking

    /// What a poll finds, by reading alone: an idle server writes nothing.
    struct Look: Sendable {
        let isDue: Bool
        /// Endpoints for which deliveries are held back, some of them at a time.
        let backlogs: [(SubscriptionID, TenantID)]
        let breakers: [BreakerStore.Stored]
    }

    static func look(
        backlogsAfter last: SubscriptionID, limit: Int, in transaction: any Transaction
    ) throws -> Look {
        Look(
            isDue: try isDue(in: transaction),
            backlogs: try endpoints(held: 1, after: last, limit: limit, in: transaction),
            breakers: try BreakerStore.all(in: transaction))
    }

    private static func isDue(in transaction: any Transaction) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 FROM delivery {through delivery_due} WHERE state = 'pending' AND held = 0 AND next_at <= now_ms()
            ORDER BY next_at LIMIT 1
            """
        ) { _ in true } ?? false
    }

    /// The endpoints that deliveries are held for, found by leaping from one to the next in the index: the cost is that
    /// of the endpoints, however many deliveries each has.
    ///
    /// - Parameter held: 1 for those that wait for room, 2 for those that wait behind one of their entity.
    static func endpoints(
        held: Int, after last: SubscriptionID, limit: Int, in transaction: any Transaction
    ) throws -> [(SubscriptionID, TenantID)] {
        try transaction.all(
            """
            WITH RECURSIVE leap (subscription_id) AS (
                SELECT (
                    SELECT subscription_id FROM delivery
                    WHERE state = 'pending' AND held = $1 AND subscription_id > $2
                    ORDER BY subscription_id, id LIMIT 1)
                UNION ALL
                SELECT (
                    SELECT d.subscription_id FROM delivery d
                    WHERE d.state = 'pending' AND d.held = $1 AND d.subscription_id > leap.subscription_id
                    ORDER BY d.subscription_id, d.id LIMIT 1)
                FROM leap WHERE leap.subscription_id IS NOT NULL
            )
            SELECT subscription_id, (
                SELECT d.tenant_id FROM delivery d
                WHERE d.state = 'pending' AND d.held = $1
                    AND d.subscription_id BETWEEN leap.subscription_id AND leap.subscription_id
                ORDER BY d.subscription_id, d.id LIMIT 1)
            FROM leap WHERE subscription_id IS NOT NULL LIMIT $3
            """, [.int(held), .id(last), .int(limit)]
        ) { ($0.id(0), $0.id(1)) }
    }

    // MARK: Claiming

    /// What is due now, longest first, those whose holder is gone included. The rows stay locked until they are leased
    /// or held back, which the same transaction does.
    static func due(limit: Int, in transaction: any Transaction) throws -> [WaitingDelivery] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(WaitingDelivery.columns) FROM delivery {through delivery_due}
                    WHERE state = 'pending' AND held = 0 AND next_at <= now_ms()
                    ORDER BY next_at LIMIT $1 {skip locked}
                    """), [.int(limit)], WaitingDelivery.decode)
    }

    /// Leases what was found. Whoever comes while the lease lasts sees nothing due.
    static func lease(_ found: [WaitingDelivery], _ claim: Claim, in transaction: any Transaction) throws {
        let rows = RowBatch(wanted: found.lazy.map(\.id))
        try transaction.execute(
            """
            UPDATE delivery SET claim = $1, next_at = now_ms() + $2, held = 0 FROM {rows} r
            WHERE id = r.wanted AND coalesce(finished_at, 0) = 0
            """, [.int(claim.number), .int(claim.duration.wholeMilliseconds)], rows: rows)
    }

    /// Puts what was found where its endpoint fetches it from when it has room.
    static func holdBack(_ found: [WaitingDelivery], in transaction: any Transaction) throws {
        let rows = RowBatch(wanted: found.lazy.map(\.id))
        try transaction.execute(
            "UPDATE delivery SET claim = 0, held = 1 FROM {rows} r WHERE id = r.wanted", rows: rows)
    }

    /// Puts the events to what was claimed, each read once however many deliveries it has.
    static func ready(
        _ found: [WaitingDelivery], _ claim: Claim, in transaction: any Transaction
    ) throws -> [ReadyDelivery] {
        let events = try EventStore.fetch(Set(found.map(\.event)), in: transaction)
        return found.compactMap { delivery in events[delivery.event].map { delivery.ready($0, claim) } }
    }

    // MARK: Giving back

    /// Gives leased deliveries back, due at `time` for whoever comes.
    static func release(_ deliveries: [ReadyDelivery], due time: Timestamp, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE delivery SET claim = 0, next_at = $1 FROM {rows} r
            WHERE id = r.delivery_id AND claim = r.shown_claim
            """, [.time(time)], rows: claims(of: deliveries))
    }

    /// Gives leased deliveries back to their endpoint's backlog; their attempts are not spent.
    static func returnToBacklog(_ deliveries: [ReadyDelivery], in transaction: any Transaction) throws {
        try transaction.execute(
            """
            UPDATE delivery SET claim = 0, held = 1 FROM {rows} r
            WHERE id = r.delivery_id AND claim = r.shown_claim
            """, rows: claims(of: deliveries))
    }

    private static func claims(of deliveries: [ReadyDelivery]) -> RowBatch {
        var rows = RowBatch(["delivery_id": .uuid, "shown_claim": .int])
        rows.reserve(deliveries.count)
        for delivery in deliveries { rows.append(.id(delivery.id), .int(delivery.claim)) }
        return rows
    }
}
