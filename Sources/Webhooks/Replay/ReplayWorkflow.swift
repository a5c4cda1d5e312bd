import Durable
import Events
import Kernel
import Storage

/// Has the deliveries of running replays sent, never more at once than the endpoint can do with.
///
/// How far the feed is done with is noted behind what is written, and who sends a replay is asked where its deliveries
/// are written: a crash neither repeats nor misses one.
package struct ReplayWorkflow: WorkflowKind {
    /// A replay's workflow has the replay's own id.
    package static let kind = "webhook_replay"
    /// How long a turn goes on before others may have its place.
    private static let turn: Duration = .seconds(30)
    /// Looks in vain after which a turn ends, if nothing is under way.
    private static let vainMost = 24
    /// How long a turn waits for what is under way, once it ends: a call may take ten seconds.
    private static let ending: Duration = .seconds(15)

    package let name = ReplayWorkflow.kind
    package let batchLimit = 1
    /// One whose endpoint hangs holds up as many others as there are places too few.
    package let batchesAtOnce = 32
    package let retry = RetryPolicy.local

    let database: any Database
    let dispatcher: Dispatcher
    let ids: IDGenerator
    let time: TimeSource
    let execution: DispatchExecution
    let filters = FilterCache()
    /// Deliveries that are begun at once.
    let slice: Int

    /// - Parameter slice: as the store asks for it, if nothing is said: each look at the feed takes three ways to a
    ///   server and back.
    package init(
        database: any Database, dispatcher: Dispatcher, ids: IDGenerator, time: TimeSource,
        execution: DispatchExecution = .standard, slice: Int? = nil
    ) {
        self.database = database
        self.slice = slice ?? (database.dialect == .sqlite ? 32 : 64)
        self.execution = execution
        self.dispatcher = dispatcher
        self.ids = ids
        self.time = time
    }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        for claim in batch {
            if var turn = try await ReplayTurn.begin(claim, of: self) { try await perform(&turn) }
        }
    }

    private func perform(_ turn: inout ReplayTurn) async throws {
        let end = execution.uptime() + Self.turn
        var closedAt: Duration?
        var vain = 0
        while true {
            let isVain = vain >= Self.vainMost && turn.course.isEmpty
            if !turn.isClosing, isVain || execution.uptime() >= end || Task.isCancelled {
                (turn.isClosing, turn.isVain) = (true, isVain)
            }
            if turn.isClosing, closedAt == nil { closedAt = execution.uptime() }
            let step = try await turn.step()
            if step.fate == .over { return }
            if let closedAt, execution.uptime() - closedAt >= Self.ending { return try await turn.giveUp() }
            vain = step.isMoving ? 0 : min(vain + 1, Self.vainMost)
            if vain > 0 { await turn.wait(vain: vain) }
        }
    }
}
