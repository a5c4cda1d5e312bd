import Events
import Kernel
import Storage

/// Reads events in commit order (seed 003's event feed).
package struct FeedReader: Sendable {
    package struct Page: Sendable {
        package let events: [DomainEvent]
        package let hasMore: Bool
    }

    /// What of the feed is asked for.
    package struct Query: Sendable {
        /// The last event that the reader has; nil for the beginning.
        package let after: EventID?
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

    private let database: any Database

    package init(database: any Database) {
        self.database = database
    }

    /// One page, oldest first. What is later than a page's last event comes on a later page, and nothing ever moves.
    package func page(_ query: Query, scope: Scope) async throws -> Page {
        try await database.read { transaction in
            let position: Int64
            switch try Self.place(of: query.after, scope: scope, in: transaction) {
            case .position(let found): position = found
            case .notNumberedYet: return Page(events: [], hasMore: false)
            }
            let events = try Self.events(query, after: position, scope: scope, in: transaction)
            return Page(events: Array(events.prefix(query.limit)), hasMore: events.count > query.limit)
        }
    }

    private enum Place {
        case position(Int64)
        /// It was delivered by push before it got its place in the feed: what follows it is not there either.
        case notNumberedYet
    }

    private static func place(of event: EventID?, scope: Scope, in transaction: any Transaction) throws -> Place {
        guard let event else { return .position(0) }
        let position = try transaction.first(
            "SELECT position FROM feed WHERE event_id = $1 AND tenant_id = $2", [.id(event), .id(scope.tenant)]
        ) { $0.int(0) }
        if let position { return .position(position) }
        let isKept = try transaction.first(
            "SELECT 1 FROM event WHERE id = $1 AND tenant_id = $2", [.id(event), .id(scope.tenant)]
        ) { _ in true }
        if isKept == true { return .notNumberedYet }
        let oldest = try transaction.first(
            """
            SELECT f.event_id FROM feed f JOIN event e ON e.id = f.event_id
            WHERE f.tenant_id = $1 AND e.org_id = $2 ORDER BY f.position LIMIT 1
            """, [.id(scope.tenant), .id(scope.organisation)]
        ) { $0.id(0, of: Event.self) }
        throw Refusal(
            .gone, "The cursor names no event that is still kept.",
            fields: [Refusal.Field("oldest", oldest.map { .string($0.ulid) } ?? .null)])
    }

    private static func events(
        _ query: Query, after position: Int64, scope: Scope, in transaction: any Transaction
    ) throws -> [DomainEvent] {
        var arguments: [SQLValue] = [
            .id(scope.tenant), .int(position), .id(scope.organisation), .int(query.limit + 1),
        ]
        var conditions = ""
        switch query.pattern {
        case .exactly(let type):
            arguments.append(.text(type))
            conditions += " AND e.type = $\(arguments.count)"
        case .entity(let entity):
            arguments.append(.text(entity))
            conditions += " AND e.entity_type = $\(arguments.count)"
        case .all, nil: break
        }
        if let entityType = query.entityType {
            arguments.append(.text(entityType))
            conditions += " AND e.entity_type = $\(arguments.count)"
        }
        return try transaction.all(
            Statement(
                composed: """
                    SELECT \(EventStore.columns) FROM feed f JOIN event e ON e.id = f.event_id
                    WHERE f.tenant_id = $1 AND f.position > $2 AND e.org_id = $3\(conditions)
                    ORDER BY f.position LIMIT $4
                    """), arguments
        ) { EventStore.decode($0) }
    }
}
