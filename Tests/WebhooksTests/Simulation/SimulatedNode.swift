import Durable
import Events
import HTTPTypes
import Kernel
import Signing
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

/// What the world keeps of one life of one copy of the server, from its start until the power goes.
final class NodeLife: @unchecked Sendable {
    enum Doom: CaseIterable { case afterCommit, afterSend, midClaim, duringRecord, afterRecord, anywhere }

    let world: SimulatedWorld
    let index: Int
    /// What its clock is off by.
    let skew: Duration
    var isDead = false
    /// It was asked to stop: it takes no more work.
    var isStopping = false
    var hasBegunToStop = false
    var hasStopped = false
    /// Until when its writes stand still.
    var stalledUntil: Timestamp?
    /// Callers who wait for an answer.
    var open = 0
    /// The numbers of its leases.
    var claims: Set<Int64> = []
    /// When the last look at the store began that went well.
    var polledAt: Timestamp?
    /// The place at which the power is going to go.
    var doom: Doom?
    /// When something went wrong in or around it that can cost a record.
    var troubles: [Timestamp] = []

    init(_ world: SimulatedWorld, index: Int, skew: Duration) {
        self.world = world
        self.index = index
        self.skew = skew
    }

    var now: Timestamp { world.time.now + skew }
}

/// The outbound side of one copy of the server, whose steps wait for the world.
final class SimulatedNode: @unchecked Sendable {
    let life: NodeLife
    let dispatcher: Dispatcher
    let publisher: EventPublisher
    let subscriptions: SubscriptionService
    let replays: ReplayService
    private let replaying: ReplayWorkflow
    private let database: NodeDatabase
    private let random: @Sendable () -> UInt64
    private var isLooping = false
    private var replayTurn: Task<Void, Never>?
    var wantsPoll = true
    /// Whether replays are to be looked for.
    var wantsReplays = true

    init(_ life: NodeLife, seed: UInt64) throws {
        self.life = life
        let drawn = Mutex(SeededRandom(seed: seed))
        random = { drawn.withLock { $0.next() } }
        let (clock, skew) = (life.world.time, life.skew)
        let time = TimeSource { clock.now + skew }
        database = NodeDatabase(life)
        let ids = IDGenerator(time: time, random: SeededRandom(seed: seed &+ 1))
        let secrets = try Self.secrets()
        let directory = EndpointDirectory(database: database, secrets: secrets, time: time)
        let sequencer = FeedSequencer(database: database, logger: Hub.quiet)
        let execution = life.world.execution(of: life)
        dispatcher = Dispatcher(
            database: database,
            sender: AttemptSender(
                exchange: NodeExchange(life: life), directory: directory, time: time, userAgent: "Simulation"),
            time: time, random: random, logger: Hub.quiet,
            // Half of the processes can hold so few deliveries that most have to wait in the store.
            bounds: seed % 2 == 0 ? .standard : DispatchBounds(slots: 8, reservedSlots: 2, places: 4),
            watch: .health(ids: ids, time: time, writer: seed &+ 3, sequencer: sequencer), execution: execution,
            leases: life.world.terms.isAlone ? .alone : .amongCopies)
        publisher = EventPublisher(
            database: database, dispatcher: dispatcher, sequencer: sequencer, ids: ids, time: time)
        subscriptions = SubscriptionService(
            database: database, secrets: secrets, factory: SecretFactory(random: SeededRandom(seed: seed &+ 2)),
            directory: directory, dispatcher: dispatcher, policy: EgressPolicy(), addresses: .passing, ids: ids,
            time: time)
        replaying = ReplayWorkflow(
            database: database, dispatcher: dispatcher, ids: ids, time: time, execution: execution)
        replays = ReplayService(
            database: database, sequencer: sequencer, dispatcher: dispatcher,
            runner: WorkflowRunner(
                kind: replaying, database: database, time: time, random: random, logger: Hub.quiet),
            policy: RetentionPolicy(), ids: ids, time: time)
    }

