import Events
import Kernel
import Storage

@testable import Webhooks

/// Notes what a transaction does that the world has to know of once it is committed, and spoils what it is told to.
final class WatchedTransaction: Transaction {
    private let inner: any Transaction
    private let book: StatementKind.Book
    private let draw: UInt64
    /// Whether the copy that asks gives back what it holds, which is then due at once.
    private let isStopping: Bool
    private(set) var notes = TransactionNotes()
    private var ended: Set<SubscriptionID> = []

    init(_ inner: any Transaction, book: StatementKind.Book, draw: UInt64, isStopping: Bool) {
        self.inner = inner
        self.book = book
        self.draw = draw
        self.isStopping = isStopping
    }

    var dialect: Dialect { inner.dialect }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        let (kind, spoilt, isDropped) = book.look(up: statement)
        if isDropped, draw % 3 == 0 { return 0 }
        let statement = spoilt ?? statement
        switch kind {
        case .records: return try runRecords(statement, arguments, rows, each)
        case .release:
            let count = try inner.run(statement, arguments, rows: rows, each: each)
            if isStopping, let rows { try checkReleased(rows) }
            return count
        case .events:
            let count = try inner.run(statement, arguments, rows: rows, each: each)
            if let rows { try noteEvents(rows) }
            return count
        default:
            let count = try inner.run(statement, arguments, rows: rows, each: each)
            note(kind, arguments, rows, count: count)
            return count
        }
    }

    private func note(_ kind: StatementKind, _ arguments: [SQLValue], _ rows: RowBatch?, count: Int) {
        switch kind {
        case .lease: lease(arguments[0])
        case .attempts: notes.hasRecords = true
        case .deliveries: if let rows { noteDeliveries(rows) }
        case .tried: if let rows { noteTried(rows) }
        case .replays:
            if let replay = arguments[0].identity() as ReplayID?,
                let subscription = arguments[3].identity() as SubscriptionID?
            {
                notes.replays.append((subscription, replay))
            }
        case .skips: if let id = arguments[1].identity() as SubscriptionID? { ended.insert(id) }
        case .status:
            if count > 0 {
                let isCallers = arguments[3] == .text("disabled by a caller")
                change(arguments[0], .status(isActive: arguments[2] == .text("active"), isCallers: isCallers))
            }
        case .deletion: if count > 0 { change(arguments[0], .status(isActive: false, isCallers: true)) }
        case .breakerOpens: change(arguments[0], .breakerOpened)
        case .breakerCloses:
            if count > 0, arguments[0].identity().map({ ended.contains($0) }) == false {
                change(arguments[0], .breakerClosed)
            }
        case .records, .release, .events, .other: break
        }
    }

    private func change(_ subscription: SQLValue, _ change: TransactionNotes.Change) {
        if let id = subscription.identity() as SubscriptionID? { notes.changes.append((id, change)) }
    }

    private func lease(_ number: SQLValue) {
        notes.hasLeases = true
        if case .int(let number) = number { notes.claims.insert(number) }
    }

    /// The columns stand as the statement has them: the replay first, what came of the attempt sixth and seventh.
    private func noteTried(_ rows: RowBatch) {
        noteDeliveries(rows)
        for start in stride(from: 0, to: rows.values.count, by: rows.columns.count) {
            let (state, reason) = (rows.values[start + 5], rows.values[start + 6])
            change(rows.values[start + 3], attempted(state, reason: reason, isFirst: true))
        }
    }

    private func attempted(_ state: SQLValue, reason: SQLValue, isFirst: Bool) -> TransactionNotes.Change {
        .attempted(
            isFailure: state != .text("delivered"), isGone: reason == .text("the endpoint answered 410 Gone"),
            isFirst: isFirst)
    }

    private func noteDeliveries(_ rows: RowBatch) {
        notes.hasDeliveries = true
        let names = rows.columns.map(\.name.description)
        for start in stride(from: 0, to: rows.values.count, by: names.count) {
            func value(_ name: String) -> SQLValue? {
                names.firstIndex(of: name).map { rows.values[start + $0] }
            }
            if case .int(let claim) = value("claim"), claim != 0 { notes.claims.insert(claim) }
            if let replay = value("replay_id")?.identity() as ReplayID?,
                let subscription = value("subscription_id")?.identity() as SubscriptionID?,
                let event = value("event_id")?.identity() as EventID?
            {
                notes.copies.append(.init(subscription: subscription, replay: replay, event: event))
            }
        }
    }

    // MARK: Asking the store itself

    /// Whoever writes down an attempt has to hold the delivery at that moment.
    private func runRecords(
        _ statement: Statement, _ arguments: [SQLValue], _ rows: RowBatch?, _ each: (any Row) throws -> Void
    ) throws -> Int {
        guard let rows else { return try inner.run(statement, arguments, rows: rows, each: each) }
        let width = rows.columns.count
        var ids = RowBatch(["wanted": .uuid])
        for start in stride(from: 0, to: rows.values.count, by: width) { ids.append(rows.values[start]) }
        var held: [DeliveryID: (claim: Int64, subscription: SubscriptionID)] = [:]
        let found = try inner.all(
            "SELECT d.id, d.claim, d.subscription_id FROM {rows} r JOIN delivery d ON d.id = r.wanted", rows: ids
        ) { ($0.id(0, of: Delivery.self), $0.int(1), $0.id(2, of: Subscription.self)) }
        for (id, claim, subscription) in found { held[id] = (claim, subscription) }
        var written: Set<DeliveryID> = []
        let count = try inner.run(statement, arguments, rows: rows) { row in
            written.insert(row.id(0))
            try each(row)
        }
        for start in stride(from: 0, to: rows.values.count, by: width) {
            guard let id = rows.values[start].identity() as DeliveryID?, written.contains(id), let was = held[id]
            else { continue }
            if rows.values[start + 1] != .int(was.claim) {
                notes.faults.append("\(id): an attempt is written under a lease that is over")
            }
            let (state, reason) = (rows.values[start + 2], rows.values[start + 3])
            notes.changes.append((was.subscription, attempted(state, reason: reason, isFirst: false)))
        }
        return count
    }

    /// What a copy gives back is due at once; where it was wrong about a subscription, five seconds later.
    private func checkReleased(_ rows: RowBatch) throws {
        var ids = RowBatch(["wanted": .uuid])
        for start in stride(from: 0, to: rows.values.count, by: rows.columns.count) { ids.append(rows.values[start]) }
        let late = try inner.all(
            """
            SELECT d.id, d.next_at FROM {rows} r JOIN delivery d ON d.id = r.wanted
            WHERE d.state = 'pending' AND d.claim = 0 AND d.held = 0 AND d.next_at > now_ms() + 6000
            """, rows: ids
        ) { ($0.id(0, of: Delivery.self), $0.time(1)) }
        for (id, due) in late { notes.faults.append("\(id): given back and not due before \(due)") }
    }

    private func noteEvents(_ rows: RowBatch) throws {
        let active = try SubscriptionStore.active(forTenants: [Hub.scope.tenant], in: inner)[Hub.scope.tenant] ?? []
        let ids = Set(active.map(\.id))
        for start in stride(from: 0, to: rows.values.count, by: rows.columns.count) {
            let row = rows.values[start..<start + rows.columns.count]
            guard let id = row[start].identity() as EventID?, case .text(let type) = row[start + 5],
                let entity = row[start + 7].identity() as ID<DomainEvent.Entity>?, case .int(let at) = row[start + 8]
            else { continue }
            let occurredAt = Timestamp(milliseconds: at)
            notes.events.append(.init(id: id, type: type, entity: entity, occurredAt: occurredAt, active: ids))
            if type.hasPrefix("webhook.") { notes.changes.append((entity.cast(), .told(type))) }
        }
    }
}

extension SQLValue {
    fileprivate func identity<Kind>() -> ID<Kind>? {
        if case .uuid(let high, let low) = self { ID(high: high, low: low) } else { nil }
    }
}
