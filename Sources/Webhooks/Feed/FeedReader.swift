import Events
import Kernel
import Storage

/// Reads events in commit order (seed 003's event feed).
package struct FeedReader: Sendable {
    package struct Page: Sendable {
        package let events: [DomainEvent]
        /// Where the next page begins: the last event that was looked at, also when a filter left it out. Readers of
        /// rare events so get on, and their cursor stays young.
        package let next: EventID?
        /// Whether there is more to look at; a page may be empty and still not be the last.
        package let hasMore: Bool
    }

    /// What of the feed is asked for.
    package struct Query: Sendable {
        /// The last event that the reader has; nil for the beginning.
        package var after: EventID?
        package let pattern: EventPattern?
        package let entityType: String?
        package let limit: Int

        package init(after: EventID?, pattern: EventPattern?, entityType: String?, limit: Int) {
            self.after = after
            self.pattern = pattern
            self.entityType = entityType
            self.limit = limit
        }
    }

    /// Events that one page with a filter looks at, so that a filter which matches rarely costs no more than others.
    package static let windowDefault = 4000

    private let database: any Database
    private let window: Int

    package init(database: any Database, window: Int = windowDefault) {
        self.database = database
        self.window = window
    }

    /// One page, oldest first. What is later than a page's last event comes on a later page, and nothing ever moves.
    package func page(_ query: Query, scope: Scope) async throws -> Page {
        let window = max(window, query.limit)
        return try await database.read { transaction in
            switch try FeedCursor.find(query.after, scope: scope, in: transaction) {
            case .notNumberedYet: return Page(events: [], next: query.after, hasMore: false)
            case .position(let position):
                return try Self.page(query, after: position, window: window, scope: scope, in: transaction)
            }
        }
    }

    private static func page(
        _ query: Query, after position: Int64, window: Int, scope: Scope, in transaction: any Transaction
    ) throws -> Page {
        var conditions = EventConditions(after: [
            .id(scope.tenant), .id(scope.organisation), .int(position), .int(query.limit + 1),
        ])
        conditions.add(query.pattern.map { [$0] } ?? [])
        if let entityType = query.entityType { conditions.add("e.entity_type = $?", .text(entityType)) }
        if conditions.isEmpty {
            let events = try events(conditions, in: transaction)
            let shown = Array(events.prefix(query.limit))
            return Page(events: shown, next: shown.last?.id ?? query.after, hasMore: events.count > query.limit)
        }
        let end = try FeedStore.entry(window, after: position, scope, in: transaction)
        guard let last = try end ?? FeedStore.last(after: position, scope, in: transaction) else {
            return Page(events: [], next: query.after, hasMore: false)
        }
        conditions.add("f.position <= $?", .int(last.position))
        let events = try events(conditions, in: transaction)
        if events.count > query.limit {
            let shown = Array(events.prefix(query.limit))
            return Page(events: shown, next: shown.last?.id, hasMore: true)
        }
        return Page(events: events, next: last.event, hasMore: end != nil)
    }

    private static func events(
        _ conditions: EventConditions, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        try transaction.all(
            Statement(
                composed: """
                    SELECT \(EventStore.columns) FROM feed f JOIN event e ON e.id = f.event_id
                    WHERE f.tenant_id = $1 AND f.org_id = $2 AND f.position > $3\(conditions.text)
                    ORDER BY f.position LIMIT $4
                    """), conditions.arguments
        ) { EventStore.decode($0) }
    }
}
