import Kernel
import Storage

package enum Workflow {}
package typealias WorkflowID = ID<Workflow>

/// A workflow that this process has leased: it may be worked on until the lease ends.
package struct WorkflowClaim: Sendable {
    package let id: WorkflowID
    package let tenant: TenantID
    package let organisation: OrganisationID
    package let kind: String
    package let input: [UInt8]
    /// The number of the claim, unique to it; a write that shows another number changes nothing.
    package let number: Int64
    /// Failures recorded so far. A crash records none; those are counted by claims.
    package let attempts: Int
    package let createdAt: Timestamp

    package init(
        id: WorkflowID, tenant: TenantID, organisation: OrganisationID, kind: String, input: [UInt8], number: Int64,
        attempts: Int, createdAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.organisation = organisation
        self.kind = kind
        self.input = input
        self.number = number
        self.attempts = attempts
        self.createdAt = createdAt
    }
}

/// What becomes of a claimed workflow, written in the transaction of its effects.
package enum Settlement: Sendable, Equatable {
    /// Done, with a word for the log (`processed`, `stale` …) and the row it made or changed.
    case completed(outcome: String, reason: String?, result: ID<WorkflowResult>?)
    /// Failed for now; the reason is shown while it waits.
    case retry(at: Timestamp, reason: String)
    /// In the dead-letter list until somebody retries it: `parked`, `exhausted` or `quarantined`.
    case dead(outcome: String, reason: String)
}

/// The row that a workflow made or changed, whatever kind that is.
package enum WorkflowResult {}

/// The code for one kind of workflow.
package protocol WorkflowKind: Sendable {
    /// Its name in rows and answers, such as `order_import`.
    var name: String { get }
    /// How many are worked on together.
    var batchLimit: Int { get }
    /// How many batches are worked on beside each other.
    var batchesAtOnce: Int { get }
    var retry: RetryPolicy { get }
    /// Where claims wait for the store; the background unless something is to come of the work soon.
    var lane: Lane { get }

    /// Works on claimed workflows and settles each with its claim number, in the same transaction as its effects.
    ///
    /// An error means that none was settled. A batch that throws is run again one by one, so that the one at fault
    /// can't hold back the others; one that throws alone counts as a failed attempt.
    func perform(_ batch: [WorkflowClaim]) async throws
}

/// When a failed workflow is tried again, and when it is given up.
package struct RetryPolicy: Sendable, Equatable {
    package let first: Duration
    package let longest: Duration
    /// Failed attempts after which it is dead.
    package let attemptsMost: Int

    package init(first: Duration, longest: Duration, attemptsMost: Int) {
        self.first = first
        self.longest = longest
        self.attemptsMost = attemptsMost
    }

    /// For work on our own store: about a quarter of an hour in ten attempts.
    package static let local = RetryPolicy(first: .seconds(1), longest: .seconds(300), attemptsMost: 10)

    /// What a failure comes to. The wait doubles with each attempt; jitter (0 ..< 1) adds up to a half of it, so that
    /// what failed together does not come back together.
    ///
    /// - Parameter attempts: failed attempts, this one included.
    package func settlement(attempts: Int, reason: String, now: Timestamp, jitter: Double) -> Settlement {
        if attempts >= attemptsMost { return .dead(outcome: "exhausted", reason: reason) }
        var wait = first
        for _ in 1..<max(1, attempts) where wait < longest { wait *= 2 }
        wait = min(wait, longest)
        let extra = Duration.milliseconds(Int64(Double(wait.wholeMilliseconds) * 0.5 * jitter))
        return .retry(at: now + wait + extra, reason: reason)
    }
}

extension WorkflowKind {
    package var lane: Lane { .background }
    package var batchesAtOnce: Int { 1 }
}
