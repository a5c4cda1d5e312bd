import Commerce
import Connectors
import Events
import Foundation
import HTTPTypes
import Kernel
import Logging
import Signing
import Storage
import Synchronization
import TestSupport
import Testing
import Webhooks

@testable import Durable
@testable import Integrations

/// One copy of the server as far as inbound deliveries go: its intake, its import and what callers see of them. Time
/// stands still, and nothing is sent.
struct Door: Sendable {
    static let scope = Scope(tenant: TenantID(high: 1, low: 1), organisation: OrganisationID(high: 1, low: 2))
    static let sister = Scope(tenant: scope.tenant, organisation: OrganisationID(high: 1, low: 3))
    static let stranger = Scope(tenant: TenantID(high: 2, low: 1), organisation: OrganisationID(high: 2, low: 2))
    static let actor = Actor(user: UserID(high: 1, low: 4), role: "admin")
    static let gatewaySecret = Secret("the-gateway-secret-of-this-installation")

    let database: any Database
    let time: ManualTime
    let secrets: SecretBox
    let directory: ConnectionDirectory
    let connections: ConnectionService
    let runner: WorkflowRunner
    let intake: Intake
    let inbox: InboxService
    let products: ProductService
    let orders: OrderService

    /// - Parameters:
    ///   - seed: tells copies apart, whose claims and ids must differ.
    ///   - import batch: deliveries of one import at the most.
    init(_ database: any Database, time: ManualTime, seed: UInt64 = 1, batchLimit: Int = 64) throws {
        let random = SharedRandom(seed: seed)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let key = try #require(MasterKey([UInt8](repeating: 7, count: MasterKey.byteCount)))
        let secrets = SecretBox(key)
        self.secrets = secrets
        let ids = IDGenerator(time: time.source, random: SeededRandom(seed: seed))
        self.database = database
        self.time = time
        let endpoints = EndpointDirectory(database: database, secrets: secrets, time: time.source)
        let dispatcher = Dispatcher(
            database: database,
            sender: AttemptSender(
                exchange: NoExchange(), directory: endpoints, time: time.source, userAgent: "test"),
            time: time.source, random: random.next, logger: logger)
        let publisher = EventPublisher(
            database: database, dispatcher: dispatcher,
            sequencer: FeedSequencer(database: database, logger: logger), ids: ids, time: time.source)
        directory = ConnectionDirectory(database: database, secrets: secrets, time: time.source)
        connections = ConnectionService(
            database: database, secrets: secrets, factory: SecretFactory(random: SeededRandom(seed: seed &+ 100)),
            directory: directory, ids: ids, time: time.source)
        let orderImport = OrderImport(
            publisher: publisher, importer: OrderImporter(ids: ids), batchLimit: batchLimit)
        runner = WorkflowRunner(
            kind: orderImport, database: database, time: time.source, random: random.next, logger: logger)
        let gateway = try #require(SigningKey(Self.gatewaySecret))
        intake = Intake(
            database: database, directory: directory, gatewayKeys: [gateway], orderImport: orderImport,
            runner: runner, ids: ids, time: time.source, logger: logger)
        let rematch = WorkflowRunner(
            kind: OrderRematch(publisher: publisher, ids: ids), database: database, time: time.source,
            random: random.next,
            logger: logger)
        inbox = InboxService(
            database: database, connections: connections,
            workflows: WorkflowService(
                database: database, runners: [OrderImport.kind: runner], time: time.source))
        products = ProductService(publisher: publisher, rematch: rematch, ids: ids)
        orders = OrderService(publisher: publisher, ids: ids)
    }
}

/// Lends the door of an empty store on the engine.
func withDoor<T>(_ engine: TestEngine, batchLimit: Int = 64, _ body: (Door) async throws -> T) async throws -> T {
    let time = ManualTime()
    return try await withDatabase(engine, time: time) { database in
        try await body(Door(database, time: time, batchLimit: batchLimit))
    }
}

/// One generator for whoever asks, in whichever thread.
final class SharedRandom: Sendable {
    private let state: Mutex<SeededRandom>

    init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }

    var next: @Sendable () -> UInt64 { { self.state.withLock { $0.next() } } }
}

/// Nothing is to be sent here.
private struct NoExchange: HTTPExchange {
    func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
        throw ExchangeError(.connect, "this test has no network")
    }
}

/// Reads a body the way a route does.
func request<T>(_ json: String, _ read: (FieldReader) throws -> T) throws -> T {
    try FieldReader.read(JSONValue(parsing: Array(json.utf8)), read)
}

// MARK: - Connections

/// A saved connection with the secret that its store signs with.
struct Link: Sendable {
    let connection: Connection
    let secret: Secret

