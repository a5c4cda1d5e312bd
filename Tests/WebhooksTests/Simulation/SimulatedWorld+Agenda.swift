import Events
import Kernel
import TestSupport

@testable import Webhooks

extension SimulatedWorld {
    /// Something that happens from outside of the engine.
    enum Action {
        case publish(count: Int)
        case doom(Int, NodeLife.Doom)
        /// The doom's place was not reached meanwhile.
        case end(NodeLife)
        case restart(Int)
        case disable(Int)
        case activate(Int)
        case delete(Int)
        case rotate(Int)
        /// A caller bounds the calls at once of an endpoint that had no bound.
        case limit(Int, Int)
        /// One event once more.
        case resend
        /// All that a subscription asks for once more, of some time.
        case replay(Replay.Selection, rate: Int?)
        /// A caller pauses, resumes or cancels the newest replay.
        case move(Replay.State)
        /// A copy is asked to stop, as before a new version is started.
        case stop(Int)
        /// A copy's writes stand still for longer than a lease lasts, while its calls go on.
        case stall(Int)
    }

    /// Makes the subscriptions and the plan of the days to come.
    func begin() async throws {
        for index in 0..<terms.copies { nodes.append(try start(index)) }
        let clerk = try nodes[0].clerk(over: base, seed: random.next())
        for endpoint in ledger.endpoints {
            let body =
                #"{"url": "\#(endpoint.url)", "event_types": ["\#(endpoint.types)*"], "#
                + #""profile": "\#(endpoint.profile)""#
                + endpoint.terms + "}"
            let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
                SubscriptionRequest($0, rules: Hub.rules)
            }
            ledger.subscriptions.append(try await clerk.create(request, scope: Hub.scope).0.id)
        }
        let settings = try FieldReader.read(JSONValue(parsing: Array(health.json.utf8))) { TenantSettingsChange($0) }
        _ = try await clerk.changeSettings(settings, of: Hub.scope.tenant)
        agenda = terms.isCalm ? [(time.now + .seconds(1), .publish(count: 1))] : plan()
    }

    private func start(_ index: Int) throws -> SimulatedNode {
        let skew = terms.isCalm ? Duration.zero : .milliseconds(draw(500) - 250)
        return try SimulatedNode(NodeLife(self, index: index, skew: skew), seed: random.next())
    }

    private func plan() -> [(Timestamp, Action)] {
        let begin = time.now
        var plan: [(Timestamp, Action)] = []
        func at(_ seconds: Int, _ action: Action) { plan.append((begin + .seconds(seconds), action)) }
        var second = 1
        for _ in 0..<(6 + draw(6)) {
            at(second, .publish(count: 1 + draw(3)))
            if chance(4) { at(second + draw(3), .stop(draw(terms.copies))) }
            if chance(8) { at(second, .stall(draw(terms.copies))) }
            // In crowds, with hours between them.
            second += chance(3) ? draw(30_000) : draw(20)
        }
        for _ in 0..<(2 + draw(4)) {
            let doom = NodeLife.Doom.allCases[draw(NodeLife.Doom.allCases.count)]
            at(draw(60_000), .doom(draw(terms.copies), doom))
        }
        for _ in 0..<draw(3) {
            let (subscription, second) = (draw(ledger.endpoints.count), draw(90_000))
            at(second, .disable(subscription))
            if chance(2) { at(second + draw(20_000), .activate(subscription)) }
        }
        for _ in 0..<draw(3) { at(draw(90_000), .rotate(draw(ledger.endpoints.count))) }
        for _ in 0..<draw(4) { at(30_000 + draw(90_000), .resend) }
        for _ in 0..<draw(3) {
            let (second, selection) = (20_000 + draw(90_000), Replay.Selection.allCases[draw(3)])
            at(second, .replay(selection, rate: chance(2) ? nil : 4 + draw(30)))
            if chance(4) { at(second + draw(5), .move(.paused)) }
            if chance(4) { at(second + draw(3000), .move(chance(2) ? .running : .cancelled)) }
        }
        if chance(3) { at(draw(90_000), .delete(draw(ledger.endpoints.count))) }
        let free = ledger.endpoints.filter { $0.inFlight == nil }
        if chance(2) { at(draw(60_000), .limit(free[draw(free.count)].index, 1 + draw(3))) }
        // What 410 ended may begin again.
        if chance(2) { for index in ledger.endpoints.indices { at(100_000, .activate(index)) } }
        return plan.sorted { $0.0 < $1.0 }
    }

    func take(_ action: Action) throws {
        switch action {
        case .publish(let count): publish(count)
        case .doom(let index, let doom):
            let life = nodes[index].life
            if life.isDead || life.isStopping || life.doom != nil { return }
            life.doom = doom
            if doom == .anywhere {
                end(life, by: doom)
            } else {
                agenda.append((time.now + .seconds(20_000), .end(life)))
            }
        case .end(let life): end(life)
        case .restart(let index): nodes[index] = try start(index)
        case .stop(let index): nodes[index].life.isStopping = true
        case .stall(let index):
            nodes[index].life.stalledUntil = time.now + .seconds(45 + draw(45))
        case .disable(let index): change(index) { _ = try await $0.setStatus(.disabled, of: $1, scope: Hub.scope) }
        case .activate(let index): change(index) { _ = try await $0.setStatus(.active, of: $1, scope: Hub.scope) }
        case .delete(let index): change(index) { try await $0.delete($1, scope: Hub.scope) }
        case .rotate(let index):
            change(index) {
                let rotation = try FieldReader.read(JSONValue(parsing: Array(#"{"overlap_hours": 1}"#.utf8))) {
                    SecretRotation($0)
                }
                _ = try await $0.rotateSecret(of: $1, rotation, scope: Hub.scope)
            }
        case .limit(let index, let inFlight): limit(index, inFlight)
        case .resend: resend()
        case .replay(let selection, let rate): replay(selection, rate)
        case .move(let state): move(to: state)
        }
    }

    private var alive: SimulatedNode? {
        let alive = nodes.filter { !$0.life.isDead && !$0.life.isStopping }
        return alive.isEmpty ? nil : alive[draw(alive.count)]
    }

    private func publish(_ count: Int) {
        guard let node = alive else { return }
        let ledger = ledger
        let changes = (0..<count).map { _ in
            SimulatedChange(entityID: ID(high: 5, low: UInt64(1 + draw(3))), number: draw(6))
        }
        node.serve { node in
            let published = try await node.publisher.write { _, events in
                for change in changes {
                    events.append(change, scope: Hub.scope, actor: .system, source: "api")
                }
                for (event, change) in zip(events.events, changes) { ledger.number(event.id, is: change.number) }
                return events.events
            }
            for event in published { ledger.acknowledged.insert(event.id) }
        }
    }

    /// A caller's change, whose outcome is seen in the store.
    private func change(
        _ index: Int, _ body: @escaping @Sendable (SubscriptionService, SubscriptionID) async throws -> Void
    ) {
        let id = ledger.subscriptions[index]
        alive?.serve { try await body($0.subscriptions, id) }
    }

    private func limit(_ index: Int, _ inFlight: Int) {
        let (ledger, body) = (ledger, #"{"max_in_flight": \#(inFlight)}"#)
        change(index) {
            let change = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
                SubscriptionChange($0, rules: Hub.rules)
            }
            _ = try await $0.change($1, change, scope: Hub.scope)
            ledger.bound(index, inFlight, at: self.time.now)
        }
    }

    // MARK: Replays

    private func resend() {
        guard let node = alive, !ledger.acknowledged.isEmpty else { return }
        let index = draw(ledger.endpoints.count)
        // A business event at an operator's endpoint would be told of if it failed, unlike all else there.
        if ledger.endpoints[index].isOrdered || ledger.endpoints[index].isOperator { return }
        let known = ledger.acknowledged.sorted()
        let (event, id, ledger) = (known[draw(known.count)], ledger.subscriptions[index], ledger)
        node.serve { node in
            let targets = try await node.replays.resend(event, to: id, scope: Hub.scope)
            for _ in targets { ledger.resent[.init(endpoint: index, event: event), default: 0] += 1 }
        }
    }

    private func replay(_ selection: Replay.Selection, _ rate: Int?) {
        guard let node = alive else { return }
        let subscription = ledger.subscriptions[draw(ledger.endpoints.count)]
        let since = time.now - .seconds(1 + draw(100_000))
        let body =
            #"{"subscription_id": "\#(subscription)", "since": "\#(since)", "only": "\#(selection.rawValue)""#
            + (rate.map { #", "rate": \#($0)"# } ?? "") + "}"
        node.serve { node in
            let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { ReplayRequest($0) }
            let replay = try await node.replays.begin(request, scope: Hub.scope, user: .zero)
            self.newestReplay = replay.id
            node.wantsReplays = true
        }
    }

    private func move(to state: Replay.State) {
        guard let replay = newestReplay else { return }
        alive?.serve { node in
            _ = try await node.replays.move(replay, to: state, scope: Hub.scope)
            if state == .running { node.wantsReplays = true }
        }
    }
}
