import Events
import Kernel
import Storage

extension DeliverySummary {
    /// What became of one event: its deliveries to all subscriptions, newest first, at most a hundred.
    static func list(
        of event: DomainEvent, in transaction: any Transaction
    ) throws -> [(subscription: SubscriptionID, summary: DeliverySummary)] {
        let found: [(subscription: SubscriptionID, summary: DeliverySummary)] = try transaction.all(
            """
            SELECT id, subscription_id, state, reason, next_at, claim, created_at, finished_at, replay_id, held
            FROM delivery WHERE event_id = $1 AND tenant_id = $2 ORDER BY id DESC LIMIT 100
            """, [.id(event.id), .id(event.scope.tenant)]
        ) { row in
            let isPending = row.text(2) == "pending"
            let isClaimed = isPending && row.int(5) != 0
            return (
                row.id(1),
                DeliverySummary(
                    id: row.id(0), eventID: event.id.cast(), eventType: event.type, replayID: row.idOrNil(8),
                    state: isClaimed ? "delivering" : row.text(2), reason: row.textOrNil(3),
                    nextAttemptAt: isPending && !isClaimed && row.int(9) == 0 ? row.time(4) : nil,
                    createdAt: row.time(6),
                    finishedAt: row.timeOrNil(7), attempts: [])
            )
        }
        let attempts = try attempts(of: found.map(\.summary.id), in: transaction)
        return found.map { ($0.subscription, $0.summary.with(attempts[$0.summary.id] ?? [])) }
    }
}
