import Durable
import Events
import Kernel
import Storage

/// What callers can do with past events: send one again, or all that a subscription missed in a time.
package struct ReplayService: Sendable {
    /// Replays of one tenant that may be open at once: each is looked after several times a second.
    static let openMost = 10

    private let database: any Database
    private let sequencer: FeedSequencer
    private let dispatcher: Dispatcher
    private let runner: WorkflowRunner
    private let policy: RetentionPolicy
    private let ids: IDGenerator
    private let time: TimeSource
    private let filters = FilterCache()

    /// - Parameter runner: the one of `ReplayWorkflow`, to be woken when a replay begins or goes on.
    package init(
        database: any Database, sequencer: FeedSequencer, dispatcher: Dispatcher, runner: WorkflowRunner,
        policy: RetentionPolicy, ids: IDGenerator, time: TimeSource
    ) {
        self.database = database
        self.sequencer = sequencer
        self.dispatcher = dispatcher
        self.runner = runner
        self.policy = policy
        self.ids = ids
        self.time = time
    }

    // MARK: One event

    /// Sends an event again: to one subscription, or to all active ones that ask for its type. Returns to which.
    package func resend(_ id: EventID, to wanted: SubscriptionID?, scope: Scope) async throws -> [SubscriptionID] {
        let (now, policy, filters) = (time.now(), policy, filters)
        let fanOut = ReplayFanOut(ids: ids, dispatcher: dispatcher)
        let replay: ReplayID = ids.next()
        let (targets, new) = try await database.write { transaction in
            guard let event = try EventStore.fetch(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("event")
            }
            let bound = try policy.bound(of: scope.tenant, now: now, in: transaction)
            if event.id < EventID(from: bound) {
                throw Refusal(.gone, "The event is older than \(bound), which is how far events are held.")
            }
            let targets = try Self.targets(of: event, wanted, scope: scope, filters, in: transaction)
            let new = try targets.map { target in
                // Not held back behind others of its entity: somebody asked for this one, now.
                try fanOut.record(
                    [id], of: replay, to: target, tenant: scope.tenant, isOrdered: false, now: now, in: transaction)
            }
            return (targets, new)
        }
        for new in new { dispatcher.offer(new) }
        return targets
    }

    private static func targets(
        of event: DomainEvent, _ wanted: SubscriptionID?, scope: Scope, _ filters: FilterCache,
        in transaction: any Transaction
    ) throws -> [SubscriptionID] {
        if let wanted {
            // Somebody wants this one there, whatever else is sent to it: neither its types nor its filter are asked.
            try requireActive(wanted, scope: scope, in: transaction)
            return [wanted]
        }
        let active = try SubscriptionStore.active(forTenants: [scope.tenant], in: transaction)[scope.tenant] ?? []
        var gate = FilterGate(filters)
        let targets = try active.filter { try $0.wants(event) && gate.takes(event, for: $0) }.map(\.id)
        if targets.isEmpty { throw Refusal.conflict("No active subscription asks for this \(event.type).") }
        return targets
    }

    /// For a request whose body names it.
    private static let noSubscription = Refusal.notFound("subscription", at: ["/subscription_id"])

    @discardableResult
    private static func requireActive(
        _ id: SubscriptionID, scope: Scope, else refusal: Refusal = noSubscription, in transaction: any Transaction
    ) throws -> SubscriptionStore.Stored {
        guard let target = try SubscriptionStore.fetch(id, scope: scope, in: transaction) else { throw refusal }
        guard target.status == .active else {
            throw Refusal.conflict("The subscription is disabled; activate it before something is sent to it again.")
        }
        return target
    }

    // MARK: Many

    /// Counts what a request asks for.
    package func count(_ request: ReplayRequest, scope: Scope) async throws -> Int {
        let found = try await database.read { transaction in
            try SubscriptionStore.fetch(request.subscription, scope: scope, in: transaction)
        }
        guard let target = found else { throw Self.noSubscription }
        return try await planned(request, for: target, scope: scope, user: .zero).total
    }

    /// Begins a replay; it goes on by itself, also over restarts.
    package func begin(_ request: ReplayRequest, scope: Scope, user: UserID) async throws -> Replay {
        let target = try await database.read { transaction in
            try Self.requireActive(request.subscription, scope: scope, in: transaction)
        }
        let replay = try await planned(request, for: target, scope: scope, user: user)
        let claim = WorkflowClaim(
            id: replay.id.cast(), tenant: scope.tenant, organisation: scope.organisation, kind: ReplayWorkflow.kind,
            input: [], number: 0, attempts: 0, createdAt: replay.createdAt)
        try await database.write { transaction in
            let open = try ReplayStore.openCount(scope.tenant, in: transaction)
            if open >= Self.openMost {
                throw Refusal.conflict("The tenant has \(open) open replays; the limit is \(Self.openMost).")
            }
            try ReplayStore.insert(replay, in: transaction)
            var rows = WorkflowStore.newRows()
            WorkflowStore.append(claim, leased: false, to: &rows)
            try WorkflowStore.insert(rows, in: transaction)
        }
        runner.wake()
        return replay
    }

    /// The replay that a request comes to, once its types are known to be none that somebody misspelt.
    private func planned(
        _ request: ReplayRequest, for target: SubscriptionStore.Stored, scope: Scope, user: UserID
    ) async throws -> Replay {
        let plan = try await plan(request, scope: scope, user: user)
        try await refuseUnknown(plan, for: target)
        return try await counted(plan, for: target)
    }

    /// The replay that a request comes to, not counted yet. What is committed by now is in it, what comes later not.
    private func plan(_ request: ReplayRequest, scope: Scope, user: UserID) async throws -> Replay {
        if !database.dialect.commitsInOrder { while try await sequencer.numberPending() > 0 {} }
        let (policy, now) = (policy, time.now())
        let until = min(request.until ?? .never, now + .milliseconds(1))
        let id: ReplayID = ids.next()
        return try await database.read { transaction in
            let bound = try policy.bound(of: scope.tenant, now: now, in: transaction)
            if request.since < bound {
                throw InvalidDocument(
                    pointer: "/since", detail: "must not be before \(bound): what is older is held no longer")
            }
            let newest = try FeedStore.last(after: 0, scope, in: transaction)?.position ?? 0
            return Replay(
                id: id, scope: scope, subscription: request.subscription, since: request.since, until: until,
                patterns: request.patterns, selection: request.selection, rate: request.rate, state: .running,
                reason: nil, total: 0, queued: 0,
                lastPosition: min(newest, try FeedStore.position(before: request.since, in: transaction)),
                endPosition: min(newest, try FeedStore.position(behind: until, in: transaction)), pacedUntil: now,
                requestedBy: user, createdAt: now, updatedAt: now, finishedAt: nil,
                unsureFrom: nil)
        }
    }

    /// Refuses a pattern that no type matches, by name, as anywhere else. A type that was deleted may still have
    /// events, so that such a pattern is asked for events of its own before it counts as misspelt.
    private func refuseUnknown(_ replay: Replay, for stored: SubscriptionStore.Stored) async throws {
        let tenant = replay.scope.tenant
        let names = EventNames(own: try await database.read { try OwnTypeStore.names(tenant: tenant, in: $0) })
        var faults: [FieldFault] = []
        for (index, pattern) in replay.patterns.enumerated() {
            let text = pattern.description
            if EventPattern(text, among: names) != nil { continue }
            var alone = replay
            alone.patterns = [pattern]
            if try await counted(alone, for: stored).total > 0 { continue }
            faults.append(FieldFault(pointer: "/event_types/\(index)", detail: names.refusal(of: text)))
        }
        if !faults.isEmpty { throw InvalidDocument(faults) }
    }

    /// Counted window by window, so that no reading transaction lasts long.
    private func counted(_ replay: Replay, for stored: SubscriptionStore.Stored) async throws -> Replay {
        let target = ReplayTarget(stored, filters: filters)
        var total = 0
        var position: Int64? = replay.lastPosition
        while let after = position {
            let (count, next) = try await database.read(.background) { transaction in
                try ReplaySlice.count(of: replay, for: target, after: after, in: transaction)
            }
            total += count
            position = next
        }
        var whole = replay
        whole.total = total
        return whole
    }

    /// Newest first.
    package func list(scope: Scope, before: ReplayID?, limit: Int) async throws -> [Replay] {
        try await database.read { try ReplayStore.list(scope: scope, before: before, limit: limit, in: $0) }
    }

    /// One replay with its deliveries by state; refuses as not found what belongs to somebody else.
    package func require(_ id: ReplayID, scope: Scope) async throws -> (replay: Replay, outcomes: [String: Int]) {
        try await database.read { transaction in
            guard let replay = try ReplayStore.fetch(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("replay")
            }
            return (replay, try ReplayStore.outcomes(id, in: transaction))
        }
    }

    /// Pauses, resumes or cancels. Deliveries that are written already still go out after a pause, not after a cancel.
    package func move(_ id: ReplayID, to next: Replay.State, scope: Scope) async throws -> Replay {
        let now = time.now()
        let replay = try await database.write { transaction in
            guard let replay = try ReplayStore.hold(id, scope: scope, in: transaction) else {
                throw Refusal.notFound("replay")
            }
            guard replay.state.canMove(to: next) else {
                throw Refusal.conflict("The replay is \(replay.state.rawValue) and can't become \(next.rawValue).")
            }
            if replay.state == next { return replay }
            try ReplayStore.setState(next, reason: nil, of: id, now: now, in: transaction)
            switch next {
            case .running:
                try Self.requireActive(
                    replay.subscription, scope: scope, else: .notFound("subscription"), in: transaction)
                // Where it is still pending nothing is to be done: it will see the new state.
                _ = try WorkflowStore.restart(id.cast(), tenant: scope.tenant, now: now, in: transaction)
            case .cancelled: try ReplayStore.skipWaiting(id, now: now, in: transaction)
            case .paused, .completed: break
            }
            return try ReplayStore.fetch(id, scope: scope, in: transaction) ?? replay
        }
        if next == .running { runner.wake() }
        if next == .cancelled { dispatcher.drop(id, to: replay.subscription) }
        return replay
    }

    /// Sets how many deliveries a second an open replay may write; nil for as many as the endpoint takes.
    package func setRate(_ rate: Int?, of id: ReplayID, scope: Scope) async throws {
        let now = time.now()
        try await database.write { transaction in
            guard try ReplayStore.hold(id, scope: scope, in: transaction) != nil else {
                throw Refusal.notFound("replay")
            }
            try ReplayStore.setRate(rate, of: id, now: now, in: transaction)
        }
    }
}
