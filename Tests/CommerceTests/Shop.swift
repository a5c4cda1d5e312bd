import Events
import Kernel
import Logging
import Signing
import Storage
import Synchronization
import TestSupport
import Testing
import Webhooks

@testable import Commerce
@testable import Durable

/// The commerce services over a database, with a clock that stands still. No subscription exists, so nothing is sent.
struct Shop: Sendable {
    static let scope = Scope(tenant: TenantID(high: 1, low: 1), organisation: OrganisationID(high: 1, low: 2))
    /// Another organisation of the same tenant.
    static let sister = Scope(tenant: scope.tenant, organisation: OrganisationID(high: 1, low: 3))
    static let stranger = Scope(tenant: TenantID(high: 2, low: 1), organisation: OrganisationID(high: 2, low: 2))
    static let actor = Actor(user: UserID(high: 1, low: 4), role: "admin")
    static let connection = ID<OrderSource>(high: 3, low: 1)

    let database: any Database
    let time: ManualTime
    let ids: IDGenerator
    let publisher: EventPublisher
    let importer: OrderImporter
    let rematch: WorkflowRunner
    let products: ProductService
    let categories: CategoryService
    let collections: CollectionService
    let customers: CustomerService
    let orders: OrderService
    let locations: LocationService
    let inventory: InventoryService

    init(_ database: any Database, time: ManualTime, seed: UInt64 = 1) throws {
        let random = SharedRandom(seed: seed)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let key = try #require(MasterKey([UInt8](repeating: 7, count: MasterKey.byteCount)))
        self.database = database
        self.time = time
        ids = IDGenerator(time: time.source, random: SeededRandom(seed: seed))
        let directory = EndpointDirectory(database: database, secrets: SecretBox(key), time: time.source)
        let dispatcher = Dispatcher(
            database: database,
            sender: AttemptSender(
                exchange: NoExchange(), directory: directory, time: time.source, userAgent: "test"),
            time: time.source, random: random.next, logger: logger)
        publisher = EventPublisher(
            database: database, dispatcher: dispatcher,
            sequencer: FeedSequencer(database: database, logger: logger), ids: ids, time: time.source)
        importer = OrderImporter(ids: ids)
        rematch = WorkflowRunner(
            kind: OrderRematch(publisher: publisher, ids: ids), database: database, time: time.source,
            random: random.next,
            logger: logger)
        products = ProductService(publisher: publisher, rematch: rematch, ids: ids)
        categories = CategoryService(database: database, ids: ids, time: time.source)
        collections = CollectionService(database: database, ids: ids, time: time.source)
        customers = CustomerService(publisher: publisher, ids: ids)
        orders = OrderService(publisher: publisher, ids: ids)
        locations = LocationService(database: database, ids: ids, time: time.source)
        inventory = InventoryService(publisher: publisher, ids: ids, time: time.source)
    }
}

