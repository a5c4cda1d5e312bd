import Durable
import Events
import Kernel
import Storage

/// What a turn begins.
extension ReplayTurn {
    /// What a look has found by reading.
    private struct Found: Sendable {
        var isCancelled = false
        var rate: Int?
        var pacedUntil: Timestamp
        var pace: ReplayPace
        /// How many there is room for.
        var limit = 0
        /// Deliveries have to be written before they are sent.
        var writesFirst = false
        var slice: ReplaySlice?
    }

    /// Begins what there is room for. What waits is counted by reading, so that the writer has no work with it; it
    /// holds until the next step, since only the holder of the claim adds to it.
    mutating func look() async throws -> Step {
        let (turn, now) = (self, workflow.time.now())
        let room = workflow.dispatcher.laterRoom(for: subscription, claim.tenant)
        let found = try await workflow.database.read(.background) { transaction in
            try turn.find(room, now: now, in: transaction)
        }
        guard let found else {
            isClosing = true
            return Step()
        }
        if found.isCancelled {
            isClosing = true
            workflow.dispatcher.drop(claim.id.cast(), to: subscription)
            return Step()
        }
        if found.rate != rate { (rate, pacedUntil) = (found.rate, found.pacedUntil) }
        pace = found.pace
        if found.writesFirst {
            return course.isEmpty && found.limit > 0 ? try await write(found.limit, now: now) : Step()
        }
        return found.slice.map { send($0, room, now: now) } ?? Step()
    }

    /// Nil if the replay is not to go on for now.
    private func find(_ room: Room, now: Timestamp, in transaction: any Transaction) throws -> Found? {
        let (id, scope): (ReplayID, Scope) = (claim.id.cast(), scope)
        let asked = try ReplayStore.ask(id, scope: scope, in: transaction)
        // While it closes it is only asked whether the store is there: without one nothing that is under way ends.
        let more =
            isClosing
            ? nil
            : (
                target: try SubscriptionStore.ask(subscription, scope: scope, in: transaction),
                waiting: try ReplayStore.askWaiting(id, in: transaction)
            )
        guard let replay = try asked.first() else { return nil }
        if replay.state == .cancelled {
            return Found(isCancelled: true, rate: rate, pacedUntil: pacedUntil, pace: pace)
        }
        guard let more, replay.state == .running, let target = try more.target.first(), target.status == .active
        else { return nil }
        var found = Found(rate: replay.rate, pacedUntil: replay.pacedUntil, pace: pace)
        let waiting = try (more.waiting.first() ?? 0) + course.underWay.count
        found.limit = ReplayPace.allowance(
            replay.rate, room: found.pace.room(waiting: waiting),
            pacedUntil: replay.rate == rate ? pacedUntil : replay.pacedUntil, now: now)
        // Only the copy that has the backlog can keep to limits among copies, and an order is kept among rows. An open
        // breaker is tried with rows: if all others have ended there would be nothing to try it with.
        found.writesFirst =
            target.isOrdered || workflow.dispatcher.isTripped(subscription)
            || (workflow.dispatcher.process != nil && target.limitsCalls)
        if found.writesFirst { return found }
        let places = course.canGoOn ? room.endpoints[subscription] ?? 0 : 0
        // Small gaps are left until they are worth a look.
        if places < workflow.slice, places < found.limit, !course.isEmpty { found.limit = 0 }
        found.limit = min(found.limit, places)
        if found.limit == 0 { return found }
        found.slice = try ReplaySlice.next(
            of: replay, after: course.read, for: ReplayTarget(target, filters: workflow.filters), limit: found.limit,
            in: transaction)
        return found
    }

    /// Has a slice sent, as far as there is room for it.
    private mutating func send(_ slice: ReplaySlice, _ room: Room, now: Timestamp) -> Step {
        var (room, deliveries) = (room, [ReadyDelivery]())
        let before = course.read
        var isCut = false
        for placed in slice.found {
            if course.passesOver(placed.event.id, at: placed.position) {
                course.goThrough(to: placed.position)
                continue
            }
            let delivery = ReadyDelivery(
                id: workflow.ids.next(), tenant: claim.tenant, subscription: subscription, event: placed.event,
                attempts: 0, claim: claim.number, leaseEnds: claimEnds, createdAt: now, replay: claim.id.cast(),
                sending: sending)
            isCut = !room.take(subscription, claim.tenant, places: delivery.places)
            if isCut { break }
            course.send(delivery.id, at: placed.position)
            deliveries.append(delivery)
        }
        if !isCut { course.goThrough(to: slice.lastPosition) }
        began(deliveries.count, now: now)
        workflow.dispatcher.offer(deliveries, areTries: false)
        return Step(begun: deliveries.count, isMoving: course.read > before)
    }

    private mutating func began(_ count: Int, now: Timestamp) {
        pace.wrote(count)
        if count > 0 { pacedUntil = ReplayPace.pacedUntil(rate, count: count, now: now) }
    }

    /// Writes a slice as one transaction. Those that find room are born leased to this process, the others wait until
    /// their endpoint has some.
    private mutating func write(_ limit: Int, now: Timestamp) async throws -> Step {
        let turn = self
        let written = try await workflow.database.write(.background) { transaction in
            try turn.write(limit, now: now, in: transaction)
        }
        guard let (turn, new, count) = written else {
            isClosing = true
            return Step()
        }
        self = turn
        noted(at: now)
        workflow.dispatcher.offer(new)
        return Step(begun: count, isMoving: true)
    }

    private func write(
        _ limit: Int, now: Timestamp, in transaction: any Transaction
    ) throws -> (ReplayTurn, NewDeliveries, count: Int)? {
        var turn = self
        guard let replay = try Self.hold(claim, in: transaction), replay.state == .running,
            let target = try SubscriptionStore.fetch(subscription, scope: scope, in: transaction),
            target.status == .active
        else { return nil }
        let slice = try ReplaySlice.next(
            of: replay, after: course.read, for: ReplayTarget(target, filters: workflow.filters), limit: limit,
            in: transaction)
        let events = slice.found.filter { !turn.course.passesOver($0.event.id, at: $0.position) }.map(\.event)
        let fanOut = ReplayFanOut(ids: workflow.ids, dispatcher: workflow.dispatcher)
        let new = try fanOut.record(
            events, of: replay.id, to: subscription, tenant: claim.tenant, isOrdered: target.isOrdered, now: now,
            in: transaction)
        turn.course.goThrough(to: slice.lastPosition)
        turn.began(events.count, now: now)
        try turn.advance(replay, queued: events.count, now: now, in: transaction)
        return (turn, new, events.count)
    }
}
