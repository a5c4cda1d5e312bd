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
    private let state = Mutex((isOver: false, rows: 0))

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

    func end() { state.withLock { $0.isOver = true } }

    func noteRow() { state.withLock { $0.rows += 1 } }

    /// Whether a transaction is to be watched. What has no row to show is told once, however many writes it takes.
    var isOpen: Bool { state.withLock { !$0.isOver && (subject.table != nil || $0.rows == 0) } }
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
        let isTold = Told()
        database.enqueue(
            Work(
                lane: work.lane, isWrite: true,
                body: { transaction in
                    // A body may run again after a conflict, and sees its own writes only.
                    let witness = AuditWitness(transaction, call)
                    try work.body(witness)
                    isTold.set(try witness.record(id, at: now))
                },
                completion: { error in
                    if error == nil, isTold.value { call.noteRow() }
                    work.completion(error)
                }))
    }
}

/// A flag between a transaction's body and its completion.
private final class Told: Sendable {
    private let flag = Mutex(false)
    var value: Bool { flag.withLock { $0 } }
    func set(_ value: Bool) { flag.withLock { $0 = value } }
}

/// What is on record of one change.
package enum AuditRow {}

/// Watches the statements of one transaction: notes how the subject stood before the first write to it.
private final class AuditWitness: Transaction {
    private let inner: any Transaction
    private let call: AuditedCall
    private var didWrite = false
    /// Where the subject's row is found, once a statement has named it.
    private var place: (condition: String, arguments: [SQLValue], name: String?)?
    private var before: String?

    init(_ inner: any Transaction, _ call: AuditedCall) {
        self.inner = inner
        self.call = call
    }

    var dialect: Dialect { inner.dialect }

    func run(
        _ statement: Statement, _ arguments: [SQLValue], rows: RowBatch?, each: (any Row) throws -> Void
    ) throws -> Int {
        if let target = Self.target(of: statement.text) {
            didWrite = true
            if place == nil, let table = call.subject.table, target == table.name {
                place = self.place(table.key, arguments)
                if let place { before = try table.state(place.condition, place.arguments, in: inner) }
            }
        }
        return try inner.run(statement, arguments, rows: rows, each: each)
    }

    /// The table that a statement writes to; nil for one that reads.
    private static func target(of text: String) -> Substring? {
        let words = text.split(maxSplits: 4, omittingEmptySubsequences: true) { $0 == " " || $0 == "\n" || $0 == "(" }
        switch words.first {
        case "INSERT", "DELETE": return words.count > 2 ? words[2] : nil
        case "UPDATE": return words.count > 1 ? words[1] : nil
        // What a statement with several parts writes to is not looked for: it counts as a write.
        case "WITH":
            return ["INSERT INTO ", "UPDATE ", "DELETE FROM "].contains(where: { text.contains($0) }) ? "" : nil
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
        case .id:
            // Statements over all rows of a tenant name the tenant first, and no row.
            guard case .uuid(let high, let low)? = arguments.first, arguments.first != tenant else { return nil }
            return (
                "id = $1 AND tenant_id = $2", [.uuid(high: high, low: low), tenant],
                ID<AuditRow>(high: high, low: low).description
            )
        }
    }

    /// Writes the row; false where the transaction changed nothing.
    func record(_ id: ID<AuditRow>, at now: Timestamp) throws -> Bool {
        guard didWrite, call.subject.table == nil || place != nil else { return false }
        var after: String?
        if let table = call.subject.table, let place {
            after = try table.state(place.condition, place.arguments, in: inner)
        }
        try AuditStore.insert(
            id, call, resource: place?.name ?? call.pathID, before: before, after: after, now: now, in: inner)
        return true
    }
}
