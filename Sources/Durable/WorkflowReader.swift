import Kernel
import Storage

/// A workflow as callers see it.
package struct WorkflowSummary: Sendable {
    package let id: WorkflowID
    package let kind: String
    /// pending, running, completed or dead.
    package let state: String
    package let outcome: String?
    package let reason: String?
    package let result: ID<WorkflowResult>?
    package let attempts: Int
    package let nextAttemptAt: Timestamp?
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// What a long workflow tells of itself: a JSON object.
    package let progress: [UInt8]?
    package let steps: [WorkflowStep]
}

/// What callers can see of workflows and do with dead ones.
package struct WorkflowService: Sendable {
    private let database: any Database
    private let runners: [String: WorkflowRunner]
    private let time: TimeSource

    /// - Parameter runners: by kind, to be woken when a workflow of that kind is made due again.
    package init(database: any Database, runners: [String: WorkflowRunner], time: TimeSource) {
        self.database = database
        self.runners = runners
        self.time = time
    }

    /// One workflow with its steps; refuses as not found what belongs to another tenant or organisation.
    package func require(
        _ id: WorkflowID, tenant: TenantID, organisation: OrganisationID
    ) async throws -> WorkflowSummary {
        let found = try await database.read { transaction in
            try WorkflowService.list(
                where: "id = $1 AND tenant_id = $2 AND org_id = $3",
                [.id(id), .id(tenant), .id(organisation)], in: transaction
            ).first
        }
        guard let found else { throw Refusal.notFound("workflow") }
        return found
    }

    /// The dead-letter list, oldest first.
    package func dead(
        tenant: TenantID, organisation: OrganisationID, after: WorkflowID?, limit: Int
    ) async throws -> [WorkflowSummary] {
        try await database.read { transaction in
            try WorkflowService.list(
                where: "tenant_id = $1 AND org_id = $2 AND state = 'dead' AND id > $3 ORDER BY id LIMIT $4",
                [.id(tenant), .id(organisation), .id(after ?? .zero), .int(limit)], in: transaction)
        }
    }

    /// Makes a settled workflow due again.
    package func retry(_ id: WorkflowID, tenant: TenantID, organisation: OrganisationID) async throws {
        let now = time.now()
        let summary = try await require(id, tenant: tenant, organisation: organisation)
        let restarted = try await database.write { transaction in
            try WorkflowStore.restart(id, tenant: tenant, now: now, in: transaction)
        }
        if !restarted { throw Refusal.conflict("The workflow is still running or waiting to run.") }
        runners[summary.kind]?.wake()
    }

    private static func list(
        where condition: String, _ arguments: [SQLValue], in transaction: any Transaction
    ) throws -> [WorkflowSummary] {
        let found = try transaction.all(
            Statement(
                composed: """
                    SELECT id, kind, state, outcome, reason, result_id, attempts, next_at, claim, created_at,
                        updated_at, progress
                    FROM workflow WHERE \(condition)
                    """), arguments
        ) { row in
            let isPending = row.text(2) == "pending"
            let isClaimed = isPending && row.int(8) != 0
            return WorkflowSummary(
                id: row.id(0), kind: row.text(1), state: isClaimed ? "running" : row.text(2),
                outcome: row.textOrNil(3), reason: row.textOrNil(4), result: row.idOrNil(5),
                attempts: Int(row.int(6)), nextAttemptAt: isPending && !isClaimed ? row.time(7) : nil,
                createdAt: row.time(9), updatedAt: row.time(10), progress: row.bytesOrNil(11), steps: [])
        }
        return try found.map { summary in
            let steps = try WorkflowStore.steps(of: summary.id, in: transaction)
            return steps.isEmpty ? summary : summary.with(steps)
        }
    }
}

extension WorkflowSummary {
    fileprivate func with(_ steps: [WorkflowStep]) -> WorkflowSummary {
        WorkflowSummary(
            id: id, kind: kind, state: state, outcome: outcome, reason: reason, result: result, attempts: attempts,
            nextAttemptAt: nextAttemptAt, createdAt: createdAt, updatedAt: updatedAt, progress: progress, steps: steps)
    }
}
