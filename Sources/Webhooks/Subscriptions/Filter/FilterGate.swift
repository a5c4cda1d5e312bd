import Events
import Kernel
import Storage

/// Asks the filters about the events of one transaction, and writes down what they refused.
///
/// A payload is read once, however many subscriptions ask, and not at all where none does.
struct FilterGate {
    private let cache: FilterCache
    private var current: (event: EventID, payload: JSONValue?)?
    private var refused = RowBatch([
        "id": .uuid, "tenant_id": .uuid, "subscription_id": .uuid, "event_id": .uuid, "created_at": .int,
    ])

    init(_ cache: FilterCache) {
        self.cache = cache
    }

    /// Whether the subscription takes the event.
    mutating func takes(_ event: DomainEvent, for target: SubscriptionStore.Stored) throws -> Bool {
        guard let text = target.filter else { return true }
        if current?.event != event.id {
            do throws(JSONSyntaxError) { current = (event.id, try JSONValue(parsing: event.payload)) } catch {
                // What is no JSON passes no filter.
                current = (event.id, nil)
            }
        }
        guard let payload = current?.payload else { return false }
        return try cache.filter(text).matches(payload)
    }

    /// Notes a refused event, so that its absence at the endpoint can be explained.
    mutating func refuse(_ event: DomainEvent, for target: SubscriptionStore.Stored, id: DeliveryID, now: Timestamp) {
        refused.append(.id(id), .id(event.scope.tenant), .id(target.id), .id(event.id), .time(now))
    }

    /// Writes what was refused: deliveries that ended before they began.
    func store(in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO delivery (id, tenant_id, subscription_id, event_id, state, reason, attempts, next_at, claim,
                created_at, finished_at)
            SELECT id, tenant_id, subscription_id, event_id, 'skipped', 'filtered', 0, created_at, 0, created_at,
                created_at
            FROM {rows} r
            """, rows: refused)
    }
}
