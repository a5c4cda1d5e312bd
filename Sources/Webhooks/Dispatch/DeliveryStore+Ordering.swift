import Events
import Kernel
import Storage

/// Keeping the order within an entity, where a subscription asks for it.
///
/// All deliveries of an ordered subscription are born held back. Its backlog is fetched, and what ends frees its
/// successor, under the lock of the subscription's row: without it, one copy could put a delivery behind an earlier one
/// at the moment when another ends that one, and nobody would ever free it.
extension DeliveryStore {
    /// Rows that one fetch looks at: many of them may stand behind others of their entity, even if few are wanted.
    private static let seenLeast = 64
    private static let seenMost = 2048

    static func lockOrder(of subscription: SubscriptionID, in transaction: any Transaction) throws {
        try transaction.run(
            "SELECT id FROM subscription WHERE id = $1 {for update}", [.id(subscription)], rows: nil
        ) { _ in }
    }

    /// Which of these subscriptions keep the order, as the store knows it at this moment.
    static func ordered(
        among subscriptions: [SubscriptionID], in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        try selected(
            "SELECT s.id FROM {rows} r JOIN subscription s ON s.id = r.wanted WHERE s.is_ordered = 1",
            among: subscriptions, in: transaction)
    }

    /// Those of some subscriptions that a statement over `wanted` answers. It sees them in one order in all
    /// transactions, so that no two wait for each other over rows that it locks.
    static func selected(
        _ statement: Statement, _ arguments: [SQLValue] = [], among subscriptions: [SubscriptionID],
        in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        let rows = RowBatch(wanted: Set(subscriptions).sorted())
        return Set(try transaction.all(statement, arguments, rows: rows) { $0.id(0) })
    }

    /// Leases the oldest deliveries of an ordered endpoint that have no earlier one of their entity before them. Those
    /// that have are put behind it, so that the next fetch doesn't meet them again.
    ///
    /// - Parameter leased: those that this process holds by leases in memory, from before the order was asked for.
    static func fetchInOrder(
        of subscription: SubscriptionID, limit: Int, passingOver leased: Set<DeliveryID> = [], _ claim: Claim,
        in transaction: any Transaction
    ) throws -> (found: [WaitingDelivery], isEmptied: Bool) {
        try lockOrder(of: subscription, in: transaction)
        let most = min(max(limit, seenLeast), seenMost) + leased.count
        let seen = try transaction.all(
            Statement(
                composed: """
                    SELECT \(WaitingDelivery.columns), EXISTS (
                        SELECT 1 FROM delivery p
                        WHERE p.subscription_id = $1 AND p.ordered_by = delivery.ordered_by AND p.state = 'pending'
                            AND p.id < delivery.id)
                    FROM delivery
                    WHERE state = 'pending' AND held = 1 AND subscription_id BETWEEN $1 AND $1
                    ORDER BY subscription_id, id LIMIT $2
                    """), [.id(subscription), .int(most)]
        ) { (delivery: WaitingDelivery.decode($0), isBehind: $0.flag(8)) }
        let free = seen.filter { !$0.isBehind && !leased.contains($0.delivery.id) }.map(\.delivery)
        let heads = Array(free.prefix(limit))
        let behind = RowBatch(wanted: seen.lazy.filter(\.isBehind).map(\.delivery.id))
        try transaction.execute("UPDATE delivery SET held = 2 FROM {rows} r WHERE id = r.wanted", rows: behind)
        try lease(heads, claim, in: transaction)
        return (heads, seen.count < most && free.count == heads.count)
    }

    /// Frees the next delivery of each entity whose delivery has just ended.
    static func freeSuccessors(of ended: [ReadyDelivery], in transaction: any Transaction) throws {
        var rows = RowBatch(["of_subscription": .uuid, "of_entity": .uuid])
        for delivery in ended { rows.append(.id(delivery.subscription), .id(delivery.orderedBy)) }
        try transaction.execute(
            """
            UPDATE delivery SET held = 1
            WHERE held = 2 AND id IN (
                SELECT (
                    SELECT p.id FROM delivery p
                    WHERE p.subscription_id = r.of_subscription AND p.ordered_by = r.of_entity AND p.state = 'pending'
                    ORDER BY p.id LIMIT 1)
                FROM {rows} r)
            """, rows: rows)
    }

    /// Frees what has nothing before it any more, or whose subscription keeps no order any more. What ends frees its
    /// successor by itself; this is for endings that did not know of an order.
    static func freeForgotten(of subscription: SubscriptionID, in transaction: any Transaction) throws {
        try lockOrder(of: subscription, in: transaction)
        try transaction.execute(
            """
            UPDATE delivery SET held = 1
            WHERE state = 'pending' AND held = 2 AND subscription_id = $1 AND (
                NOT EXISTS (SELECT 1 FROM subscription s WHERE s.id = $1 AND s.is_ordered = 1)
                OR NOT EXISTS (
                    SELECT 1 FROM delivery p
                    WHERE p.subscription_id = $1 AND p.ordered_by = delivery.ordered_by AND p.state = 'pending'
                        AND p.id < delivery.id))
            """, [.id(subscription)])
    }
}
