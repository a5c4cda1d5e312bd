import Durable
import Events
import Kernel
import Storage
import TestSupport
import Testing

@testable import Webhooks

/// The parts of a server that replay.
struct Replays {
    let hub: Hub
    let workflow: ReplayWorkflow
    let runner: WorkflowRunner
    let service: ReplayService

    init(_ hub: Hub) {
        self.hub = hub
        workflow = ReplayWorkflow(
            database: hub.database, dispatcher: hub.dispatcher, ids: hub.ids, time: hub.time.source,
            slice: 32)
        runner = WorkflowRunner(
            kind: workflow, database: hub.database, time: hub.time.source, random: { 77 }, logger: Hub.quiet)
        service = ReplayService(
            database: hub.database, sequencer: hub.sequencer, dispatcher: hub.dispatcher, runner: runner,
            policy: RetentionPolicy(), ids: hub.ids, time: hub.time.source)
    }

    func request(_ id: SubscriptionID, since: Timestamp? = nil, _ more: String = "") throws -> ReplayRequest {
        let body =
            #"{"subscription_id": "\#(id)", "since": "\#(since ?? hub.time.now - .seconds(86_400))"\#(more)}"#
        return try FieldReader.read(JSONValue(parsing: Array(body.utf8))) { ReplayRequest($0) }
    }

    func begin(_ id: SubscriptionID, _ more: String = "") async throws -> Replay {
        try await service.begin(request(id, more), scope: Hub.scope, user: .zero)
    }

    func claim(_ number: Int64) async throws -> WorkflowClaim {
        let claims = try await hub.database.write {
            try WorkflowStore.claim(kind: ReplayWorkflow.kind, number: number, limit: 5, in: $0)
        }
        return try #require(claims.first)
    }

    /// A turn of the replay that was claimed.
    func turn(_ claim: WorkflowClaim) async throws -> ReplayTurn {
        try #require(try await ReplayTurn.begin(claim, of: workflow))
    }

    /// A turn of a new replay, with its first deliveries under way.
    func sending(to id: SubscriptionID) async throws -> ReplayTurn {
        _ = try await begin(id)
        var turn = try await turn(try await claim(5))
        _ = try await turn.step()
        return turn
    }

    /// Goes on with a turn until it is over.
    func finish(_ turn: inout ReplayTurn) async throws {
        while try await turn.step().fate == .goesOn { await turn.wait(vain: 1) }
    }

    /// Sends what is due until that many deliveries of replays have arrived.
    func arrived(_ count: Int) async throws {
        while try await hub.count("delivery", where: "state = 'delivered' AND replay_id IS NOT NULL") < count {
            _ = await hub.dispatcher.claimDue()
        }
    }

    /// The events of all deliveries that have rows, in the order of their ids.
    func written() async throws -> [EventID] {
        try await hub.database.read { transaction in
            try transaction.all("SELECT event_id FROM delivery ORDER BY id") { $0.id(0, of: Event.self) }
        }
    }

    func replay(_ id: ReplayID) async throws -> Replay {
        try await service.require(id, scope: Hub.scope).replay
    }
}
