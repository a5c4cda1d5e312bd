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
    /// When the last look at the store began that went well.
    var polledAt: Timestamp?
    /// The place at which the power is going to go.
    var doom: Doom?
    /// When something went wrong in or around it that can cost a record.
    var troubles: [Timestamp] = []
    /// When calls to each endpoint began.
    var starts: [Int: [Timestamp]] = [:]

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
    let replays: @Sendable (EventID, SubscriptionID) async throws -> Void
    private var isLooping = false
    var wantsPoll = true

    init(_ life: NodeLife, seed: UInt64) throws {
        self.life = life
        let random = Mutex(SeededRandom(seed: seed))
        let (clock, executor, skew) = (life.world.time, life.world.executor, life.skew)
        let time = TimeSource { clock.now + skew }
        let database = NodeDatabase(life)
        let ids = IDGenerator(time: time, random: SeededRandom(seed: seed &+ 1))
        let secrets = try Self.secrets()
        let directory = EndpointDirectory(database: database, secrets: secrets, time: time)
        let dispatcher = Dispatcher(
            database: database,
            sender: AttemptSender(
                exchange: NodeExchange(life: life), directory: directory, time: time, userAgent: "Simulation"),
            time: time, random: { random.withLock { $0.next() } }, logger: Hub.quiet,
            execution: DispatchExecution(start: { executor.start($0) }, linger: nil))
        publisher = EventPublisher(
            database: database, dispatcher: dispatcher,
            sequencer: FeedSequencer(database: database, logger: Hub.quiet), ids: ids, time: time)
        subscriptions = SubscriptionService(
            database: database, secrets: secrets, factory: SecretFactory(random: SeededRandom(seed: seed &+ 2)),
            directory: directory, dispatcher: dispatcher, policy: EgressPolicy(), addresses: .passing, ids: ids,
            time: time)
        self.dispatcher = dispatcher
        replays = { event, subscription in
            let now = time.now()
            try await database.write { transaction in
                try DeliveryStore.insertReplays(
                    events: [event], of: subscription, tenant: Hub.scope.tenant, replay: ids.next(), isOrdered: false,
                    ids: ids, now: now, in: transaction)
            }
            dispatcher.wake(for: subscription, tenant: Hub.scope.tenant)
        }
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

    /// Works as the dispatcher's own loop does, one round; false when there is nothing to do now.
    func startRound() -> Bool {
        if life.isDead || isLooping { return false }
        let rung = dispatcher.doorbell.takeRing()
        let wakes = dispatcher.state.withLock { $0.sleeping.values.min() }.map { $0 <= life.now } ?? false
        if !wantsPoll && !rung && !wakes { return false }
        let polls = wantsPoll
        (isLooping, wantsPoll) = (true, false)
        let (begin, troublesBefore) = (life.world.time.now, life.troubles.count)
        life.world.executor.start { [self] in
            if polls { _ = await dispatcher.claimDue() } else { _ = await dispatcher.turn() }
            isLooping = false
            if polls, life.troubles.count == troublesBefore { life.polledAt = begin }
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
