import Connectors
import Durable
import HTTPTypes
import Kernel
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

    /// - Parameter gatewayKeys: keys of a gateway that signs for all of its connections; none if there is no such.
    package init(
        database: any Database, directory: ConnectionDirectory, gatewayKeys: [SigningKey], orderImport: OrderImport,
        runner: WorkflowRunner, ids: IDGenerator, time: TimeSource
    ) {
        self.directory = directory
        self.gatewayKeys = gatewayKeys
        self.orderImport = orderImport
        self.runner = runner
        self.ids = ids
        self.time = time
        self.committer = GroupCommitter(
            database: database, lane: .intake, batchLimit: 256, waitingLimit: 8192,
            commit: { try InboxStore.insert($1, in: $0) })
    }

    /// Deliveries that wait for a commit now.
    package var waitingCount: Int { committer.waitingCount }

    // MARK: Doors

    /// `POST /unified/webhook`: the body names the connection, the header `X-Unified-Signature` signs it.
    package func acceptUnified(body: [UInt8], headers: HTTPFields) async throws -> Answer {
        let scheme = ConnectorCatalog.unified.description.signature
        guard headers[Self.unifiedSignature] != nil else { throw Self.unauthenticated }
        let envelope: UnifiedEnvelope
        do throws(ArrivalRefusal) { envelope = try UnifiedEnvelope.scan(body) } catch {
            throw Refusal(.malformed, error.description)
        }
        guard let entry = try await directory.entry(.external(envelope.connectionID)) else {
            // Nothing can be verified for an unknown connection, but a gateway may learn that it is one.
            if (try? scheme.verify(body: body, headers: headers, keys: gatewayKeys, now: time.now())) != nil {
                throw Self.inactive
            }
            throw Self.unauthenticated
        }
        return try await accept(
            entry, connector: ConnectorCatalog.unified, keys: entry.keys + gatewayKeys, body: body, headers: headers)
    }

    /// `POST /webhooks/{provider}/{connection}`: each connection has an address of its own.
    package func accept(
        provider: String, connection: ConnectionID, body: [UInt8], headers: HTTPFields
    ) async throws -> Answer {
        guard let connector = ConnectorCatalog.connector(for: provider),
            connector.description.addressing == .inPath
        else { throw Refusal.notFound("provider") }
        if connector.isGreeting(headers: headers, body: body) { return .greeting }
        guard let entry = try await directory.entry(.id(connection)), entry.connection.provider == provider else {
            throw Self.unauthenticated
        }
        return try await accept(entry, connector: connector, keys: entry.keys, body: body, headers: headers)
    }

    private static let unifiedSignature: HTTPField.Name = {
        guard let name = HTTPField.Name("X-Unified-Signature") else {
            preconditionFailure("the name is a valid header name")
        }
        return name
    }()

    // MARK: Storing

    private func accept(
        _ entry: ConnectionDirectory.Entry, connector: any Connector, keys: [SigningKey], body: [UInt8],
        headers: HTTPFields
    ) async throws -> Answer {
        let now = time.now()
        let verified: VerifiedRequest
        do throws(SignatureRejection) {
            verified = try connector.description.signature.verify(
                body: body, headers: headers, keys: keys, now: now)
        } catch {
            throw Self.unauthenticated
        }
        guard entry.connection.status == .active else { throw Self.inactive }
        let arrival: Arrival
        do throws(ArrivalRefusal) { arrival = try connector.arrival(verified) } catch {
            throw Refusal(.malformed, error.description)
        }
        return try await store(
            arrival, of: entry.connection, connector: connector.description.provider, body: body, now: now)
    }

    private func store(
        _ arrival: Arrival, of connection: Connection, connector: String, body: [UInt8], now: Timestamp
    ) async throws -> Answer {
        let id: InboxID = ids.next()
        var claim: WorkflowClaim?
        if arrival.disposition == .importOrder, runner.hasRoom {
            claim = OrderImport.claim(id, scope: connection.scope, number: runner.number, createdAt: now)
        }
        let digest = ContentDigest.sha256(parts: [connection.id.bytes, Array(arrival.dedupeMaterial.utf8), body])
        let delivery = InboundDelivery(
            id: id, scope: connection.scope, connection: connection.id, connector: connector,
            arrival: arrival, key: Array(digest.prefix(16)), receivedAt: now, body: body, claim: claim)
        let stored = try await committer.submit(delivery)
        CrashPoint.reach(.afterCommit)
        switch stored {
        case .accepted(let id):
            if let claim {
                orderImport.hand(
                    InboxStore.Stored(
                        id: id, scope: connection.scope, connection: connection.id, connector: connector,
                        provider: connection.provider, event: arrival.event, body: body))
                runner.offer([claim])
            }
            return .accepted(id)
        case .duplicate(let id): return .duplicate(id)
        }
    }
}
