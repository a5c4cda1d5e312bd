import Durable
import Events
import Kernel
import Storage

/// What callers can do with imports: send a file, follow it, hold it, end it, and read what was wrong.
package struct ImportService: Sendable {
    /// Imports of one tenant that may be open at once: each has a file in the store.
    static let openMost = 5
    /// Bytes of a piece of a file: what a row of the store holds well.
    package static let pieceBytes = 256 << 10
    /// An upload that nothing has come for in this time is given up.
    private static let uploadWait: Duration = .seconds(120)
    /// How long a finished import can be looked at.
    private static let kept: Duration = .seconds(30 * 86_400)

    private let database: any Database
    private let runner: WorkflowRunner
    private let ids: IDGenerator
    private let time: TimeSource

    /// - Parameter runner: the one of `ImportWorkflow`.
    package init(database: any Database, runner: WorkflowRunner, ids: IDGenerator, time: TimeSource) {
        self.database = database
        self.runner = runner
        self.ids = ids
        self.time = time
    }

    // MARK: Sending

    /// What a file meets: a new import to be filled, or one that had the same key.
    package enum Opening: Sendable {
        case new(CatalogueImport)
        case known(CatalogueImport)
    }

    /// Makes an import that its bytes are then appended to.
    package func open(_ request: ImportRequest, scope: Scope, actor: Actor, user: UserID) async throws -> Opening {
        let now = time.now()
        let new = CatalogueImport(
            id: ids.next(), scope: scope, format: request.format, currency: request.currency,
            isDryRun: request.isDryRun, state: .uploading, size: 0, position: 0, line: 1, requestedBy: user,
            role: actor.role, createdAt: now, updatedAt: now)
        return try await againAfterDuplicate {
            try await database.write { transaction in
                if let key = request.idempotencyKey,
                    let held = try ImportStore.holder(ofKey: key, scope: scope, in: transaction)
                {
                    if held.state != .uploading { return .known(held) }
                    guard held.updatedAt + Self.uploadWait < now else {
                        throw Refusal(
                            .conflict, "The first call with this Idempotency-Key still sends its file.", retryAfter: 1)
                    }
                    try ImportStore.remove(held.id, in: transaction)
                }
                if try ImportStore.openCount(tenant: scope.tenant, in: transaction) >= Self.openMost {
                    throw Refusal.conflict("There are at most \(Self.openMost) open imports of a tenant.")
                }
                try ImportStore.insert(new, key: request.idempotencyKey, in: transaction)
                return .new(new)
            }
        }
    }

    /// Adds the next piece of a file. The first must show how the file is to be read.
    package func append(_ bytes: [UInt8], at position: Int, to one: CatalogueImport) async throws {
        let now = time.now()
        try await database.write { transaction in
            try ImportStore.append(bytes, at: position, to: one.id, now: now, in: transaction)
        }
    }

    /// Says that the file is whole, and begins with its rows.
    package func begin(
        _ one: CatalogueImport, head: [UInt8], size: Int, digest: [UInt8]
    ) async throws -> CatalogueImport {
        let layout = try ImportLayout(one.format, head: head, isWhole: head.count == size)
        let now = time.now()
        let begun = try await database.write { transaction in
            guard var held = try ImportStore.hold(one.id, scope: one.scope, in: transaction), held.state == .uploading
            else { throw Refusal(.gone, "The upload took so long that it was given up.") }
            held.state = .running
            held.source = layout.source.rawValue
            held.size = size
            held.digest = digest
            held.updatedAt = now
            try ImportStore.update(held, in: transaction)
            try Self.insertWorkflow(held, now: now, in: transaction)
            return held
        }
        runner.wake()
        return begun
    }

    private static func insertWorkflow(
        _ one: CatalogueImport, now: Timestamp, in transaction: any Transaction
    ) throws {
        var rows = WorkflowStore.newRows()
        WorkflowStore.append(
            WorkflowClaim(
                id: one.id.cast(), tenant: one.scope.tenant, organisation: one.scope.organisation,
                kind: ImportWorkflow.kind, input: [], number: 0, attempts: 0, createdAt: now), leased: false, to: &rows)
        try WorkflowStore.insert(rows, in: transaction)
    }

    /// Takes an import away whose file did not come whole or can't be read.
    package func discard(_ one: CatalogueImport) async throws {
        try await database.write { try ImportStore.remove(one.id, in: $0) }
    }

    // MARK: Following

    /// An import; one of another owner is not found.
    package func require(_ id: ImportID, scope: Scope) async throws -> CatalogueImport {
        let found = try await database.read { try ImportStore.fetch(id, scope: scope, in: $0) }
        guard let found else { throw Refusal.notFound("import") }
        return found
    }

    /// Newest first; one more than asked for tells that there is a next page.
    package func list(scope: Scope, before: ImportID?, limit: Int) async throws -> [CatalogueImport] {
        try await database.read { try ImportStore.list(scope: scope, before: before, limit: limit, in: $0) }
    }

    /// What was wrong with the rows, in the order of the file.
    package func faults(
        of id: ImportID, scope: Scope, after number: Int, limit: Int
    ) async throws -> [(number: Int, fault: ImportFault)] {
        _ = try await require(id, scope: scope)
        return try await database.read { try ImportStore.faults(of: id, after: number, limit: limit, in: $0) }
    }

    // MARK: Moving

    /// Holds an import, lets it go on, or ends it; rows that are in stay in.
    package func move(_ id: ImportID, to next: CatalogueImport.State, scope: Scope) async throws -> CatalogueImport {
        let now = time.now()
        let moved = try await database.write { transaction in
            guard var one = try ImportStore.hold(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("import")
            }
            guard one.state.canMove(to: next) else {
                let allowed = CatalogueImport.State.allCases.filter { $0 != one.state && one.state.canMove(to: $0) }
                throw Refusal.noMove("import", from: one.state, to: next, allowed: allowed)
            }
            if one.state == next { return one }
            one.state = next
            one.updatedAt = now
            if next == .cancelled {
                one.finishedAt = now
                try ImportStore.dropFile(of: id, in: transaction)
            }
            try ImportStore.update(one, in: transaction)
            if next == .running {
                // Nothing to restart where the workflow has not seen the pause yet.
                _ = try WorkflowStore.restart(id.cast(), tenant: scope.tenant, now: now, in: transaction)
            }
            return one
        }
        if next == .running { runner.wake() }
        return moved
    }

    // MARK: Clearing out

    /// Forgets uploads that were never finished, and imports that ended long ago.
    package func clear() async throws {
        let now = time.now()
        let (uploads, ended) = (now - Self.uploadWait * 30, now - Self.kept)
        for (time, isUploading) in [(uploads, true), (ended, false)] {
            while try await database.write(
                .background,
                { try ImportStore.removeOne(untouchedSince: time, isUploading: isUploading, in: $0) })
            {}
        }
    }
}
