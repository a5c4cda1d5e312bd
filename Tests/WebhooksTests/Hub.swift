import Events
import HTTPTypes
import Kernel
import Logging
import Signing
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Webhooks

/// One server's outbound side over a store, with endpoints that answer as a test says.
struct Hub: Sendable {
    static let scope = Scope(tenant: ID(high: 1, low: 1), organisation: ID(high: 2, low: 2))
    static let stranger = Scope(tenant: ID(high: 8, low: 8), organisation: ID(high: 9, low: 9))
    static let neighbour = Scope(tenant: scope.tenant, organisation: ID(high: 3, low: 3))
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// Those of a server, with room for two slices of a replay on either engine.
    private static let bounds = {
        var bounds = DispatchBounds.standard
        bounds.writing = 64
        return bounds
    }()

    let database: ObservedDatabase
    let time: ManualTime
    let ids: IDGenerator
    let secrets: SecretBox
    let exchange: ScriptedExchange
    let directory: EndpointDirectory
    let dispatcher: Dispatcher
    let sequencer: FeedSequencer
    let publisher: EventPublisher
    let subscriptions: SubscriptionService
    let feed: FeedReader
    let follower: FeedFollower

    /// - Parameters:
    ///   - seed: another one for each server on the same store.
    ///   - isWatched: whether attempts are counted and endpoints disabled, as a server does.
    ///   - leases: whether others have the store too, where the engine does not say so by itself.
    ///   - addresses: what is asked before a subscription is saved.
    init(
        _ database: ObservedDatabase, _ time: ManualTime, seed: UInt64 = 1, isWatched: Bool = false,
        leases: LeaseKeeping? = nil, addresses: AddressCheck = .passing,
        answer: @escaping @Sendable (OutgoingRequest) async -> ScriptedExchange.Answer = { _ in .status(200) }
    ) throws {
        let random = Mutex(SeededRandom(seed: seed))
        self.database = database
        self.time = time
        ids = IDGenerator(time: time.source, random: SeededRandom(seed: seed &+ 1000))
        secrets = SecretBox(try #require(MasterKey([UInt8](repeating: 7, count: MasterKey.byteCount))))
        exchange = ScriptedExchange(answer)
        directory = EndpointDirectory(database: database, secrets: secrets, time: time.source)
        sequencer = FeedSequencer(database: database, logger: Self.quiet)
        dispatcher = Dispatcher(
            database: database,
            sender: AttemptSender(
                exchange: exchange, directory: directory, time: time.source, userAgent: "Tradewind-Webhooks"),
            time: time.source, random: { random.withLock { $0.next() } }, logger: Self.quiet, bounds: Self.bounds,
            watch: isWatched
                ? .health(ids: ids, time: time.source, writer: seed &* 77, sequencer: sequencer) : .none,
            leases: leases)
        publisher = EventPublisher(
            database: database, dispatcher: dispatcher, sequencer: sequencer, ids: ids, time: time.source)
        subscriptions = SubscriptionService(
            database: database, secrets: secrets, factory: SecretFactory(random: SeededRandom(seed: seed)),
            directory: directory, dispatcher: dispatcher, policy: EgressPolicy(), addresses: addresses, ids: ids,
            time: time.source)
        feed = FeedReader(database: database)
        follower = FeedFollower(reader: feed, watch: sequencer.watch)
    }

    // MARK: Doing

    static let rules = SubscriptionRules(policy: EgressPolicy())

    func subscribe(
        _ url: String = "https://shop.example.com/in", types: String = "*", more: String = "", scope: Scope = scope
    ) async throws -> (Subscription, Secret) {
        let body = #"{"url": "\#(url)", "event_types": ["\#(types)"]\#(more)}"#
        let request = try FieldReader.read(JSONValue(parsing: Array(body.utf8))) {
            SubscriptionRequest($0, rules: Self.rules)
        }
        return try await subscriptions.create(request, scope: scope)
    }

    @discardableResult
    func publish(
        _ count: Int = 1, _ event: some EventType = OrderCreated.example, scope: Scope = scope
    ) async throws -> [DomainEvent] {
        try await publisher.write { _, events in
            for _ in 0..<count { events.append(event, scope: scope, actor: .system, source: "api") }
            return events.events
        }
    }

    /// Writes events whose deliveries all wait in the backlog, as where no room is left.
    @discardableResult
    func holdBack(_ count: Int) async throws -> [DomainEvent] {
        let (fanOut, now) = (FanOut(ids: ids, dispatcher: nil), time.now)
        let events = (0..<count).map { _ in
            OrderCreated.example.occurred(
                id: ids.next(), at: now, scope: Self.scope, actor: .system, source: "api", causation: nil)
        }
        _ = try await database.write { try fanOut.record(events, now: now, in: $0) }
        return events
    }

    /// Gives all events their place in the feed, where that is not done with the commit.
    func number() async throws {
        if database.dialect.commitsInOrder { return }
        while try await sequencer.numberPending() > 0 {}
    }

    // MARK: Looking

    /// Places in memory that deliveries take up, and those that are left.
    var places: Int { dispatcher.state.withLock { $0.places } }
    var placesLeft: Int { dispatcher.state.withLock { $0.placesLeft } }

    func count(_ table: String, where condition: String = "1 = 1") async throws -> Int {
        try await database.read { try Hub.count(table, where: condition, in: $0) }
    }

    static func count(_ table: String, where condition: String, in transaction: any Transaction) throws -> Int {
        try transaction.first(Statement(composed: "SELECT count(*) FROM \(table) WHERE \(condition)")) {
            Int($0.int(0))
        } ?? 0
    }

    /// Returns when that many deliveries meet the condition.
    func deliveries(_ count: Int, where condition: String) async throws {
        try await database.until { try Hub.count("delivery", where: condition, in: $0) == count }
    }

    /// Has the dispatcher work as its loop does, until that many deliveries meet the condition.
    func settle(_ count: Int, where condition: String = "state = 'delivered'") async throws {
        let loop = Task { try await dispatcher.run() }
        try await deliveries(count, where: condition)
        loop.cancel()
        try await loop.value
    }

    func deliveries(of id: SubscriptionID) async throws -> [DeliverySummary] {
        try await subscriptions.deliveries(of: id, scope: Self.scope, before: nil, limit: 100)
    }

    /// When the one delivery that there is comes up again.
    func due() async throws -> Timestamp? {
        try await database.read { try $0.first("SELECT next_at FROM delivery") { $0.time(0) } }
    }
}

/// Lends a hub on a store with a tenant.
func withHub(
    _ engine: TestEngine, isWatched: Bool = false, addresses: AddressCheck = .passing,
    answer: @escaping @Sendable (OutgoingRequest) async -> ScriptedExchange.Answer = { _ in .status(200) },
    _ body: (Hub) async throws -> Void
) async throws {
    let time = ManualTime()
    try await withDatabase(engine, time: time) { database in
        try await addOwners(database)
        try await body(
            Hub(
                ObservedDatabase(database), time, isWatched: isWatched, addresses: addresses, answer: answer))
    }
}

func addOwners(_ database: any Database) async throws {
    try await database.write { transaction in
        for tenant in [Hub.scope.tenant, Hub.stranger.tenant] {
            try transaction.execute("INSERT INTO tenant (id, created_at) VALUES ($1, 0)", [.id(tenant)])
        }
    }
}

/// Endpoints that answer as a test says, and what they were sent.
final class ScriptedExchange: HTTPExchange {
    enum Answer: Sendable {
        case status(Int, HTTPFields = [:])
        case fails(ExchangeError.Class)
    }

