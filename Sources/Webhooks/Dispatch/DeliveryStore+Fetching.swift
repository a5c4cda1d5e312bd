import Events
import Kernel
import Storage

extension DeliveryStore {
    /// Parts of backlogs that this process has leased.
    struct Fetched: Sendable {
        let ready: [ReadyDelivery]
        let ends: [DispatchState.Fetch.End]
    }

    /// Whose lease it is that a fetch is made under.
    struct Holder: Sendable {
        /// For rows that are leased: endpoints that keep an order have theirs put behind each other in the store.
        let claim: Claim
        /// The number of the process, where others have the store too.
        let process: Int64?

        /// What is leased in memory: where others have the store, no longer than the backlog.
        fileprivate var inMemory: Claim {
            process == nil ? .inMemory : Claim(number: OwnLeases.claim, duration: claim.duration, ends: claim.ends)
        }
    }

    /// Takes parts of the backlogs of some endpoints. Their rows stay as they are, and the reader leases them in
    /// memory; only those of endpoints that keep an order are leased in their rows.
    static func fetch(
        _ fetches: [DispatchState.Fetch], _ holder: Holder, in transaction: any Transaction
    ) throws -> Fetched {
        // In one order for all transactions, because of the locks on ordered ones.
        let sorted = fetches.sorted { $0.subscription < $1.subscription }
        let (mine, ordered) = try lease(sorted.map(\.subscription), holder, in: transaction)
        var leased: [WaitingDelivery] = []
        var ends: [DispatchState.Fetch.End] = sorted.filter { !mine.contains($0.subscription) }
            .map { .init(fetch: $0, isEmptied: true, isOthers: true) }
        for fetch in sorted where mine.contains(fetch.subscription) && ordered.contains(fetch.subscription) {
            let (some, isEmptied) = try fetchInOrder(
                of: fetch.subscription, limit: fetch.limit, passingOver: fetch.leased, holder.claim, in: transaction)
            ends.append(.init(fetch: fetch, isEmptied: isEmptied))
            leased += some
        }
        var found: [WaitingDelivery] = []
        let unordered = sorted.filter { mine.contains($0.subscription) && !ordered.contains($0.subscription) }
        for (fetch, seen) in zip(unordered, try find(unordered.map(\.search), in: transaction)) {
            let free = seen.filter { !fetch.leased.contains($0.id) }
            let taken = free.prefix(fetch.limit)
            let isCut = taken.count < free.count
            ends.append(
                .init(
                    fetch: fetch, isEmptied: !isCut && seen.count < fetch.search.most,
                    passed: (isCut ? taken.last : seen.last)?.id ?? fetch.passed))
            found += taken
        }
        let ready = try ready(leased, holder.claim, in: transaction) + ready(found, holder.inMemory, in: transaction)
        return Fetched(ready: ready, ends: ends)
    }

    /// Leases backlogs, where others may hold them. Answers those that are this process's now, and which keep an order.
    private static func lease(
        _ backlogs: [SubscriptionID], _ holder: Holder, in transaction: any Transaction
    ) throws -> (mine: Set<SubscriptionID>, ordered: Set<SubscriptionID>) {
        let before = try ordered(among: backlogs, in: transaction)
        guard let process = holder.process else { return (Set(backlogs), before) }
        // Nothing of an ordered one is leased in memory: any copy may see to what comes next, unless there are limits.
        let brief = before.subtracting(try limited(among: Array(before), in: transaction))
        let mine = try BacklogLeases.acquire(Array(brief), for: process, .zero, in: transaction)
            .union(
                BacklogLeases.acquire(
                    backlogs.filter { !brief.contains($0) }, for: process, holder.claim.duration, in: transaction))
        // Another may have leased some in their rows while this one waited for it: an order was asked for since.
        return (mine, before.union(try ordered(among: Array(mine), in: transaction)))
    }

    /// Which of these subscriptions limit their calls. Among copies only one of them can keep to that, so all that goes
    /// to these endpoints is held back for whoever has their backlog.
    static func limited(
        among subscriptions: [SubscriptionID], in transaction: any Transaction
    ) throws -> Set<SubscriptionID> {
        try selected(
            """
            SELECT s.id FROM {rows} r JOIN subscription s ON s.id = r.wanted
            WHERE s.rate_limit IS NOT NULL OR s.max_in_flight IS NOT NULL
            """, among: subscriptions, in: transaction)
    }

    // MARK: Finding

    /// Where to look in one backlog.
    struct Search {
        let subscription: SubscriptionID
        /// Behind which delivery.
        let after: DeliveryID
        let most: Int
    }

    /// The oldest deliveries that wait for room, for each search.
    private static func find(
        _ searches: [Search], in transaction: any Transaction
    ) throws -> [[WaitingDelivery]] {
        switch transaction.dialect {
        case .sqlite:
            return try searches.map { search in
                try transaction.all(
                    findStatement, [.id(search.subscription), .id(search.after), .int(search.most)],
                    WaitingDelivery.decode)
            }
        case .postgres:
            var rows = RowBatch(["wanted": .uuid, "after": .uuid, "most": .int])
            for search in searches { rows.append(.id(search.subscription), .id(search.after), .int(search.most)) }
            let found = try transaction.all(findManyStatement, rows: rows, WaitingDelivery.decode)
            let groups = Dictionary(grouping: found, by: \.subscription)
            return searches.map { search in groups[search.subscription, default: []].sorted { $0.id < $1.id } }
        }
    }

    private static let findStatement = Statement(
        composed: """
            SELECT \(WaitingDelivery.columns) FROM delivery
            WHERE state = 'pending' AND held = 1 AND subscription_id = $1 AND id > $2 ORDER BY id LIMIT $3
            """)

    /// One call for all endpoints. Compared as a pair, an endpoint and a delivery are a place in the index.
    private static let findManyStatement = Statement(
        composed: """
            SELECT \(WaitingDelivery.columns) FROM {rows} r CROSS JOIN LATERAL (
                SELECT * FROM delivery
                WHERE state = 'pending' AND held = 1 AND (subscription_id, id) > (r.wanted, r.after)
                    AND subscription_id <= r.wanted
                ORDER BY subscription_id, id LIMIT r.most) delivery
            """)

    /// Leases the oldest delivery of one backlog in its row, to try an endpoint with.
    ///
    /// - Parameter leased: those that this process holds by leases in memory.
    static func leaseOldest(
        of subscription: SubscriptionID, passingOver leased: Set<DeliveryID>, _ claim: Claim,
        in transaction: any Transaction
    ) throws -> [WaitingDelivery] {
        let search = Search(subscription: subscription, after: .zero, most: 1 + leased.count)
        let found = try find([search], in: transaction)[0].filter { !leased.contains($0.id) }.prefix(1)
        try lease(Array(found), claim, in: transaction)
        return Array(found)
    }
}

extension DispatchState.Fetch {
    /// From the start of the backlog what is leased stands among the others.
    fileprivate var search: DeliveryStore.Search {
        .init(subscription: subscription, after: passed, most: limit + (passed == .zero ? leased.count : 0))
    }
}
