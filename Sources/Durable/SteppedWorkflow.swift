import Kernel
import Storage

/// A kind of workflow made of steps with effects outside of the store, each done once even when the process dies
/// between them: what a finished step gave is read back instead of doing it again.
package protocol SteppedWorkflow: WorkflowKind {
    var database: any Database { get }
    var time: TimeSource { get }

    func run(_ steps: WorkflowSteps) async throws -> Settlement
}

extension SteppedWorkflow {
    package var batchLimit: Int { 1 }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        for claim in batch {
            let done = try await database.read(.background) { try WorkflowStore.steps(of: claim.id, in: $0) }
            let steps = WorkflowSteps(claim: claim, done: done, database: database, time: time)
            let settlement = try await run(steps)
            let now = time.now()
            try await database.write(.background) { transaction in
                let settled = try WorkflowStore.settled([(claim, settlement)], now: now, in: transaction)
                if try settled.answer() != [claim.id] { throw LostClaim(id: claim.id) }
            }
        }
    }
}

/// The steps of one claimed workflow: what is done already, and the way to do the next.
package struct WorkflowSteps: Sendable {
    package let claim: WorkflowClaim
    private let done: [String: [UInt8]]
    private let database: any Database
    private let time: TimeSource

    init(claim: WorkflowClaim, done: [WorkflowStep], database: any Database, time: TimeSource) {
        self.claim = claim
        self.done = Dictionary(done.map { ($0.name, $0.output) }, uniquingKeysWith: { first, _ in first })
        self.database = database
        self.time = time
    }

    /// Does a step, or gives what it gave when it was done before.
    ///
    /// `body` may run again if the process dies before its output is on disk: its effect has to bear that, by an
    /// idempotency key of the step's own or by looking first.
    package func step(_ name: String, _ body: () async throws -> [UInt8]) async throws -> [UInt8] {
        if let output = done[name] { return output }
        let output = try await body()
        let step = WorkflowStep(name: name, output: output, recordedAt: time.now())
        let claim = claim
        try await database.write(.background) { try WorkflowStore.record(step, of: claim, in: $0) }
        return output
    }
}
