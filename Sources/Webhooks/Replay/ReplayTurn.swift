import Durable
import Events
import Kernel
import Storage

/// A while of one replay, under one claim: reads what comes next, has it sent, and notes how far that is written.
///
/// Deliveries go out before they have rows; their rows come with their first attempts. Where deliveries have to wait
/// for each other in the store they are written first.
struct ReplayTurn {
    enum Fate: Sendable {
        case goesOn
        /// Its workflow is settled, or was given back.
        case over
    }

    struct Step: Sendable {
        var fate = Fate.goesOn
        /// Deliveries that were begun.
        var begun = 0
        /// Whether it got on, be it only over events that nobody wants.
        var isMoving = false
    }

    /// What is noted at least so often, so that after a crash little has to be looked up.
    private static let noteInterval: Duration = .milliseconds(250)
    /// A claim is renewed before this is left of it, so that deliveries don't wait for room longer than it lasts.
    private static let renewal = Dispatcher.lease - .seconds(10)
    /// The wait after a look in vain, longer by as much after each further one.
    private static let pause: Duration = .microseconds(1_500)
    /// When a replay is looked at again that could not go on.
    private static let vainPause: Duration = .seconds(2)

    let claim: WorkflowClaim
    let subscription: SubscriptionID
    let workflow: ReplayWorkflow
    let sending = ReplaySending()
    var pace: ReplayPace
    var course: ReplayCourse
    /// The rate that `pacedUntil` goes by.
    var rate: Int?
    var pacedUntil: Timestamp
    /// By the process's own clock, counted from before the claim.
    private(set) var claimEnds: Timestamp
    private var notedAt: Duration
    private var isQuiet = false
    private let endPosition: Int64
    /// Nothing more is begun; once nothing is under way, the replay is settled or its claim given back.
    var isClosing = false
    /// It ends because it could not go on.
    var isVain = false

    var scope: Scope { Self.scope(of: claim) }
    private var isAtEnd: Bool { course.read >= endPosition }

    /// Begins a turn, unless the replay is not to go on, which settles its workflow.
    static func begin(_ claim: WorkflowClaim, of workflow: ReplayWorkflow) async throws -> ReplayTurn? {
        let (now, least) = (workflow.time.now(), workflow.ids.next() as DeliveryID)
        let taken = try await workflow.database.write(.background) { transaction -> (Replay, ReplayCourse)? in
            guard let replay = try running(claim, now: now, in: transaction) else { return nil }
            let (doubts, unsureFrom) = try ReplayStore.take(
                replay, for: claim.number, least: least, in: transaction)
            return (replay, ReplayCourse(at: replay.lastPosition, doubts: doubts, unsureFrom: unsureFrom))
        }
        guard let (replay, course) = taken else { return nil }
        return ReplayTurn(claim, of: workflow, replay, course, claimedAt: now)
    }

    private init(
        _ claim: WorkflowClaim, of workflow: ReplayWorkflow, _ replay: Replay, _ course: ReplayCourse,
        claimedAt: Timestamp
    ) {
        self.claim = claim
        self.workflow = workflow
        self.course = course
        subscription = replay.subscription
        pace = ReplayPace(slice: workflow.slice)
        (rate, pacedUntil, endPosition) = (replay.rate, replay.pacedUntil, replay.endPosition)
        claimEnds = claimedAt + WorkflowStore.lease
        notedAt = workflow.execution.uptime()
    }

    // MARK: One step

    /// Takes in what was written, and begins what there is room for.
    mutating func step() async throws -> Step {
        let lost = isQuiet ? workflow.dispatcher.lost(of: course.underWay, to: subscription) : []
        // After those that are lost: what is written is not here any more either.
        let written = sending.takeWritten()
        for delivery in written { course.end(delivery) }
        for delivery in lost { course.lose(delivery) }
        isQuiet = written.isEmpty
        if course.hasToGoBack { try await goBack() }
        // Before anything is begun: somebody else may have the replay by now.
        if isNoteDue { try await note() }
        var step = try await look()
        if !written.isEmpty { step.isMoving = true }
        if course.isEmpty, isClosing || isAtEnd {
            try await end()
            step.fate = .over
        }
        return step
    }

    /// Waits until something was written, or for a while that is longer after each look in vain.
    func wait(vain: Int) async {
        let (execution, bell, limit) = (workflow.execution, sending.bell, Self.pause * vain)
        if !Task.isCancelled { return await execution.wait(bell, limit) }
        // A cancelled task waits for nothing, and what is under way has to end all the same.
        await withCheckedContinuation { continuation in
            execution.start {
                await execution.wait(bell, limit)
                continuation.resume()
            }
        }
    }

