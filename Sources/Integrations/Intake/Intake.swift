import Connectors
import Durable
import HTTPTypes
import Kernel
import Logging
import ServiceLifecycle
import Signing
import Storage

/// Takes inbound deliveries: finds the connection, checks the signature, stores, answers. Nothing is processed here.
package final class Intake: Sendable {
    /// What the sender is told.
    package enum Answer: Sendable, Equatable {
        case accepted(InboxID)
        case duplicate(InboxID)
        /// A provider's greeting: 200, and nothing is stored.
        case greeting
    }

    /// The same words for a wrong signature and for an unknown connection, so that nobody can ask which ones exist.
    static let unauthenticated = Refusal(.unauthenticated, "The signature is missing or does not match.")
    static let inactive = Refusal(.forbidden, "The connection is not active.")

    private let directory: ConnectionDirectory
    private let gatewayKeys: [SigningKey]
    private let orderImport: OrderImport
    private let runner: WorkflowRunner
    private let ids: IDGenerator
    private let time: TimeSource
    private let committer: GroupCommitter<InboundDelivery, StoredDelivery>
    private let database: any Database
    private let keys: InboxKeys
    private let logger: Logger

    /// - Parameter gatewayKeys: keys of a gateway that signs for all of its connections; none if there is no such.
    package init(
        database: any Database, directory: ConnectionDirectory, gatewayKeys: [SigningKey], orderImport: OrderImport,
        runner: WorkflowRunner, ids: IDGenerator, time: TimeSource, logger: Logger
    ) {
        let keys = InboxKeys()
        self.database = database
        self.keys = keys
        self.logger = logger
        self.directory = directory
        self.gatewayKeys = gatewayKeys
        self.orderImport = orderImport
        self.runner = runner
        self.ids = ids
        self.time = time
        self.committer = GroupCommitter(
            database: database, lane: .intake, batchLimit: 256, waitingLimit: 8192,
            commitsMost: database.dialect == .postgres ? 2 : 1,
            commit: { .init(try InboxStore.insert($1, keys: keys, in: $0)) })
    }

    /// Deliveries that wait for a commit now.
    package var waitingCount: Int { committer.waitingCount }

    // MARK: Doors

    /// Where a delivery comes in, and with that how it names its connection.
    package enum Door: Sendable, Equatable {
        /// `POST /unified/webhook`: the body names the connection.
        case unified
        /// `POST /webhooks/{provider}/{connection}`: each connection has an address of its own.
        case native(provider: String, connection: ConnectionID)
    }

    /// Runs a piece of work on another thread, behind what it was given before.
    package typealias Relay = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// Returns once the delivery is on disk; throws the `Refusal` that its sender is to be told.
    package func accept(at door: Door, body: [UInt8], headers: HTTPFields) async throws -> Answer {
        guard let call = try Call(door, body: body, headers: headers) else { return .greeting }
        let entry = try await directory.entry(call.name)
        return try await withCheckedThrowingContinuation { continuation in
            take(call, entry, relay: { $0() }, answer: { continuation.resume(with: $0) })
        }
    }

    /// The same for callers without a task.
    ///
    /// - Parameters:
    ///   - relay: where the answer is given; it must not block.
    ///   - answer: called once: right away for what needs no store, else through the relay.
    package func accept(
        at door: Door, body: [UInt8], headers: HTTPFields, relay: @escaping Relay,
        answer: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        do {
            guard let call = try Call(door, body: body, headers: headers) else { return answer(.success(.greeting)) }
            if let known = directory.known(call.name) {
                take(call, known.entry, relay: relay, answer: answer)
                return
            }
            Task {
                do {
                    take(call, try await directory.entry(call.name), relay: relay, answer: answer)
                } catch {
                    relay { answer(.failure(error)) }
                }
            }
        } catch {
            answer(.failure(error))
        }
    }

    /// A delivery whose connection is named and not yet looked up.
    private struct Call: Sendable {
        let name: ConnectionDirectory.Name
        let connector: any Connector
        /// The frame of a body that names its connection itself: read once, for the name and for the arrival.
        let envelope: UnifiedEnvelope?
        let body: [UInt8]
        let headers: HTTPFields

        /// Nil for a provider's greeting.
        init?(_ door: Door, body: [UInt8], headers: HTTPFields) throws {
            self.body = body
            self.headers = headers
            switch door {
            case .unified:
                guard headers[Intake.unifiedSignature] != nil else { throw Intake.unauthenticated }
                connector = ConnectorCatalog.unified
                do throws(ArrivalRefusal) {
                    let envelope = try UnifiedEnvelope.scan(body)
                    self.envelope = envelope
                    name = .external(envelope.connectionID)
                } catch {
                    throw Refusal(.malformed, error.description)
                }
            case .native(let provider, let connection):
                guard let found = ConnectorCatalog.connector(for: provider), found.description.addressing == .inPath
                else { throw Refusal.notFound("provider") }
                if found.isGreeting(headers: headers, body: body) { return nil }
                connector = found
                envelope = nil
                name = .id(connection)
            }
        }

        /// What has come in; only to be asked once the signature is good.
        func arrival(_ verified: VerifiedRequest) throws(ArrivalRefusal) -> Arrival {
            if let envelope { return UnifiedConnector.arrival(of: envelope) }
            return try connector.arrival(verified)
        }
    }

    private static let unifiedSignature: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Unified-Signature") else {
            preconditionFailure("the name is a valid header name")
        }
        return name
    }()

    // MARK: Storing

    private func take(
        _ call: Call, _ entry: ConnectionDirectory.Entry?, relay: @escaping Relay,
        answer: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        do {
            let now = time.now()
            let connection = try verify(call, entry, now: now)
            let arrival: Arrival
            do throws(ArrivalRefusal) { arrival = try call.arrival(connection.request) } catch {
                throw Refusal(.malformed, error.description)
            }
            store(arrival, of: connection.connection, call, now: now, relay: relay, answer: answer)
        } catch {
            relay { answer(.failure(error)) }
        }
    }

    /// The connection that a delivery is really from; the same words for everything that proves nothing.
    private func verify(
        _ call: Call, _ entry: ConnectionDirectory.Entry?, now: Timestamp
    ) throws(Refusal) -> (connection: Connection, request: VerifiedRequest) {
        let signature = call.connector.description.signature
        let isGateway = call.envelope != nil
        guard let entry, isGateway || entry.connection.provider == call.connector.description.provider else {
            // Nothing can be verified for an unknown connection, but a gateway may learn that it is one.
            if isGateway, isSigned(call, signature, keys: gatewayKeys, now: now) != nil { throw Self.inactive }
            throw Self.unauthenticated
        }
        let keys = isGateway ? entry.keys + gatewayKeys : entry.keys
        guard let request = isSigned(call, signature, keys: keys, now: now) else { throw Self.unauthenticated }
        guard entry.connection.status == .active else { throw Self.inactive }
        return (entry.connection, request)
    }

    private func isSigned(
        _ call: Call, _ scheme: any SignatureScheme, keys: [SigningKey], now: Timestamp
    ) -> VerifiedRequest? {
        do throws(SignatureRejection) {
            return try scheme.verify(body: call.body, headers: call.headers, keys: keys, now: now)
        } catch {
            // Why it is not good is nobody's business: the answer is the same for each reason.
            return nil
        }
    }

    private func store(
        _ arrival: Arrival, of connection: Connection, _ call: Call, now: Timestamp, relay: @escaping Relay,
        answer: @escaping @Sendable (Result<Answer, any Error>) -> Void
    ) {
        let id: InboxID = ids.next()
        var claim: WorkflowClaim?
        if arrival.disposition == .importOrder, runner.hasRoom {
            claim = OrderImport.claim(id, scope: connection.scope, number: runner.number, createdAt: now)
        }
        let connector = call.connector.description.provider
        let digest = ContentDigest.sha256(parts: [connection.id.bytes, Array(arrival.dedupeMaterial.utf8), call.body])
        let delivery = InboundDelivery(
            id: id, scope: connection.scope, connection: connection.id, connector: connector,
            arrival: arrival, key: Array(digest.prefix(16)), receivedAt: now, body: call.body, claim: claim)
        committer.submit(delivery) { result in
            relay { answer(result.map { self.stored($0, delivery, provider: connection.provider) }) }
        }
    }

    /// What follows a commit: the sender's answer, and the import that this process has claimed.
    private func stored(_ outcome: StoredDelivery, _ delivery: InboundDelivery, provider: String) -> Answer {
        CrashPoint.reach(.afterCommit)
        switch outcome {
        case .accepted(let id):
            if let claim = delivery.claim {
                orderImport.hand(
                    InboxStore.Stored(
                        id: id, scope: delivery.scope, connection: delivery.connection, connector: delivery.connector,
                        provider: provider, event: delivery.arrival.event, body: delivery.body))
                runner.offer([claim])
            }
            return .accepted(id)
        case .duplicate(let id): return .duplicate(id)
        }
    }
}

/// What is done about deduplication keys beside taking deliveries in.
extension Intake: Service {
    /// How long after one look at what has come the next one follows.
    private static let betweenLooks: Duration = .milliseconds(500)

    package func run() async throws {
        // PostgreSQL's copies take in side by side: none of them knows what the others have.
        guard database.dialect == .sqlite else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown { [self] in
            await attempt { try await keys.learn(from: database) }
            var look = InboxKeys.Look()
            while !Task.isCancelled {
                await attempt { look = try await keys.look(after: look, in: database) }
                await Doorbell().wait(upTo: Self.betweenLooks)
            }
        }
    }

    /// What is not done now is done later, by the senders' own work if need be.
    private func attempt(_ work: () async throws -> Void) async {
        do { try await work() } catch is CancellationError {} catch {
            logger.warning("tending the deduplication keys failed", metadata: ["error": "\(error)"])
        }
    }
}
