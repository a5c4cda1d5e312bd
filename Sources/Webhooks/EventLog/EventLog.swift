import Events
import Kernel
import Storage

/// Everything that happened in an organisation and is still held, to be searched and looked at (seed 002's event log).
package struct EventLog: Sendable {
    /// What of the log is asked for, newest first.
    package struct Query: Sendable {
        package var before: EventID?
        package var pattern: EventPattern?
        package var entityType: String?
        package var entity: ID<DomainEvent.Entity>?
        package var source: String?
        package var since: Timestamp?
        package var until: Timestamp?
        package var subscription: SubscriptionID?
        package var delivery: DeliveryState?
        package var limit: Int

        package init(limit: Int) { self.limit = limit }
    }

    /// What a delivery of the event came to.
    package enum DeliveryState: String, Sendable, CaseIterable {
        case pending, delivering, delivered, failed, skipped
    }

    package struct Page: Sendable {
        package let events: [DomainEvent]
        /// Where the next page goes on; nil at the end. A filter that matches rarely can leave a page short or empty.
        package let next: EventID?
    }

    private let database: any Database
    private let leases: LeasesInMemory
    private let window: Int

    package init(
        database: any Database, leases: LeasesInMemory = .none, window: Int = FeedReader.windowDefault
    ) {
        self.database = database
        self.leases = leases
        self.window = window
    }

    /// One page, newest first, in the feed's order; of one entity, in the order of ids.
    package func list(_ query: Query, scope: Scope) async throws -> Page {
        let (window, leases) = (max(window, query.limit), leases)
        return try await database.read { transaction in
            let page =
                if let entity = query.entity {
                    try EventLogStore.list(query, of: entity, leases, scope: scope, in: transaction)
                } else {
                    try EventLogStore.list(query, window: window, leases, scope: scope, in: transaction)
                }
            let kept = try EventLogStore.filter(page.events, by: query, leases, in: transaction)
            return Page(events: kept, next: page.next)
        }
    }

    /// An event with its deliveries and their attempts.
    package struct Story: Sendable {
        package let event: DomainEvent
        /// Newest first, at most a hundred.
        package let deliveries: [(subscription: SubscriptionID, summary: DeliverySummary)]
    }

    /// One event; refuses as not found what belongs to another tenant or organisation.
    package func require(_ id: EventID, scope: Scope) async throws -> Story {
        let found = try await database.read { transaction in
            try EventStore.fetch(id, scope: scope, in: transaction).map {
                Story(event: $0, deliveries: try DeliverySummary.list(of: $0, in: transaction))
            }
        }
        guard let found else { throw Refusal.notFound("event") }
        return Story(
            event: found.event, deliveries: found.deliveries.map { ($0, $1.with(leases, of: $0)) })
    }
}