/// Lends a shop over an empty database of the engine.
func withShop<T>(_ engine: TestEngine, seed: UInt64 = 1, _ body: (Shop) async throws -> T) async throws -> T {
    let time = ManualTime()
    return try await withDatabase(engine, time: time) { try await body(Shop($0, time: time, seed: seed)) }
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

// MARK: - Doing

extension Shop {
    /// Imports snapshots of one connection in one transaction.
    @discardableResult
    func take(
        _ snapshots: [OrderSnapshot], connection: ID<OrderSource> = connection, scope: Scope = scope
    ) async throws -> [ImportOutcome] {
        let arrivals = snapshots.map { snapshot in
            ImportedSnapshot(
                scope: scope, connection: connection, provider: "woocommerce", inbox: ids.next(), snapshot: snapshot)
        }
        let importer = importer
        // Two imports may both be the first to see an order, as in the workflow that does this in earnest.
        return try await publisher.writeAgainAfterDuplicate(.background) {
            try importer.apply(arrivals, importer.ask(for: arrivals, in: $0), events: $1, in: $0)
        }
    }

    /// All orders of an organisation, by their external ids.
    func stored(_ scope: Scope = scope) async throws -> [String: Order] {
        let query = OrderQuery(limit: 10_000)
        let orders = try await orders.list(query, scope: scope)
        return Dictionary(orders.map { ($0.externalID ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }

    func order(_ external: String) async throws -> Order { try #require(try await stored()[external]) }

    /// The types of all events of an organisation, oldest first.
    func eventTypes(_ scope: Scope = scope) async throws -> [String] { try await events(scope).map(\.type) }

    /// All events of an organisation with their payloads, oldest first.
    func events(_ scope: Scope = scope) async throws -> [(type: String, payload: JSONValue)] {
        try await database.read { transaction in
            try transaction.all(
                "SELECT type, payload FROM event WHERE tenant_id = $1 AND org_id = $2 ORDER BY id",
                [.id(scope.tenant), .id(scope.organisation)]
            ) { (type: $0.text(0), payload: try JSONValue(parsing: $0.bytes(1))) }
        }
    }

    func count(_ statement: Statement) async throws -> Int64 {
        try await database.read { try $0.first(statement) { $0.int(0) } ?? -1 }
    }

    @discardableResult
    func product(_ json: String, scope: Scope = scope) async throws -> Product {
        try await products.create(request(json) { NewProduct($0) }, scope: scope, actor: Self.actor)
    }

    /// A product with one variant of that SKU; answers the variant.
    @discardableResult
    func variant(_ sku: String, scope: Scope = scope) async throws -> Variant {
        let product = try await product(#"{"title":"T","variants":[{"sku":"\#(sku)"}]}"#, scope: scope)
        return try #require(product.variants.first)
    }

    func map(_ item: String, to variant: VariantID, of connection: ID<OrderSource> = connection) async throws {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO variant_mapping (tenant_id, connection_id, external_id, variant_id, created_at)
                VALUES ($1, $2, $3, $4, 0)
                """, [.id(Self.scope.tenant), .id(connection), .text(item), .id(variant)])
        }
    }
}

/// Reads a body the way a route does.
func request<T>(_ json: String, _ read: (FieldReader) throws -> T) throws -> T {
    try FieldReader.read(JSONValue(parsing: Array(json.utf8)), read)
}

// MARK: - Snapshots

/// An instant of the source, in seconds of a made-up day.
func moment(_ second: Int64) -> Timestamp { Timestamp(milliseconds: 1_735_000_000_000 + second * 1000) }

func usd(_ minor: Int64) -> Money { Money(minorUnits: minor, currency: .usd) }

func line(
    _ key: String, _ quantity: Int64 = 1, sku: String? = nil, item: String? = nil, price: Int64 = 100
) -> OrderSnapshot.Line {
    OrderSnapshot.Line(
        key: key, itemID: item, sku: sku, title: "Line \(key)", quantity: quantity, unitPrice: usd(price),
        total: usd(price * quantity), tax: usd(0))
}

/// An order as a source tells it at a moment; without a moment the source tells none.
func snapshot(
    _ id: String, at second: Int64? = 0, status: OrderStatus? = .processing, lines: [OrderSnapshot.Line] = [line("1")],
    refunds: [OrderSnapshot.Refund] = []
) -> OrderSnapshot {
    var snapshot = OrderSnapshot(externalID: id, currency: .usd, lines: lines)
    snapshot.status = status
    snapshot.sourceStatus = status?.rawValue
    snapshot.updatedAt = second.map(moment)
    snapshot.placedAt = moment(0)
    snapshot.refunds = refunds
    snapshot.customer = OrderSnapshot.Customer(externalID: "7", name: "Ann", email: "ann@example.test")
    return snapshot
}

extension Order {
    /// The order without what two stores may number differently.
    var anonymous: Order {
        var lines = lines
        for index in lines.indices { lines[index].location = nil }
        return Order(
            id: .zero, scope: scope, idempotencyKey: idempotencyKey, connection: connection, externalID: externalID,
            channel: channel, sourcePlatform: sourcePlatform, status: status, sourceStatus: sourceStatus,
            currency: currency, lines: lines, adjustments: adjustments, discount: discount, shipping: shipping,
            tax: tax, total: total, customer: customer, sourceVersion: sourceVersion, inbox: nil, placedAt: placedAt,
            version: version, createdAt: createdAt, updatedAt: updatedAt, number: number, presentment: presentment)
    }
}
