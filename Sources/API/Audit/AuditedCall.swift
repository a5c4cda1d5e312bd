import Events
import Kernel
import Storage
import Synchronization

/// A request whose change goes on record, for as long as it runs. Writes of the services see it by the task that they
/// are asked for in, so that no service has to hand it on.
final class AuditedCall: Sendable {
    @TaskLocal static var current: AuditedCall?

    let principal: Principal
    let credential: CredentialKey?
    let requestID: String
    let address: String?
    /// The operation's name in the API's document.
    let action: String
    let subject: AuditSubject
    /// What the path names, if anything.
    let pathID: String?
    /// What a task that outlives its request writes is not the caller's doing.
    private let isOver = Mutex(false)

    init(
        principal: Principal, credential: CredentialKey?, requestID: String, address: String?, action: String,
        subject: AuditSubject, pathID: String?
    ) {
        self.principal = principal
        self.credential = credential
        self.requestID = requestID
        self.address = address
        self.action = action
        self.subject = subject
        self.pathID = pathID
    }

    func end() { isOver.withLock { $0 = true } }

    /// Whether a transaction is to be watched.
    var isOpen: Bool { isOver.withLock { !$0 } }
}

/// A database that puts the changes of audited calls on record, each in the transaction of the change itself.
package final class AuditingDatabase: Database {
    private let database: any Database
    private let ids: IDGenerator
    private let time: TimeSource

    package init(_ database: any Database, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.ids = ids
        self.time = time
    }

    package var dialect: Dialect { database.dialect }
    package var statementCount: Int { database.statementCount }
    package func report() async throws -> EngineReport { try await database.report() }
    package func shutdown() async { await database.shutdown() }

    package func enqueue(_ work: Work) {
        guard work.isWrite, let call = AuditedCall.current, call.isOpen else { return database.enqueue(work) }
        let (id, now) = (ids.next(AuditRow.self), time.now())
        database.enqueue(
            Work(
                lane: work.lane, isWrite: true,
                body: { transaction in
                    // A body may run again after a conflict, and sees its own writes only.
                    let witness = AuditWitness(transaction, call, at: now)
                    try work.body(witness)
                    try witness.record(id)
                }, completion: work.completion))
    }
}

/// What is on record of one change.
package enum AuditRow {}

/// Watches the statements of one transaction: notes how the subject stood before the first write to it.
private final class AuditWitness: Transaction {
    private let inner: any Transaction
    private let call: AuditedCall
    private let now: Timestamp
    /// Where the subject's row is found, once a statement has named it.
    private var place: (condition: String, arguments: [SQLValue], name: String?)?
    private var before: String?

    init(_ inner: any Transaction, _ call: AuditedCall, at now: Timestamp) {
        self.inner = inner
        self.call = call
        self.now = now
    }

    var dialect: Dialect { inner.dialect }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        let table = call.subject.table
        if place == nil, let target = Self.target(of: statement.text), target == table.name {
            place = self.place(table.key, arguments)
            if let place { before = try table.state(place.condition, place.arguments, at: now, in: inner) }
        }
        return try inner.run(statement, arguments, rows: rows, each: each)
    }

    /// The table that a statement writes to; nil for one that reads. What a statement of several parts (`WITH`) writes
    /// to is not looked for.
    private static func target(of text: String) -> Substring? {
        let words = text.split(maxSplits: 4, omittingEmptySubsequences: true) { $0 == " " || $0 == "\n" || $0 == "(" }
        switch words.first {
        case "INSERT", "DELETE": return words.count > 2 ? words[2] : nil
        case "UPDATE": return words.count > 1 ? words[1] : nil
        default: return nil
        }
    }

    private func place(
        _ key: AuditSubject.Key, _ arguments: [SQLValue]
    ) -> (condition: String, arguments: [SQLValue], name: String?)? {
        let tenant = SQLValue.id(call.principal.tenant)
        let text = arguments.lazy.compactMap { if case .text(let text) = $0 { text } else { nil } }.first
        switch key {
        case .tenant: return ("tenant_id = $1", [tenant], nil)
        case .scope: return ("tenant_id = $1 AND org_id = $2", [tenant, .id(call.principal.organisation)], nil)
        case .name: return text.map { ("tenant_id = $1 AND name = $2", [tenant, .text($0)], $0) }
        case .item:
            guard let connection = call.pathID.flatMap({ ID<AuditRow>($0) }), let text else { return nil }
            return (
                "tenant_id = $1 AND connection_id = $2 AND external_id = $3",
                [tenant, .id(connection), .text(text)], text
            )
        case .path:
            return call.pathID.flatMap { ID<AuditRow>($0) }.map {
                ("id = $1 AND tenant_id = $2", [.id($0), tenant], $0.description)
            }
        case .owner(let column):
            let scope = "tenant_id = $1"
            guard let owner = call.pathID.flatMap({ ID<AuditRow>($0) }) else {
                return (
                    "\(scope) AND org_id = $2 AND \(column) IS NULL", [tenant, .id(call.principal.organisation)], nil
                )
            }
            return ("\(scope) AND \(column) = $2", [tenant, .id(owner)], owner.description)
        case .entity:
            guard let text, arguments.count >= 2, case .uuid(let high, let low) = arguments[1] else { return nil }
            return (
                "tenant_id = $1 AND org_id = $2 AND entity_id = $3 AND entity_type = $4",
                [tenant, .id(call.principal.organisation), arguments[1], .text(text)],
                ID<AuditRow>(high: high, low: low).description
            )
        case .id:
            // Statements over all rows of a tenant name the tenant first, and no row.
            guard case .uuid(let high, let low)? = arguments.first, arguments.first != tenant else { return nil }
            return (
                "id = $1 AND tenant_id = $2", [.uuid(high: high, low: low), tenant],
                ID<AuditRow>(high: high, low: low).description
            )
        }
    }

    /// Writes the row, unless the transaction left the subject alone.
    func record(_ id: ID<AuditRow>) throws {
        guard let place else { return }
        let after = try call.subject.table.state(place.condition, place.arguments, at: now, in: inner)
        try AuditStore.insert(
            id, call, resource: place.name ?? call.pathID, before: before, after: after, now: now, in: inner)
    }
}