    /// What was lost is found by going through the feed again, over what is written.
    private mutating func goBack() async throws {
        let (replay, first): (ReplayID, DeliveryID) = (claim.id.cast(), course.unsureFrom)
        let written = try await workflow.database.read(.background) { transaction in
            try ReplayStore.written(replay, from: first, in: transaction)
        }
        course.goBack(passingOver: written)
    }

    // MARK: Noting

    private var isNoteDue: Bool {
        if claimEnds - workflow.time.now() < Self.renewal { return true }
        return course.hasNews && workflow.execution.uptime() - notedAt >= Self.noteInterval
    }

    /// The replay of a claim that still holds, and is renewed, if it is to go on; otherwise its workflow is settled.
    private static func running(
        _ claim: WorkflowClaim, now: Timestamp, in transaction: any Transaction
    ) throws -> Replay? {
        let replay = try hold(claim, in: transaction)
        if let replay, replay.state == .running { return replay }
        try settle(claim, (replay?.state ?? .cancelled).rawValue, now: now, in: transaction)
        return nil
    }

    /// Renews the claim and locks the replay's row.
    static func hold(_ claim: WorkflowClaim, in transaction: any Transaction) throws -> Replay? {
        guard try WorkflowStore.renew([claim], in: transaction).contains(claim.id) else {
            throw LostClaim(id: claim.id)
        }
        return try ReplayStore.hold(claim.id.cast(), scope: scope(of: claim), in: transaction)
    }

    private static func scope(of claim: WorkflowClaim) -> Scope {
        Scope(tenant: claim.tenant, organisation: claim.organisation)
    }

    private static func settle(
        _ claim: WorkflowClaim, _ outcome: String, _ reason: String? = nil, now: Timestamp,
        in transaction: any Transaction
    ) throws {
        try WorkflowStore.settle(
            [(claim, .completed(outcome: outcome, reason: reason, result: nil))], now: now, in: transaction)
    }

    /// Renews the claim and writes down how far the replay is.
    private mutating func note() async throws {
        let (turn, now) = (self, workflow.time.now())
        try await workflow.database.write(.background) { transaction in
            if let replay = try Self.hold(turn.claim, in: transaction) {
                try turn.advance(replay, now: now, in: transaction)
            }
        }
        noted(at: now)
    }

    mutating func noted(at now: Timestamp) {
        course.note()
        claimEnds = now + WorkflowStore.lease
        notedAt = workflow.execution.uptime()
    }

    /// - Parameters:
    ///   - queued: deliveries that the same transaction has written.
    ///   - isLast: this turn begins nothing more, whose rows would have to be looked for.
    func advance(
        _ replay: Replay, queued: Int = 0, isLast: Bool = false, now: Timestamp, in transaction: any Transaction
    ) throws {
        // Somebody may have set another rate meanwhile, which begins anew.
        let paced = replay.rate == rate ? pacedUntil : replay.pacedUntil
        try ReplayStore.advance(
            replay, to: course.passed, queued: queued, unsureFrom: isLast && course.isSure ? nil : course.unsureFrom,
            pacedUntil: paced, now: now, in: transaction)
    }

    /// Nothing is under way any more: settles the workflow, or gives the claim back for another turn.
    private func end() async throws {
        let now = workflow.time.now()
        try await workflow.database.write(.background) { try end(now: now, in: $0) }
    }

    /// Gives the claim back while something is still under way. What comes of that is not written any more: the next
    /// turn sends it again.
    func giveUp() async throws {
        let (claim, due) = (claim, workflow.time.now() + Self.vainPause)
        try await workflow.database.write(.background) { try WorkflowStore.giveBack([claim], due: due, in: $0) }
    }

    private func end(now: Timestamp, in transaction: any Transaction) throws {
        let held = try Self.hold(claim, in: transaction)
        if let held { try advance(held, isLast: true, now: now, in: transaction) }
        guard let replay = held, replay.state == .running else {
            return try Self.settle(claim, (held?.state ?? .cancelled).rawValue, now: now, in: transaction)
        }
        let target = try SubscriptionStore.fetch(subscription, scope: scope, in: transaction)
        func stop(_ state: Replay.State, _ reason: String?) throws {
            try ReplayStore.setState(state, reason: reason, of: replay.id, now: now, in: transaction)
            try Self.settle(claim, state.rawValue, reason, now: now, in: transaction)
        }
        if course.passed >= replay.endPosition { return try stop(.completed, nil) }
        guard let target else { return try stop(.cancelled, "the subscription was deleted") }
        if target.status != .active { return try stop(.paused, DeliveryStore.disabledReason) }
        try WorkflowStore.giveBack([claim], due: dueAgain(now: now), in: transaction)
    }

    /// When another turn has something to do: where only the rate held it up, as soon as that allows.
    private func dueAgain(now: Timestamp) -> Timestamp {
        if !isVain { return now }
        let latest = now + Self.vainPause
        return pacedUntil > now ? min(pacedUntil, latest) : latest
    }
}