    let requests = Recorder<OutgoingRequest>()
    private let answer: @Sendable (OutgoingRequest) async -> Answer

    init(_ answer: @escaping @Sendable (OutgoingRequest) async -> Answer) { self.answer = answer }

    func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
        requests.record(request)
        switch await answer(request) {
        case .status(let status, let headers):
            return IncomingResponse(status: status, headers: headers, body: Array("answer".utf8))
        case .fails(let errorClass): throw ExchangeError(errorClass, "as the test says")
        }
    }
}

extension AddressCheck {
    /// Lets every URL through, for tests of other things.
    static let passing = AddressCheck { _ throws(ExchangeError) in }
}

extension OutgoingRequest {
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// A store whose writes a test can wait for, and can make fail.
final class ObservedDatabase: Database {
    private struct State {
        var isAbsent = false
        var refused = 0
        var asked = 0
        var writes = 0
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    private let base: any Database
    private let state = Mutex(State())

    init(_ base: any Database) { self.base = base }

    var dialect: Dialect { base.dialect }
    var statementCount: Int { base.statementCount }
    /// Whether writes fail as unavailable.
    var isAbsent: Bool {
        get { state.withLock { $0.isAbsent } }
        set { state.withLock { $0.isAbsent = newValue } }
    }
    /// Transactions that were asked for to write.
    var writesAsked: Int { state.withLock { $0.asked } }
    /// Writes that failed so.
    var refused: Int { state.withLock { $0.refused } }

    func report() async throws -> EngineReport { try await base.report() }
    func shutdown() async { await base.shutdown() }

    func enqueue(_ work: Work) {
        if !work.isWrite { return base.enqueue(work) }
        let isRefused = state.withLock { state in
            state.asked += 1
            if state.isAbsent { state.refused += 1 }
            return state.isAbsent
        }
        if isRefused {
            work.completion(StorageError(.unavailable, "the test took the store away"))
            return noteWrite()
        }
        base.enqueue(
            Work(
                lane: work.lane, isWrite: true, body: work.body,
                completion: { error in
                    work.completion(error)
                    self.noteWrite()
                }))
    }

    private func noteWrite() {
        let watchers = state.withLock { state in
            state.writes += 1
            defer { state.watchers = [] }
            return state.watchers
        }
        for watcher in watchers { watcher.resume() }
    }

    /// Returns when the condition holds; it is looked at anew after each write.
    func until(_ condition: @escaping @Sendable (any Transaction) throws -> Bool) async throws {
        while true {
            let seen = state.withLock { $0.writes }
            if try await base.read(.interactive, condition) { return }
            await withCheckedContinuation { continuation in
                let isPast = state.withLock { state in
                    if state.writes != seen { return true }
                    state.watchers.append(continuation)
                    return false
                }
                if isPast { continuation.resume() }
            }
        }
    }
}

/// Lends a hub whose endpoints leave every call waiting until the gate is opened.
func withGatedHub(
    _ engine: TestEngine, status: Int = 200, _ body: (_ hub: Hub, _ gate: Gate) async throws -> Void
) async throws {
    let gate = Gate()
    try await withHub(
        engine,
        answer: { _ in
            await gate.pass()
            return .status(status)
        }
    ) { hub in try await body(hub, gate) }
}
