import Events
import Kernel
import Storage

extension DeliveryStore {
    /// Parts of backlogs that this process has leased.
    struct Fetched: Sendable {
        let ready: [ReadyDelivery]
        let ends: [DispatchState.Fetch.End]
    }

    // MARK: With leases in memory

    /// Finds parts of the backlogs of some endpoints by reading alone; the reader leases them in memory. Endpoints that
    /// keep an order are left out: theirs are put behind each other in the store.
    static func find(_ fetches: [DispatchState.Fetch], in transaction: any Transaction) throws -> Fetched {
        let ordered = try ordered(among: fetches.map(\.subscription), in: transaction)
        var (found, ends): ([WaitingDelivery], [DispatchState.Fetch.End]) = ([], [])
        for fetch in fetches where !ordered.contains(fetch.subscription) {
            let most = fetch.limit + (fetch.passed == .zero ? fetch.leased.count : 0)
            let seen = try transaction.all(
                findStatement, [.id(fetch.subscription), .id(fetch.passed), .int(most)], WaitingDelivery.decode)
            let free = seen.filter { !fetch.leased.contains($0.id) }
            let taken = free.prefix(fetch.limit)
            let isCut = taken.count < free.count
            ends.append(
                .init(
                    fetch: fetch, isEmptied: !isCut && seen.count < most,
                    passed: (isCut ? taken.last : seen.last)?.id ?? fetch.passed))
            found += taken
        }
        return Fetched(ready: try ready(found, .inMemory, in: transaction), ends: ends)
    }

    private static let findStatement = Statement(
        composed: """
            SELECT \(WaitingDelivery.columns) FROM delivery
            WHERE state = 'pending' AND held = 1 AND subscription_id = $1 AND id > $2 ORDER BY id LIMIT $3
            """)

    // MARK: With leases in the store

    /// Leases parts of the backlogs of some endpoints.
    static func fetch(
        _ fetches: [DispatchState.Fetch], _ claim: Claim, in transaction: any Transaction
    ) throws -> Fetched {
        var (found, emptied): ([WaitingDelivery], Set<SubscriptionID>) = ([], [])
        // In one order for all transactions, because of the locks on ordered ones.
        let sorted = fetches.sorted { $0.subscription < $1.subscription }
        let ordered = try ordered(among: sorted.map(\.subscription), in: transaction)
        for fetch in sorted where ordered.contains(fetch.subscription) {
            let (some, isEmptied) = try fetchInOrder(
                of: fetch.subscription, limit: fetch.limit, passingOver: fetch.leased, claim, in: transaction)
            if isEmptied { emptied.insert(fetch.subscription) }
            found += some
        }
        let others = sorted.filter { !ordered.contains($0.subscription) }
        let oldest = try fetchOldest(others.map { ($0.subscription, $0.limit) }, claim, in: transaction)
        let counts = oldest.reduce(into: [:]) { $0[$1.subscription, default: 0] += 1 }
        for fetch in others where counts[fetch.subscription, default: 0] < fetch.limit {
            emptied.insert(fetch.subscription)
        }
        return Fetched(
            ready: try ready(found + oldest, claim, in: transaction),
            ends: fetches.map { .init(fetch: $0, isEmptied: emptied.contains($0.subscription)) })
    }

    /// Leases the oldest deliveries that are held back for some endpoints. They are answered endpoint by endpoint, and
    /// those of one in the order of their coming into being.
    static func fetchOldest(
        _ wanted: [(of: SubscriptionID, limit: Int)], _ claim: Claim, in transaction: any Transaction
    ) throws -> [WaitingDelivery] {
        let lease: [SQLValue] = [.int(claim.number), .int(claim.duration.wholeMilliseconds)]
        var found: [WaitingDelivery] = []
        switch transaction.dialect {
        case .sqlite:
            for (subscription, limit) in wanted {
                found += try transaction.all(
                    fetchStatement, lease + [.id(subscription), .int(limit)], WaitingDelivery.decode)
            }
        case .postgres:
            var rows = RowBatch(["wanted": .uuid, "most": .int])
            for (subscription, limit) in wanted { rows.append(.id(subscription), .int(limit)) }
            found = try transaction.all(fetchManyStatement, lease, rows: rows, WaitingDelivery.decode)
        }
        return found.sorted { ($0.subscription, $0.id) < ($1.subscription, $1.id) }
    }

    private static let fetchStatement = Statement(
        composed: """
            WITH oldest AS MATERIALIZED (
                SELECT id FROM delivery WHERE state = 'pending' AND held = 1 AND subscription_id = $3
                ORDER BY id LIMIT $4
            )
            UPDATE delivery SET claim = $1, next_at = now_ms() + $2, held = 0
            WHERE id IN (SELECT id FROM oldest) RETURNING \(WaitingDelivery.columns)
            """)

    /// One call for all endpoints. The rows are changed where they were found and locked, by their places, so that
    /// PostgreSQL plans no join with a number of rows that it can't know.
    private static let fetchManyStatement = Statement(
        composed: """
            WITH oldest AS MATERIALIZED (
                SELECT d.ctid AS place FROM {rows} r CROSS JOIN LATERAL (
                    SELECT ctid FROM delivery
                    WHERE state = 'pending' AND held = 1 AND subscription_id BETWEEN r.wanted AND r.wanted
                    ORDER BY subscription_id, id LIMIT r.most {skip locked}) d
            )
            UPDATE delivery SET claim = $1, next_at = now_ms() + $2, held = 0
            WHERE ctid = ANY (ARRAY(SELECT place FROM oldest)) RETURNING \(WaitingDelivery.columns)
            """)
}