    private static func secrets() throws -> SecretBox {
        SecretBox(try #require(MasterKey([UInt8](repeating: 7, count: MasterKey.byteCount))))
    }

    /// Makes subscriptions without waiting for the world.
    func clerk(over base: any Database, seed: UInt64) throws -> SubscriptionService {
        let (secrets, time) = (try Self.secrets(), life.world.time.source)
        return SubscriptionService(
            database: base, secrets: secrets, factory: SecretFactory(random: SeededRandom(seed: seed)),
            directory: EndpointDirectory(database: base, secrets: secrets, time: time), dispatcher: dispatcher,
            policy: EgressPolicy(), addresses: .passing, ids: IDGenerator(time: time, random: SeededRandom(seed: seed)),
            time: time)
    }

    // MARK: What its services do by themselves

    /// Something that a caller asks of it: it does not stop before that has an answer.
    func serve(_ work: @escaping @Sendable (SimulatedNode) async throws -> Void) {
        life.open += 1
        life.world.executor.start { [self] in
            try? await work(self)
            life.open -= 1
        }
    }

    /// Works as the services' own loops do, one round; false when there is nothing to do now.
    func startRound() -> Bool {
        if life.isDead { return false }
        if life.isStopping { return startStop() }
        let isReplaying = startReplays()
        if isLooping { return isReplaying }
        let rung = dispatcher.doorbell.takeRing()
        let wakes = dispatcher.state.withLock { $0.sleeping.values.min() }.map { $0 <= life.now } ?? false
        if !wantsPoll && !rung && !wakes { return isReplaying }
        let polls = wantsPoll
        (isLooping, wantsPoll) = (true, false)
        let (begin, troublesBefore) = (life.world.time.now, life.troubles.count)
        life.world.executor.start { [self] in
            if polls { _ = await dispatcher.claimDue() } else { await dispatcher.turn() }
            isLooping = false
            if polls, life.troubles.count == troublesBefore { life.polledAt = begin }
        }
        return true
    }

    /// As the workflows' runner does, without its pauses between batches and after failures.
    private func startReplays() -> Bool {
        if !wantsReplays || replayTurn != nil { return false }
        wantsReplays = false
        let (number, kind, limit) = (Chance.claimNumber(random()), ReplayWorkflow.kind, replaying.batchLimit)
        replayTurn = life.world.executor.start { [self] in
            var claims: [WorkflowClaim] = []
            do {
                claims = try await database.write(.background) {
                    try WorkflowStore.claim(kind: kind, number: number, limit: limit, in: $0)
                }
                if !claims.isEmpty { try await replaying.perform(claims) }
            } catch {
                // A lost claim is somebody else's by now; where the store is gone the leases end by themselves.
            }
            replayTurn = nil
        }
        return true
    }

    /// As a server does when it is asked to stop: what makes work ends first, the dispatcher behind it.
    private func startStop() -> Bool {
        if life.hasBegunToStop { return false }
        replayTurn?.cancel()
        if isLooping || replayTurn != nil || life.open > 0 { return false }
        life.hasBegunToStop = true
        life.world.executor.start { [self] in
            await dispatcher.stop()
            life.hasStopped = true
        }
        return true
    }

    /// When an endpoint's rate wakes it, by the world's clock.
    var wakesAt: Timestamp? {
        dispatcher.state.withLock { $0.sleeping.values.min() }.map { $0 - life.skew }
    }
}

/// A node's way to the store: each piece of work waits until the world gets to it.
final class NodeDatabase: Database {
    private let life: NodeLife

    init(_ life: NodeLife) { self.life = life }

    var dialect: Dialect { life.world.base.dialect }
    var statementCount: Int { life.world.base.statementCount }
    func report() async throws -> EngineReport { try await life.world.base.report() }
    func shutdown() async {}
    func enqueue(_ work: Work) { life.world.submit(work, from: life) }
}

/// A node's way to the endpoints: each call waits until the world answers it.
struct NodeExchange: HTTPExchange {
    let life: NodeLife

    func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
        let result: Result<IncomingResponse, ExchangeError> = await withCheckedContinuation {
            life.world.begin(request, from: life, $0)
        }
        return try result.get()
    }
}

/// A change that an event tells of, with a number for filters.
struct SimulatedChange: EventType {
    static let name = "order.updated"
    static let summary = "Something changed."
    static let number = EventField("number", .public, .integer, "Which change it is.")
    static let fields = [number]
    static let example = SimulatedChange(entityID: ID(high: 1, low: 1), number: 1)

    let entityID: ID<DomainEvent.Entity>
    let number: Int

    func write(_ writer: inout PayloadWriter) {
        writer.field(Self.number) { $0.integer(Int64(number)) }
    }
}
