import Events
import Kernel
import Storage

/// The part of a feed that a replay goes through in one transaction, and what of it is to be sent.
struct ReplaySlice {
    /// Entries of the feed that are looked at in one transaction, however few of them are wanted.
    static let window = 2000

    struct Placed: Sendable {
        let position: Int64
        let event: DomainEvent
    }

    /// Those that the subscription's filter takes.
    let found: [Placed]
    /// How far the feed has been gone through.
    let lastPosition: Int64

    /// Goes on behind a position until `limit` events are found or the window is at its end.
    ///
    /// Looks at a narrow window first: where most events are wanted, walking to the end of a wide one would cost more
    /// than all else.
    static func next(
        of replay: Replay, after position: Int64, for target: ReplayTarget, limit: Int,
        in transaction: any Transaction
    ) throws -> ReplaySlice {
        var found: [Placed] = []
        var last = position
        for window in [min(4 * limit, Self.window), Self.window] {
            if found.count == limit || last >= replay.endPosition { break }
            let end = try end(of: window, after: last, of: replay, in: transaction)
            found += try wanted(
                of: replay, target.patterns, from: last, to: end, limit: limit - found.count, in: transaction)
            last = end
        }
        if found.count == limit { last = found.last?.position ?? last }
        return ReplaySlice(found: try target.taken(of: found), lastPosition: last)
    }

    /// The last position of a window of so many entries, which is the replay's own where that comes first.
    private static func end(
        of window: Int, after position: Int64, of replay: Replay, in transaction: any Transaction
    ) throws -> Int64 {
        let entry = try FeedStore.entry(window, after: position, replay.scope, in: transaction)
        return min(entry?.position ?? .max, replay.endPosition)
    }

    private static func wanted(
        of replay: Replay, _ patterns: [EventPattern], from first: Int64, to last: Int64, limit: Int,
        in transaction: any Transaction
    ) throws -> [Placed] {
        let conditions = conditions(replay, patterns, from: first, to: last, more: [.int(limit)])
        return try transaction.all(
            Statement(
                composed: """
                    SELECT f.position, \(EventStore.deliveredColumns) FROM feed f JOIN event e ON e.id = f.event_id
                    WHERE f.tenant_id = $1 AND f.org_id = $2 AND f.position > $3 AND f.position <= $4\(conditions.text)
                    ORDER BY f.position LIMIT $5
                    """), conditions.arguments
        ) { Placed(position: $0.int(0), event: EventStore.decode($0, from: 1)) }
    }

    /// How many events of a window are wanted, and where the next window begins; nil at the end.
    static func count(
        of replay: Replay, for target: ReplayTarget, after position: Int64, in transaction: any Transaction
    ) throws -> (count: Int, next: Int64?) {
        let end = try end(of: Self.window, after: position, of: replay, in: transaction)
        let conditions = conditions(replay, target.patterns, from: position, to: end, more: [])
        let next = end < replay.endPosition ? end : nil
        let rest = """
            FROM feed f JOIN event e ON e.id = f.event_id
            WHERE f.tenant_id = $1 AND f.org_id = $2 AND f.position > $3 AND f.position <= $4\(conditions.text)
            """
        if target.isUnfiltered {
            let count = try transaction.first(
                Statement(composed: "SELECT count(*) \(rest)"), conditions.arguments
            ) { Int($0.int(0)) }
            return (count ?? 0, next)
        }
        let found = try transaction.all(
            Statement(composed: "SELECT f.event_id \(rest)"), conditions.arguments
        ) { $0.id(0, of: Event.self) }
        return (try target.count(of: found, in: transaction), next)
    }

    private static func conditions(
        _ replay: Replay, _ patterns: [EventPattern], from first: Int64, to last: Int64, more: [SQLValue]
    ) -> EventConditions {
        let scope = replay.scope
        var conditions = EventConditions(
            after: [.id(scope.tenant), .id(scope.organisation), .int(first), .int(last)] + more)
        conditions.add("e.occurred_at >= $?", .time(replay.since))
        conditions.add("e.occurred_at < $?", .time(replay.until))
        conditions.add(patterns)
        conditions.add(replay.patterns)
        let mine = "SELECT 1 FROM delivery d WHERE d.event_id = e.id AND d.subscription_id = $?"
        switch replay.selection {
        case .all: break
        case .failed:
            // One that was tried before its subscription was disabled has not been taken either.
            let untaken = "(d.state = 'failed' OR d.state = 'skipped' AND d.attempts > 0)"
            conditions.add("EXISTS (\(mine) AND \(untaken))", .id(replay.subscription))
            conditions.add("NOT EXISTS (\(mine) AND d.state IN ('pending', 'delivered'))", .id(replay.subscription))
        case .missed:
            // What the subscription's own filter left out was not missed.
            let settled = "d.state <> 'skipped' OR d.attempts > 0 OR d.reason = '\(FilterGate.reason)'"
            conditions.add("NOT EXISTS (\(mine) AND (\(settled)))", .id(replay.subscription))
        }
        return conditions
    }
}

/// What a replay sends to: the types that its subscription asks for, and the filter that it has now.
struct ReplayTarget: Sendable {
    /// Payloads that are read at once where a filter asks for them: a megabyte or so of usual ones.
    private static let readMost = 200

    private let stored: SubscriptionStore.Stored
    private let filters: FilterCache

    init(_ stored: SubscriptionStore.Stored, filters: FilterCache) {
        self.stored = stored
        self.filters = filters
    }

    var patterns: [EventPattern] { stored.patterns }
    var isUnfiltered: Bool { stored.filter == nil }

    /// Those that the filter takes.
    func taken(of placed: [ReplaySlice.Placed]) throws -> [ReplaySlice.Placed] {
        if isUnfiltered { return placed }
        var gate = FilterGate(filters)
        return try placed.filter { try gate.takes($0.event, for: stored) }
    }

    /// How many of these events the filter takes; they are read a part at a time.
    func count(of events: [EventID], in transaction: any Transaction) throws -> Int {
        var gate = FilterGate(filters)
        var count = 0
        for start in stride(from: 0, to: events.count, by: Self.readMost) {
            let part = events[start..<min(start + Self.readMost, events.count)]
            for event in try EventStore.fetch(Set(part), in: transaction).values {
                if try gate.takes(event, for: stored) { count += 1 }
            }
        }
        return count
    }
}