    var id: ConnectionID { connection.id }
}

extension Door {
    func connect(
        _ external: String = "conn-1", provider: String = "unified", scope: Scope = scope
    ) async throws -> Link {
        let wanted = try request(#"{"connection_id":"\#(external)","provider":"\#(provider)"}"#) {
            ConnectionService.Request($0)
        }
        let (connection, secret) = try await connections.save(wanted, scope: scope)
        return Link(connection: connection, secret: secret)
    }

    /// Gives a connection, or the workspace, another secret.
    func rotate(_ id: ConnectionID?, overlapHours: Int = 24, secret: String? = nil) async throws -> Secret {
        let brought = secret.map { #","secret":"\#($0)""# } ?? ""
        let rotation = try request(#"{"overlap_hours":\#(overlapHours)\#(brought)}"#) {
            ConnectionService.Rotation($0)
        }
        return try await connections.rotateSecret(of: id, rotation, scope: Self.scope)
    }
}

// MARK: - Deliveries

/// The headers of a delivery signed the way of a scheme.
func signature(_ scheme: any SignatureScheme, _ body: String, _ secret: Secret) throws -> HTTPFields {
    let key = try #require(SigningKey(secret))
    let content = SignedContent(id: "1", time: Timestamp(milliseconds: 0), body: Array(body.utf8))
    return scheme.sign(content, key: key, older: [])
}

extension Door {
    /// Sends a body through the gateway's door, signed with the secret.
    func send(_ body: String, secret: Secret) async throws -> Intake.Answer {
        try await intake.accept(
            at: .unified, body: Array(body.utf8), headers: try signature(SignatureCatalog.unifiedInbound, body, secret))
    }

    func send(_ body: String, over link: Link) async throws -> Intake.Answer {
        try await send(body, secret: link.secret)
    }

    /// Sends a body through a store's own door, signed with the secret.
    func sendNative(
        _ body: String, topic: String?, to id: ConnectionID, secret: Secret
    ) async throws -> Intake.Answer {
        var headers = try signature(SignatureCatalog.woocommerce, body, secret)
        if let topic { headers[try #require(HTTPField.Name("X-WC-Webhook-Topic"))] = topic }
        return try await intake.accept(
            at: .native(provider: "woocommerce", connection: id), body: Array(body.utf8), headers: headers)
    }

    func orders(_ scope: Scope = scope) async throws -> [Order] {
        try await orders.list(
            OrderQuery(limit: 10_000), scope: scope)
    }

    /// The inbound log of a connection, newest first.
    func log(_ link: Link, limit: Int = 1000) async throws -> [InboxSummary] {
        try await inbox.list(link.id, scope: link.connection.scope, before: nil, limit: limit, withBodies: true)
    }

    func count(_ statement: Statement) async throws -> Int64 {
        try await database.read { try $0.first(statement) { $0.int(0) } ?? -1 }
    }

    func eventTypes() async throws -> [String] {
        try await database.read { try $0.all("SELECT type FROM event ORDER BY id") { $0.text(0) } }
    }
}

/// An event of the gateway with an order in it. Members of the order stand as they are given.
func envelope(
    _ order: String, connection: String = "conn-1", event: String = "accounting.order.created"
) -> String {
    #"{"connection_id":"\#(connection)","event":"\#(event)","data":\#(order)}"#
}

/// An order with one line; the words of the line may be others.
func order(
    _ id: String, at second: Int = 0, status: String = "PAID",
    line: String = #""sku":"A","name":"Shirt","quantity":2,"unit_amount":74.99"#
) -> String {
    let time = "2025-01-01T00:00:\(second < 10 ? "0" : "")\(second)Z"
    return #"{"id":"\#(id)","currency":"USD","status":"\#(status)","updated_at":"\#(time)","line_items":[{\#(line)}]}"#
}

extension Intake.Answer {
    var accepted: InboxID? { if case .accepted(let id) = self { id } else { nil } }
}

// MARK: - Recorded deliveries

/// A delivery as a store sent it, from the fixtures of the connectors.
struct Recording: Sendable {
    let topic: String?
    let body: String
    let signature: String?
    let secret: Secret?

    init(_ provider: String, _ name: String) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = tests.appendingPathComponent("ConnectorsTests/Fixtures/\(provider)/\(name).json")
        let json = try JSONValue(parsing: Array(try Data(contentsOf: file)))
        let request = try #require(json["request"])
        topic = request["headers"]?["X-WC-Webhook-Topic"]?.string
        signature = request["headers"]?["X-WC-Webhook-Signature"]?.string
        body = try #require(request["body"]?.string)
        secret = json["hmac_key"]?.string.map { Secret($0) }
    }
}
