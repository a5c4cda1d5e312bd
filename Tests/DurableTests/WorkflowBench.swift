import Kernel
import Logging
import Storage
import Synchronization
import TestSupport

@testable import Durable

/// A store with workflows of the kind `test`, and a clock.
struct WorkflowBench: Sendable {
    static let tenant = TenantID(high: 1, low: 1)
    static let organisation = OrganisationID(high: 2, low: 2)
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let database: any Database
    let time: ManualTime
    private let ids: IDGenerator

    init(_ database: any Database, _ time: ManualTime) {
        self.database = database
        self.time = time
        ids = IDGenerator(time: time.source, random: SeededRandom(seed: 1))
    }

    /// What the store says of a workflow.
    struct State: Equatable {
        var state: String
        var outcome: String?
        var reason: String?
        var attempts: Int
        var claims: Int
        var claim: Int64
        var due: Timestamp
        var updated: Timestamp
    }

    /// Commits new workflows, leased to a claimer or due at once.
    func begin(_ count: Int = 1, leasedTo number: Int64? = nil) async throws -> [WorkflowClaim] {
        let claims = (0..<count).map { index in
            WorkflowClaim(
                id: ids.next(), tenant: Self.tenant, organisation: Self.organisation, kind: "test",
                input: Array("\(index)".utf8), number: number ?? 0, attempts: 0, createdAt: time.now)
        }
        var rows = WorkflowStore.newRows()
        for claim in claims { WorkflowStore.append(claim, leased: number != nil, to: &rows) }
        let batch = rows
        try await database.write { try WorkflowStore.insert(batch, in: $0) }
        return claims
    }

    func claim(_ number: Int64, limit: Int = 100) async throws -> [WorkflowClaim] {
        try await database.write { try WorkflowStore.claim(kind: "test", number: number, limit: limit, in: $0) }
    }

    @discardableResult
    func settle(_ claim: WorkflowClaim, _ settlement: Settlement) async throws -> Bool {
        let now = time.now
        return try await database.write {
            try WorkflowStore.settled([(claim, settlement)], now: now, in: $0).answer() == [claim.id]
        }
    }

    func state(_ id: WorkflowID) async throws -> State? {
        try await database.read { transaction in
            try transaction.first(
                """
                SELECT state, outcome, reason, attempts, claims, claim, next_at, updated_at FROM workflow WHERE id = $1
                """, [.id(id)]
            ) { row in
                State(
                    state: row.text(0), outcome: row.textOrNil(1), reason: row.textOrNil(2), attempts: Int(row.int(3)),
                    claims: Int(row.int(4)), claim: row.int(5), due: row.time(6), updated: row.time(7))
            }
        }
    }

    func runner(_ kind: any WorkflowKind, seed: UInt64 = 7) -> WorkflowRunner {
        WorkflowRunner(
            kind: kind, database: database, time: time.source, random: Self.random(seed), logger: Self.quiet)
    }

    static func random(_ seed: UInt64) -> @Sendable () -> UInt64 {
        let generator = RandomSource(seed: seed)
        return { generator.next() }
    }
}

/// Seeded numbers for several threads.
private final class RandomSource: Sendable {
    private let state: Mutex<SeededRandom>

    init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }

    func next() -> UInt64 { state.withLock { $0.next() } }
}

/// A kind whose work a test writes down in place.
struct ScriptedKind: WorkflowKind {
    let name = "test"
    var batchLimit = 10
    var batchesAtOnce = 1
    var retry = RetryPolicy.local
    let work: @Sendable ([WorkflowClaim]) async throws -> Void

    func perform(_ batch: [WorkflowClaim]) async throws { try await work(batch) }
}

/// What a test makes work fail with.
struct Mishap: Error {}

/// Lends a bench on one engine.
func withBench(_ engine: TestEngine, _ body: (WorkflowBench) async throws -> Void) async throws {
    let time = ManualTime()
    try await withDatabase(engine, time: time) { try await body(WorkflowBench($0, time)) }
}
