import Kernel
import Storage

/// The leases of whole backlogs, where several processes have the store.
///
/// Whoever takes from an endpoint's backlog holds its lease; to fetch is then to read, and what was fetched is leased
/// in the holder's memory, never for longer than the backlog is.
enum BacklogLeases {
    /// Takes the leases of these backlogs, or prolongs them: a lease of one's own never becomes shorter by it. Answers
    /// those that nobody else holds. Two that ask at once come one after the other.
    ///
    /// - Parameter duration: zero for looking once, with nothing to be leased in memory.
    static func acquire(
        _ backlogs: [SubscriptionID], for holder: Int64, _ duration: Duration, in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        try DeliveryStore.selected(
            """
            INSERT INTO backlog_lease (subscription_id, holder, ends_at)
            SELECT wanted, $1, now_ms() + $2 FROM {rows} r WHERE true
            ON CONFLICT (subscription_id) DO UPDATE SET holder = excluded.holder,
                ends_at = CASE
                    WHEN backlog_lease.holder = excluded.holder AND backlog_lease.ends_at > excluded.ends_at
                    THEN backlog_lease.ends_at ELSE excluded.ends_at END
            WHERE backlog_lease.holder = excluded.holder OR backlog_lease.ends_at <= now_ms()
            RETURNING subscription_id
            """, [.int(holder), .int(duration.wholeMilliseconds)], among: backlogs, in: transaction)
    }

    /// Those of these backlogs that others hold now.
    static func others(
        among backlogs: [SubscriptionID], than holder: Int64, in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        try DeliveryStore.selected(
            """
            SELECT l.subscription_id FROM {rows} r JOIN backlog_lease l ON l.subscription_id = r.wanted
            WHERE l.holder <> $1 AND l.ends_at > now_ms()
            """, [.int(holder)], among: backlogs, in: transaction)
    }

    /// Those of these backlogs that a process had and others have taken. Nobody takes one of the rest before the
    /// transaction has ended.
    static func lost(
        among backlogs: Set<SubscriptionID>, by holder: Int64, in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        let rows = RowBatch(wanted: backlogs.sorted())
        let found = try transaction.all(
            """
            SELECT subscription_id, holder FROM backlog_lease WHERE subscription_id IN (SELECT wanted FROM {rows} r)
            ORDER BY subscription_id {for update}
            """, rows: rows
        ) { (id: $0.id(0, of: Subscription.self), holder: $0.int(1)) }
        return Set(found.lazy.filter { $0.holder != holder }.map(\.id))
    }

    /// Gives back all that a process holds, but for some backlogs of which it is still sending something.
    static func giveBack(
        from holder: Int64, keeping kept: [SubscriptionID], in transaction: any Transaction
    ) throws {
        let mine = try transaction.all(
            "SELECT subscription_id FROM backlog_lease WHERE holder = $1", [.int(holder)]
        ) { $0.id(0, of: Subscription.self) }
        let rows = RowBatch(wanted: Set(mine).subtracting(kept).sorted())
        try transaction.execute(
            "DELETE FROM backlog_lease WHERE holder = $1 AND subscription_id IN (SELECT wanted FROM {rows} r)",
            [.int(holder)], rows: rows)
    }

    /// Removes what has been over for long: endpoints of yesterday, and processes that are gone.
    static func sweep(in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM backlog_lease WHERE ends_at < now_ms() - 3600000")
    }
}
