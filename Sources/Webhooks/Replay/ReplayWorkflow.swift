import Durable
import Events
import Kernel
import Storage

/// Writes the deliveries of running replays, a slice in a transaction, never more than the endpoint can do with.
///
/// The deliveries and how far the feed was gone through are written together: a crash neither repeats nor misses one.
package struct ReplayWorkflow: WorkflowKind {
    /// A replay's workflow has the replay's own id.
    package static let kind = "webhook_replay"
    /// How long a turn goes on over the same replays before others may join.
    private static let turn: Duration = .seconds(2)
    /// The wait after a look in vain, longer by as much after each further one.
    private static let pause: Duration = .microseconds(1_500)
    /// Looks in vain after which a turn ends, and when its replays are looked at again.
    private static let vainMost = 24
    private static let vainPause: Duration = .seconds(2)

    package let name = ReplayWorkflow.kind
    package let batchLimit = 8
    package let retry = RetryPolicy.local

    private let database: any Database
    private let dispatcher: Dispatcher
    private let ids: IDGenerator
    private let time: TimeSource
    private let execution: DispatchExecution
    private let filters = FilterCache()
    /// Behind SQLite's one writer, what happens now waits as long as it takes to write a slice. PostgreSQL's sessions
    /// don't wait for each other, and each slice costs a flush.
    private var slice: Int { database.dialect == .sqlite ? 48 : 128 }

    package init(
        database: any Database, dispatcher: Dispatcher, ids: IDGenerator, time: TimeSource,
        execution: DispatchExecution = .standard
    ) {
        self.database = database
        self.execution = execution
        self.dispatcher = dispatcher
        self.ids = ids
        self.time = time
    }

    package func perform(_ batch: [WorkflowClaim]) async throws {
        var active = batch.map { (claim: $0, pace: ReplayPace(slice: slice)) }
        let end = execution.uptime() + Self.turn
        let bell = Doorbell()
        var vain = 0
        while !active.isEmpty, vain < Self.vainMost, execution.uptime() < end, !Task.isCancelled {
            var isMoving = false
            var left: [(claim: WorkflowClaim, pace: ReplayPace)] = []
            for (claim, pace) in active {
                let step = try await step(claim, pace: pace)
                isMoving = isMoving || step.isMoving
                if step.fate == .goesOn { left.append((claim, step.pace)) }
            }
            active = left
            vain = isMoving ? 0 : vain + 1
            if !active.isEmpty, vain > 0 { await execution.wait(bell, Self.pause * vain) }
        }
        if active.isEmpty { return }
        let (claims, due) = (active.map(\.claim), time.now() + (vain == Self.vainMost ? Self.vainPause : .zero))
        try await database.write(.background) { try WorkflowStore.giveBack(claims, due: due, in: $0) }
    }

    enum Fate: Sendable {
        case goesOn
        /// Its workflow is settled.
        case settled
    }

    struct Step: Sendable {
        var fate: Fate
        var pace: ReplayPace
        var queued = 0
        /// What the dispatcher is to be offered once it is on disk.
        var new = NewDeliveries()
        /// Whether it got on, be it only over events that nobody wants.
        var isMoving = false
    }

    /// One slice of one replay, as one transaction, if there is room for one.
    ///
    /// What waits is counted by reading, so that the writer has no work with it. It holds for the transaction behind
    /// it: only the holder of the claim adds to what waits, and the transaction renews the claim.
    func step(_ claim: WorkflowClaim, pace: ReplayPace) async throws -> Step {
        let scope = Scope(tenant: claim.tenant, organisation: claim.organisation)
        let (state, waiting) = try await database.read(.background) { transaction in
            (
                try ReplayStore.fetch(claim.id.cast(), scope: scope, in: transaction)?.state,
                try ReplayStore.waiting(claim.id.cast(), in: transaction)
            )
        }
        var looked = Step(fate: .goesOn, pace: pace)
        let room = looked.pace.room(waiting: waiting)
        if state == .running, room == 0 { return looked }
        let (now, pace) = (time.now(), looked.pace)
        let (fanOut, filters) = (ReplayFanOut(ids: ids, dispatcher: dispatcher), filters)
        let step = try await database.write(.background) { transaction in
            try Self.step(
                claim, pace: pace, room: room, fanOut: fanOut, filters: filters, now: now, in: transaction)
        }
        dispatcher.offer(step.new)
        return step
    }

    private static func step(
        _ claim: WorkflowClaim, pace: ReplayPace, room: Int, fanOut: ReplayFanOut, filters: FilterCache, now: Timestamp,
        in transaction: any Transaction
    ) throws -> Step {
        guard try WorkflowStore.renew([claim], in: transaction).contains(claim.id) else {
            throw LostClaim(id: claim.id)
        }
        let scope = Scope(tenant: claim.tenant, organisation: claim.organisation)
        func settle(_ outcome: String, _ reason: String? = nil) throws -> Step {
            try WorkflowStore.settle(
                [(claim, .completed(outcome: outcome, reason: reason, result: nil))], now: now, in: transaction)
            return Step(fate: .settled, pace: pace)
        }
        let held = try ReplayStore.hold(claim.id.cast(), scope: scope, in: transaction)
        guard let replay = held, replay.state == .running else {
            return try settle(held?.state.rawValue ?? Replay.State.cancelled.rawValue)
        }
        guard let target = try SubscriptionStore.fetch(replay.subscription, scope: scope, in: transaction) else {
            let reason = "the subscription was deleted"
            try ReplayStore.setState(.cancelled, reason: reason, of: replay.id, now: now, in: transaction)
            return try settle("cancelled", reason)
        }
        guard target.status == .active else {
            let reason = "the subscription is disabled"
            try ReplayStore.setState(.paused, reason: reason, of: replay.id, now: now, in: transaction)
            return try settle("paused", reason)
        }
        var step = Step(fate: .goesOn, pace: pace)
        let limit = ReplayPace.allowance(replay.rate, room: room, pacedUntil: replay.pacedUntil, now: now)
        if limit == 0 { return step }
        let slice = try ReplaySlice.next(
            of: replay, for: ReplayTarget(target, filters: filters), limit: limit, in: transaction)
        step.new = try fanOut.record(
            slice.events, of: replay.id, to: replay.subscription, tenant: scope.tenant, isOrdered: target.isOrdered,
            now: now, in: transaction)
        step.queued = slice.events.count
        step.pace.wrote(step.queued)
        step.isMoving = true
        try ReplayStore.advance(replay, to: slice.lastPosition, queued: step.queued, now: now, in: transaction)
        if slice.isLast {
            try ReplayStore.setState(.completed, reason: nil, of: replay.id, now: now, in: transaction)
            step.fate = try settle("completed").fate
        }
        return step
    }
}
