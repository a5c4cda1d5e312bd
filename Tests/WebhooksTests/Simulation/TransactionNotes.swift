import Events
import Kernel
import Storage

@testable import Webhooks

/// What a transaction did that the world has to know of once it is committed.
struct TransactionNotes {
    /// An event, and the subscriptions that were active when it was written.
    struct Event {
        let id: EventID
        let type: String
        let entity: ID<DomainEvent.Entity>
        let occurredAt: Timestamp
        let active: Set<SubscriptionID>
    }

    /// A delivery that a replay wrote.
    struct Copy: Hashable {
        let subscription: SubscriptionID
        let replay: ReplayID
        let event: EventID
    }

    /// Something that concerns one subscription, in the order in which it was done.
    enum Change {
        /// - isFirst: the delivery is written with it, which disabling its subscription could not end before.
        case attempted(isFailure: Bool, isGone: Bool, isFirst: Bool)
        case status(isActive: Bool, isCallers: Bool)
        case breakerOpened
        /// Not as a part of a subscription's end.
        case breakerClosed
        case told(String)
    }

    var hasLeases = false
    var hasRecords = false
    var hasDeliveries = false
    /// The numbers that deliveries were leased under.
    var claims: Set<Int64> = []
    var changes: [(subscription: SubscriptionID, change: Change)] = []
    var events: [Event] = []
    var copies: [Copy] = []
    /// Replays that begin.
    var replays: [(subscription: SubscriptionID, replay: ReplayID)] = []
    /// What must not be, whatever comes later.
    var faults: [String] = []

    var isEmpty: Bool { changes.isEmpty && events.isEmpty && copies.isEmpty && replays.isEmpty && faults.isEmpty }
}

/// What a statement of the engine is for, as far as the world wants to know.
enum StatementKind {
    case lease
    case records
    case attempts
    case deliveries
    /// Deliveries that are written with their first attempt.
    case tried
    case replays
    case release
    case skips
    case breakerOpens
    case breakerCloses
    case status
    case deletion
    case events
    case other

    private static let beginnings: [(String, StatementKind)] = [
        ("UPDATE delivery SET claim = $1", .lease), ("INSERT INTO backlog_lease", .lease),
        ("UPDATE delivery SET state = r.new_state", .records), ("INSERT INTO attempt", .attempts),
        ("INSERT INTO delivery (replay_id", .tried), ("INSERT INTO delivery", .deliveries),
        ("INSERT INTO replay", .replays), ("UPDATE delivery SET claim = 0, next_at = $1", .release),
        ("WITH part AS MATERIALIZED (\n    SELECT id FROM delivery", .skips), ("INSERT INTO breaker", .breakerOpens),
        ("DELETE FROM breaker", .breakerCloses), ("UPDATE subscription SET status", .status),
        ("DELETE FROM subscription WHERE", .deletion), ("INSERT INTO event (", .events),
    ]

    /// Statements by their keys, since comparing texts at each run takes longer than the run. Asked by one at a time,
    /// as the world is.
    final class Book: @unchecked Sendable {
        private var known: [Statement.Key: (kind: StatementKind, spoilt: Statement?, isDropped: Bool)] = [:]
        private let sabotage: Sabotage?

        init(_ sabotage: Sabotage?) { self.sabotage = sabotage }

        func look(up statement: Statement) -> (kind: StatementKind, spoilt: Statement?, isDropped: Bool) {
            if let entry = known[statement.key] { return entry }
            let text = statement.text
            var entry = (
                kind: beginnings.first { text.hasPrefix($0.0) }?.1 ?? .other, spoilt: Statement?.none, isDropped: false
            )
            if let sabotage, text.hasPrefix(sabotage.statement) {
                entry.isDropped = sabotage.words.isEmpty
                if !sabotage.words.isEmpty, text.contains(sabotage.words) {
                    let parts = text.split(separator: sabotage.words, omittingEmptySubsequences: false)
                    entry.spoilt = Statement(composed: parts.joined(separator: sabotage.others))
                }
            }
            known[statement.key] = entry
            return entry
        }
    }
}
