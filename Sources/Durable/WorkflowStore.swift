import Kernel
import Storage

/// The rows of workflows. A claim is a lease with a number; every later write shows the number.
///
/// Where a row is found by its id, the claim that is shown says that it is still pending: settling takes it away. With
/// `state = 'pending'` beside the id PostgreSQL may take the index of all pending rows and walk the whole backlog for
/// each settlement; with `outcome IS NULL` it does so where its statistics are of a time without a backlog.
package enum WorkflowStore {
    /// How long a claimed workflow belongs to its claimer.
    package static let lease = Leases.current.duration
    /// Claims without a settlement in between after which a workflow is taken for the cause of the crashes.
    package static let claimsMost = 5

    // MARK: Beginning

    /// An empty batch with the columns that `append` fills and `insert` writes.
    package static func newRows() -> RowBatch {
        RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "kind": .text, "input": .bytes, "next_at": .int,
            "claim": .int, "created_at": .int,
        ])
    }

    /// Adds a workflow. Born leased, it is due when the lease ends; otherwise it is due at once for whoever claims it.
    package static func append(_ claim: WorkflowClaim, leased: Bool, to rows: inout RowBatch) {
        rows.append(
            .id(claim.id), .id(claim.tenant), .id(claim.organisation), .text(claim.kind), .bytes(claim.input),
            .time(leased ? claim.createdAt + lease : claim.createdAt), .int(leased ? claim.number : 0),
            .time(claim.createdAt))
    }

    /// Writes workflows that begin with the commit of this transaction; their kinds' runners are to be told after it.
    package static func insert(_ rows: RowBatch, in transaction: any Transaction) throws {
        // Born leased counts as the first claim: a body that kills the process at once is counted from the start.
        try transaction.execute(
            """
            INSERT INTO workflow (id, tenant_id, org_id, kind, state, input, next_at, claim, claims, attempts,
                created_at, updated_at)
            SELECT id, tenant_id, org_id, kind, 'pending', input, next_at, claim,
                CASE WHEN claim = 0 THEN 0 ELSE 1 END, 0, created_at, created_at
            FROM {rows} r
            """, rows: rows)
    }

    /// Begins a workflow whose id may have had one before: from the start, also where that one is still under way.
    /// Whoever works on it then finds its claim gone.
    package static func beginAgain(_ claim: WorkflowClaim, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO workflow (id, tenant_id, org_id, kind, state, input, next_at, claim, claims, attempts,
                created_at, updated_at)
            VALUES ($1, $2, $3, $4, 'pending', $5, $6, 0, 0, 0, $6, $6)
            ON CONFLICT (id) DO UPDATE SET state = 'pending', outcome = NULL, reason = NULL, result_id = NULL,
                input = $5, progress = NULL, next_at = $6, claim = 0, claims = 0, attempts = 0, updated_at = $6
            """,
            [
                .id(claim.id), .id(claim.tenant), .id(claim.organisation), .text(claim.kind), .bytes(claim.input),
                .time(claim.createdAt),
            ])
    }

    // MARK: Claiming

    /// Leases what is due, what a crashed claimer left included. Workflows that were claimed too often without being
    /// settled are put into quarantine instead.
    package static func claim(
        kind: String, number: Int64, limit: Int, in transaction: any Transaction
    ) throws -> [WorkflowClaim] {
        let found = try transaction.all(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM workflow WHERE kind = $1 AND state = 'pending' AND next_at <= now_ms()
                ORDER BY next_at LIMIT $4 {skip locked}
            )
            UPDATE workflow SET claim = $2, claims = claims + 1, next_at = now_ms() + $3
            WHERE id IN (SELECT id FROM due)
            RETURNING id, tenant_id, org_id, input, attempts, created_at, claims, now_ms()
            """, [.text(kind), .int(number), .int(lease.wholeMilliseconds), .int(limit)]
        ) { row in
            let claim = WorkflowClaim(
                id: row.id(0), tenant: row.id(1), organisation: row.id(2), kind: kind, input: row.bytes(3),
                number: number, attempts: Int(row.int(4)), createdAt: row.time(5))
            return (claim: claim, claims: Int(row.int(6)), now: row.time(7))
        }.sorted { $0.claim.id < $1.claim.id }
        let poisoned = found.filter { $0.claims > claimsMost }.map(\.claim)
        let reason = "claimed \(claimsMost) times and never finished: it may be what ends the process"
        try settle(
            poisoned.map { ($0, .dead(outcome: "quarantined", reason: reason)) }, now: found.first?.now,
            in: transaction)
        return found.filter { $0.claims <= claimsMost }.map(\.claim)
    }

    /// Which of the claims still hold. Their rows stay locked to the end of the transaction.
    package static func held(
        _ claims: [WorkflowClaim], in transaction: any Transaction
    ) throws -> Asked<WorkflowID> {
        try transaction.ask(
            """
            SELECT w.id FROM {rows} r JOIN workflow w ON w.id = r.workflow_id
            WHERE w.claim = r.held {for update}
            """, rows: rows(of: claims)
        ) { $0.id(0) }
    }

    /// Gives claims that still hold their whole lease anew, for work that is longer than one and gets on; returns
    /// which those are. What went on is no crash, so that the claims are counted from one again.
    package static func renew(_ claims: [WorkflowClaim], in transaction: any Transaction) throws -> Set<WorkflowID> {
        let rows = rows(of: claims)
        return Set(
            try transaction.all(
                """
                UPDATE workflow SET next_at = now_ms() + $1, claims = 1 FROM {rows} r
                WHERE id = r.workflow_id AND claim = r.held RETURNING id
                """, [.int(lease.wholeMilliseconds)], rows: rows
            ) { $0.id(0) })
    }

    /// Renews a claim and writes down, with the work that was just done, where it goes on (`input`) and what may be
    /// told of it (`progress`, a JSON object); throws when the claim no longer holds, so that nothing is written.
    package static func advance(
        _ claim: WorkflowClaim, input: [UInt8], progress: [UInt8], now: Timestamp, in transaction: any Transaction
    ) throws {
        guard try renew([claim], in: transaction).contains(claim.id) else { throw LostClaim(id: claim.id) }
        try transaction.execute(
            "UPDATE workflow SET input = $2, progress = $3, updated_at = $4 WHERE id = $1",
            [.id(claim.id), .bytes(input), .bytes(progress), .time(now)])
    }

    /// Makes claimed workflows due again at `time`, as if they had not been claimed: for a process that ends, and for
    /// work that waits for something without having failed.
    package static func giveBack(
        _ claims: [WorkflowClaim], due time: Timestamp, in transaction: any Transaction
    ) throws {
        let rows = rows(of: claims)
        try transaction.execute(
            """
            UPDATE workflow SET claim = 0, claims = 0, next_at = $1 FROM {rows} r
            WHERE id = r.workflow_id AND claim = r.held
            """, [.time(time)], rows: rows)
    }

    private static func rows(of claims: [WorkflowClaim]) -> RowBatch {
        var rows = RowBatch(["workflow_id": .uuid, "held": .int])
        for claim in claims { rows.append(.id(claim.id), .int(claim.number)) }
        return rows
    }

    // MARK: Settling

    /// Writes down what became of claimed workflows, as far as their claims still hold.
    package static func settle(
        _ settlements: [(claim: WorkflowClaim, settlement: Settlement)], now: Timestamp?,
        in transaction: any Transaction
    ) throws {
        _ = try settled(settlements, now: now, in: transaction)
    }

    /// The same, and asks whose claims still held.
    package static func settled(
        _ settlements: [(claim: WorkflowClaim, settlement: Settlement)], now: Timestamp?,
        in transaction: any Transaction
    ) throws -> Asked<WorkflowID> {
        var rows = RowBatch([
            "workflow_id": .uuid, "held": .int, "new_state": .text, "new_outcome": .text, "new_reason": .text,
            "new_result": .uuid, "due": .int, "failures": .int, "stamp": .int,
        ])
        for (claim, settlement) in settlements {
            let stamp = now ?? claim.createdAt
            switch settlement {
            case .completed(let outcome, let reason, let result):
                rows.append(
                    .id(claim.id), .int(claim.number), .text("completed"), .text(outcome), .text(reason),
                    .id(result), .time(stamp), .int(0), .time(stamp))
            case .retry(let due, let reason):
                rows.append(
                    .id(claim.id), .int(claim.number), .text("pending"), .null, .text(reason), .null, .time(due),
                    .int(1), .time(stamp))
            case .dead(let outcome, let reason):
                rows.append(
                    .id(claim.id), .int(claim.number), .text("dead"), .text(outcome), .text(reason), .null,
                    .time(stamp), .int(1), .time(stamp))
            }
        }
        return try transaction.ask(
            """
            UPDATE workflow SET state = r.new_state, outcome = r.new_outcome, reason = r.new_reason,
                result_id = r.new_result, next_at = r.due, claim = 0, claims = 0,
                attempts = attempts + r.failures, updated_at = r.stamp
            FROM {rows} r WHERE id = r.workflow_id AND claim = r.held RETURNING id
            """, rows: rows
        ) { $0.id(0) }
    }

    /// Makes a settled workflow due again, as if it were new; false when there is none of that tenant or it still runs.
    package static func restart(
        _ id: WorkflowID, tenant: TenantID, now: Timestamp, in transaction: any Transaction
    ) throws -> Bool {
        try transaction.executeCounting(
            """
            UPDATE workflow SET state = 'pending', outcome = NULL, reason = NULL, next_at = $3, claim = 0, claims = 0,
                attempts = 0, updated_at = $3
            WHERE id = $1 AND tenant_id = $2 AND state <> 'pending'
            """, [.id(id), .id(tenant), .time(now)]) > 0
    }

    // MARK: Steps

    /// What the workflow has done so far, in the order in which it was done.
    package static func steps(of id: WorkflowID, in transaction: any Transaction) throws -> [WorkflowStep] {
        try transaction.all(
            """
            SELECT name, output, recorded_at FROM workflow_step WHERE workflow_id = $1 ORDER BY recorded_at, name
            """, [.id(id)]
        ) { WorkflowStep(name: $0.text(0), output: $0.bytes(1), recordedAt: $0.time(2)) }
    }

    /// Records that a step is done and renews the lease for the next one; throws when the claim no longer holds, so
    /// that nothing else is written either.
    static func record(_ step: WorkflowStep, of claim: WorkflowClaim, in transaction: any Transaction) throws {
        guard try renew([claim], in: transaction).contains(claim.id) else { throw LostClaim(id: claim.id) }
        try transaction.execute(
            "INSERT INTO workflow_step (workflow_id, name, output, recorded_at) VALUES ($1, $2, $3, $4)",
            [.id(claim.id), .text(step.name), .bytes(step.output), .time(step.recordedAt)])
    }
}

/// A step that is done and will not be done again.
package struct WorkflowStep: Sendable, Equatable {
    package let name: String
    package let output: [UInt8]
    package let recordedAt: Timestamp

    package init(name: String, output: [UInt8], recordedAt: Timestamp) {
        self.name = name
        self.output = output
        self.recordedAt = recordedAt
    }
}

/// Somebody else has the workflow now. Whoever meets this stops; there is nothing to record.
package struct LostClaim: Error, Equatable {
    package let id: WorkflowID

    package init(id: WorkflowID) { self.id = id }
}
