import Events
import Kernel
import Storage

/// The rows of deliveries and attempts.
enum DeliveryStore {
    static func newRows() -> RowBatch {
        RowBatch([
            "id": .uuid, "tenant_id": .uuid, "subscription_id": .uuid, "event_id": .uuid, "next_at": .int,
            "claim": .int, "created_at": .int,
        ])
    }

    /// A delivery born leased is due when its lease ends; one that nobody holds is due now.
    static func append(_ delivery: ReadyDelivery, leased: Bool, now: Timestamp, to rows: inout RowBatch) {
        rows.append(
            .id(delivery.id), .id(delivery.tenant), .id(delivery.subscription), .id(delivery.event.id),
            .time(leased ? delivery.leaseEnds : now), .int(leased ? delivery.claim : 0), .time(delivery.createdAt))
    }

    static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, attempts, next_at, claim, created_at)
            SELECT id, tenant_id, subscription_id, event_id, 'pending', 0, next_at, claim, created_at FROM {rows} r
            """, rows: rows)
    }

    /// Writes the deliveries of a replay, one for each event that is still there, in the order of the list. They wait
    /// until their endpoint has room; whichever copy sends for it fetches them within a second or so.
    ///
    /// - Parameter isOrdered: as the subscription is set: each then waits for earlier ones of its entity.
    static func insertReplays(
        events: [EventID], of subscription: SubscriptionID, tenant: TenantID, replay: ReplayID, isOrdered: Bool,
        ids: IDGenerator, now: Timestamp, in transaction: any Transaction
    ) throws {
        var rows = RowBatch(["id": .uuid, "event_id": .uuid])
        rows.reserve(events.count)
        for event in events { rows.append(.id(ids.next(Delivery.self)), .id(event)) }
        try transaction.execute(
            """
            INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, attempts, next_at, claim, created_at,
                replay_id, held, ordered_by)
            SELECT r.id, $1, $2, r.event_id, 'pending', 0, $3, 0, $3, $4, 0,
                CASE WHEN $5 = 1 THEN e.entity_id END
            FROM {rows} r JOIN event e ON e.id = r.event_id AND e.tenant_id = $1
            """, [.id(tenant), .id(subscription), .time(now), .id(replay), .flag(isOrdered)], rows: rows)
    }

    /// Leases deliveries that are due, those whose holder is gone included, under a new claim number.
    ///
    /// - Parameter now: the process's own time before the claim. The store keeps the lease by the store's clock, the
    ///   holder by its own, so that clocks which differ don't make every lease look over.
    static func claim(
        _ claim: Int64, lease: Duration, limit: Int, now: Timestamp, in transaction: any Transaction
    ) throws -> [ReadyDelivery] {
        try transaction.execute(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM delivery WHERE state = 'pending' AND held = 0 AND next_at <= now_ms()
                ORDER BY next_at LIMIT $3 {skip locked}
            )
            UPDATE delivery SET claim = $1, next_at = now_ms() + $2 WHERE id IN (SELECT id FROM due)
            """, [.int(claim), .int(lease.wholeMilliseconds), .int(limit)])
        return try transaction.all(
            Statement(
                composed: """
                    SELECT d.id, d.tenant_id, d.subscription_id, d.attempts, d.created_at,
                        \(EventStore.columns)
                    FROM delivery d JOIN event e ON e.id = d.event_id
                    WHERE d.claim = $1 AND d.state = 'pending' AND d.held = 0 AND d.next_at > now_ms()
                        AND d.next_at <= now_ms() + $2
                    ORDER BY d.next_at LIMIT $3
                    """),
            [.int(claim), .int(lease.wholeMilliseconds), .int(limit)]
        ) { row in
            ReadyDelivery(
                id: row.id(0), tenant: row.id(1), subscription: row.id(2), event: EventStore.decode(row, from: 5),
                attempts: Int(row.int(3)), claim: claim, leaseEnds: now + lease, createdAt: row.time(4))
        }
    }

    /// Gives leased deliveries back, due at `time` for whoever comes.
    static func release(_ deliveries: [ReadyDelivery], due time: Timestamp, in transaction: any Transaction) throws {
        var rows = RowBatch(["delivery_id": .uuid, "shown_claim": .int])
        for delivery in deliveries { rows.append(.id(delivery.id), .int(delivery.claim)) }
        try transaction.execute(
            """
            UPDATE delivery SET claim = 0, next_at = $1 FROM {rows} r
            WHERE id = r.delivery_id AND claim = r.shown_claim AND state = 'pending'
            """, [.time(time)], rows: rows)
    }

    /// Writes down attempts and what follows. A record whose claim is no longer the delivery's changes nothing.
    static func record(_ records: [AttemptRecord], now: Timestamp, in transaction: any Transaction) throws {
        var updates = RowBatch([
            "delivery_id": .uuid, "shown_claim": .int, "new_state": .text, "new_reason": .text, "number": .int,
            "due": .int, "finished": .int,
        ])
        for record in records {
            let (state, reason, due) = outcome(of: record.decision)
            updates.append(
                .id(record.delivery.id), .int(record.delivery.claim), .text(state), .text(reason),
                .int(record.delivery.attempts + 1), .time(due ?? now), .time(due == nil ? now : nil))
        }
        let ours = Set(
            try transaction.all(
                """
                UPDATE delivery SET state = r.new_state, reason = r.new_reason, attempts = r.number, claim = 0,
                    next_at = r.due, finished_at = r.finished
                FROM {rows} r WHERE id = r.delivery_id AND claim = r.shown_claim AND state = 'pending'
                RETURNING id
                """, rows: updates
            ) { $0.id(0, of: Delivery.self) })
        try insertAttempts(records.filter { ours.contains($0.delivery.id) }, in: transaction)
        for record in records where record.decision == .gone && ours.contains(record.delivery.id) {
            try SubscriptionStore.disable(
                record.delivery.subscription, tenant: record.delivery.tenant,
                reason: "the endpoint answered 410 Gone", now: now, in: transaction)
        }
    }

    private static func outcome(of decision: DeliveryDecision) -> (state: String, reason: String?, due: Timestamp?) {
        switch decision {
        case .delivered: ("delivered", nil, nil)
        case .retry(let due): ("pending", nil, due)
        case .failed(let reason): ("failed", reason, nil)
        case .gone: ("failed", "the endpoint answered 410 Gone", nil)
        }
    }

    private static func insertAttempts(_ records: [AttemptRecord], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "delivery_id": .uuid, "number": .int, "tenant_id": .uuid, "started_at": .int, "duration_us": .int,
            "status": .int, "error_class": .text, "detail": .text, "request_headers": .bytes,
            "response_headers": .bytes, "response_body": .bytes,
        ])
        rows.reserve(records.count)
        for record in records {
            var status: Int64?
            var errorClass: String?
            switch record.outcome {
            case .answered(let code, _):
                status = Int64(code)
                errorClass = (200..<300).contains(code) ? nil : "status"
            case .failed(let failure): errorClass = failure.rawValue
            }
            rows.append(
                .id(record.delivery.id), .int(record.delivery.attempts + 1), .id(record.delivery.tenant),
                .time(record.startedAt), .int(record.duration.wholeMicroseconds), .int(status), .text(errorClass),
                .text(record.detail), .bytes(record.requestHeaders), .bytes(record.responseHeaders),
                .bytes(record.responseBody))
        }
        try transaction.execute(
            """
            INSERT INTO attempt (delivery_id, number, tenant_id, started_at, duration_us, status, error_class, detail,
                request_headers, response_headers, response_body)
            SELECT delivery_id, number, tenant_id, started_at, duration_us, status, error_class, detail,
                request_headers, response_headers, response_body
            FROM {rows} r
            """, rows: rows)
    }

    /// Ends the deliveries of a subscription that is not active any more.
    static func skipPending(
        of subscription: SubscriptionID, reason: String, now: Timestamp, in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE delivery SET state = 'skipped', reason = $2, claim = 0, finished_at = $3
            WHERE subscription_id = $1 AND state = 'pending' AND held IN (0, 1, 2)
            """, [.id(subscription), .text(reason), .time(now)])
    }
}
