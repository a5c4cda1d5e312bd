import Events
import Kernel
import Storage

/// Where in an organisation's feed a reader stands, found by the id of the last event that it has.
///
/// An id outlives a dump, a restore and a move from SQLite to PostgreSQL, which a row number or transaction id would
/// not.
enum FeedCursor {
    /// It names an event that was pushed before it got its place in the feed: what follows it has none either.
    case notNumberedYet
    case position(Int64)

    /// Finds the place; refuses a cursor behind which something was cleared out, and one that never was of this feed.
    static func find(_ after: EventID?, scope: Scope, in transaction: any Transaction) throws -> FeedCursor {
        guard let after else { return .position(0) }
        let owner: [SQLValue] = [.id(scope.tenant), .id(scope.organisation)]
        let floor = try transaction.first(
            "SELECT position, event_id FROM feed_floor WHERE tenant_id = $1 AND org_id = $2", owner
        ) { FeedStore.Placed(position: $0.int(0), event: $0.id(1)) }
        let position = try transaction.first(
            "SELECT position FROM feed WHERE tenant_id = $1 AND org_id = $2 AND event_id = $3", owner + [.id(after)]
        ) { $0.int(0) }
        if let position, position >= floor?.position ?? 0 { return .position(position) }
        // The newest of what was removed: nothing behind it is missing, so a reader that was quiet that long goes on.
        if let floor, floor.event == after { return .position(floor.position) }
        if position == nil, try isPending(after, scope: scope, in: transaction) { return .notNumberedYet }
        throw try refusal(of: after, isOld: position != nil, scope: scope, in: transaction)
    }

    private static func isPending(_ event: EventID, scope: Scope, in transaction: any Transaction) throws -> Bool {
        if transaction.dialect.commitsInOrder { return false }
        return try transaction.first(
            "SELECT 1 FROM feed_pending WHERE event_id = $3 AND tenant_id = $1 AND org_id = $2",
            [.id(scope.tenant), .id(scope.organisation), .id(event)]
        ) { _ in true } ?? false
    }

    private static func refusal(
        of after: EventID, isOld: Bool, scope: Scope, in transaction: any Transaction
    ) throws -> Refusal {
        let oldest = try FeedStore.first(scope, in: transaction)?.event
        // Ids tell when they were made: only what is older than all that is held can have expired.
        if isOld || oldest.map({ after < $0 }) ?? true {
            return Refusal(
                .gone, "The cursor names no event that is still held; begin anew without one.",
                fields: [Refusal.Field("oldest", oldest.map { .string($0.ulid) } ?? .null)])
        }
        return Refusal(.invalid, "The cursor names no event of this organisation's feed.")
    }
}
