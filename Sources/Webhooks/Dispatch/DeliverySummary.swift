import Kernel
import Storage

/// A delivery as callers see it, with its attempts in order.
package struct DeliverySummary: Sendable {
    package struct Attempt: Sendable {
        package let number: Int
        package let startedAt: Timestamp
        package let durationMicroseconds: Int64
        /// Nil where the call was not timed in parts.
        package let phases: CallPhases?
        package let status: Int?
        package let errorClass: String?
        package let detail: String?
        /// JSON objects of names and values, secrets masked.
        package let requestHeaders: [UInt8]
        package let responseHeaders: [UInt8]?
        package let responseBody: [UInt8]?
    }

    package let id: DeliveryID
    package let eventID: ID<DeliverySummary>
    package let eventType: String
    /// Nil for what the event itself caused.
    package let replayID: ReplayID?
    /// pending, delivering, delivered, failed or skipped.
    package private(set) var state: String
    package let reason: String?
    /// Nil while it waits for room at its endpoint, or for an earlier one of its entity.
    package private(set) var nextAttemptAt: Timestamp?
    package let createdAt: Timestamp
    package let finishedAt: Timestamp?
    package private(set) var attempts: [Attempt]

    static func list(
        of subscription: SubscriptionID, tenant: TenantID, before: DeliveryID?, limit: Int,
        in transaction: any Transaction
    ) throws -> [DeliverySummary] {
        let last = DeliveryID(high: .max, low: .max)
        let found = try transaction.all(
            """
            SELECT d.id, d.event_id, e.type, d.state, d.reason, d.next_at, d.claim, d.created_at, d.finished_at,
                d.replay_id, d.held
            FROM delivery d JOIN event e ON e.id = d.event_id
            WHERE d.subscription_id = $1 AND d.tenant_id = $2 AND d.id < $3 ORDER BY d.id DESC LIMIT $4
            """, [.id(subscription), .id(tenant), .id(before ?? last), .int(limit)]
        ) { row in
            let isClaimed = row.text(3) == "pending" && row.int(6) != 0
            return DeliverySummary(
                id: row.id(0), eventID: row.id(1), eventType: row.text(2), replayID: row.idOrNil(9),
                state: isClaimed ? "delivering" : row.text(3), reason: row.textOrNil(4),
                nextAttemptAt: row.text(3) == "pending" && !isClaimed && row.int(10) == 0 ? row.time(5) : nil,
                createdAt: row.time(7),
                finishedAt: row.timeOrNil(8), attempts: [])
        }
        let attempts = try attempts(of: found.map(\.id), in: transaction)
        return found.map { $0.with(attempts[$0.id] ?? []) }
    }

    static func attempts(
        of deliveries: [DeliveryID], in transaction: any Transaction
    ) throws -> [DeliveryID: [Attempt]] {
        let rows = RowBatch(wanted: deliveries)
        var grouped: [DeliveryID: [Attempt]] = [:]
        let found = try transaction.all(
            """
            SELECT delivery_id, number, started_at, duration_us, status, error_class, detail, request_headers,
                response_headers, response_body, phases
            FROM attempt WHERE delivery_id IN (SELECT wanted FROM {rows} r) ORDER BY delivery_id, number
            """, rows: rows
        ) { row in
            (
                row.id(0, of: Delivery.self),
                Attempt(
                    number: Int(row.int(1)), startedAt: row.time(2), durationMicroseconds: row.int(3),
                    phases: row.textOrNil(10).flatMap(AttemptPhases.phases),
                    status: row.intOrNil(4).map(Int.init), errorClass: row.textOrNil(5), detail: row.textOrNil(6),
                    requestHeaders: row.bytes(7), responseHeaders: row.bytesOrNil(8), responseBody: row.bytesOrNil(9))
            )
        }
        for (delivery, attempt) in found { grouped[delivery, default: []].append(attempt) }
        return grouped
    }

    func with(_ attempts: [Attempt]) -> DeliverySummary {
        var summary = self
        summary.attempts = attempts
        return summary
    }

    /// As it stands with the leases that this process keeps in memory, of which its row says nothing.
    func with(_ leases: LeasesInMemory, of subscription: SubscriptionID) -> DeliverySummary {
        if state != "pending" || !leases.contains(id, of: subscription) { return self }
        var summary = self
        (summary.state, summary.nextAttemptAt) = ("delivering", nil)
        return summary
    }
}
