import API
import CatalogFeed
import Commerce
import DeliveryClient
import Durable
import Hummingbird
import Integrations
import Kernel
import Logging
import NIOPosix
import ProviderClient
import ServiceLifecycle
import Signing
import Storage
import StoragePostgres
import StorageSQLite
import Webhooks

/// Puts the server together: the one place that knows every part. Tests use it too.
package enum ServerBuilder {
    /// The version that answers and user agents name.
    package static let version = "0.1.0"

    /// The engine that the settings name, not yet migrated.
    package static func openDatabase(
        _ settings: Settings, time: TimeSource = .system, logger: Logger
    ) throws -> any Database {
        if let url = settings.databaseURL {
            return try PostgresDatabase(url: url.revealText(for: "connecting"), logger: logger)
        }
        try DataDirectory.make(settings.dataDirectory)
        return try SQLiteDatabase(path: DataDirectory.store(settings.dataDirectory), time: time, logger: logger)
    }

    /// Brings the schema of the settings' store to this version; returns the numbers of the steps that ran.
    package static func migrate(_ settings: Settings, logger: Logger) async throws -> [Int] {
        let database = try openDatabase(settings, logger: logger)
        let outcome: Result<[Int], any Error>
        do { outcome = .success(try await database.migrate()) } catch { outcome = .failure(error) }
        await database.shutdown()
        return try outcome.get()
    }

    /// The key that secrets are sealed under: the operator's, or the file that the first start makes.
    package static func masterKey(_ settings: Settings) throws -> MasterKey {
        if let given = settings.masterKey {
            return try MasterKey(text: given, source: SettingKey.masterKey.rawValue)
        }
        try DataDirectory.make(settings.dataDirectory)
        return try MasterKey.loadOrCreate(at: DataDirectory.masterKey(settings.dataDirectory))
    }

    /// Assembles everything on a migrated store. Nothing runs yet.
    package static func build(_ settings: Settings, logger: Logger) async throws -> TradewindServer {
        let database = try openDatabase(settings, logger: logger)
        do {
            let migrated = try await database.migrate()
            if !migrated.isEmpty { logger.info("schema migrated", metadata: ["steps": "\(migrated)"]) }
            await addDays(to: database, logger: logger)
            return try assemble(settings, database: database, logger: logger)
        } catch {
            await database.shutdown()
            throw error
        }
    }

    /// Assembles everything on a store that is migrated already and stays the caller's when this throws.
    ///
    /// - Parameter resolver: knows the addresses of endpoints.
    package static func assemble(
        _ settings: Settings, database: any Database, resolver: any AddressResolver = SystemResolver(), logger: Logger
    ) throws -> TradewindServer {
        let time = TimeSource.system
        let ids = IDGenerator(time: time)
        let master = try masterKey(settings)
        let box = SecretBox(master)
        // Before there are clients, which have to be shut down.
        let trustRoots = try authorities(settings)
        let client = ProviderClient(
            policy: settings.egress, eventLoopGroup: .singletonMultiThreadedEventLoopGroup, logger: logger)
        var options = DeliveryOptions(trustRoots: trustRoots)
        options.idlePerEndpoint = EndpointQueue.windowMost
        options.idleInAll = DispatchBounds.standard.connections
        let deliveryClient = DeliveryClient(
            policy: settings.egress, eventLoopGroup: .singletonMultiThreadedEventLoopGroup, resolver: resolver,
            options: options, logger: logger)
        // What callers change through the services goes on record; what the server does by itself passes through.
        let audited = AuditingDatabase(database, ids: ids, time: time)
        let delivery = DeliveryParts(
            settings, database: audited, box: box, client: deliveryClient, ids: ids, logger: logger)
        let intake = try IntakeParts(
            settings, database: audited, box: box, delivery: delivery, ids: ids, logger: logger)
        if !settings.worksInBackground {
            // What this copy commits is due at once for those that do the work.
            delivery.dispatcher.leaveToOthers()
            intake.runner.leaveToOthers()
            intake.rematch.leaveToOthers()
        }
        let catalogue = ImportParts(
            database: database, delivery: delivery, intake: intake, ids: ids, logger: logger)
        let registry = PrometheusRegistry()
        let dependencies = APIDependencies(
            settings: settings.api, database: database, tokens: try verifier(settings, client, logger), box: box,
            registry: registry)
        let services = services(
            settings, database: audited, master: master, delivery: delivery, intake: intake, catalogue: catalogue,
            ids: ids, logger: logger)
        expose(database, intake, on: registry)
        let schedules = ScheduleRunner(
            schedules: [
                Duties.addDays(DayPartitions(database: database), time: time),
                Duties.forgetIdempotencyKeys(dependencies.idempotency),
                Duties.clearImports(catalogue.imports),
                Duties.forgetAudit(dependencies.audit),
                Duties.clearOut(RetentionKeeper(database: database, policy: delivery.retention, time: time)),
            ], database: database, random: randomNumber, logger: logger)
        return TradewindServer(
            settings: settings, database: database, client: client, deliveryClient: deliveryClient,
            services: services, router: buildRouter(dependencies, services), registry: registry,
            door: Door(dependencies, services, logger: logger),
            // In the order of starting; they stop in the opposite one, so that what makes work stops first.
            background: settings.worksInBackground
                ? [
                    delivery.sequencer, delivery.dispatcher, delivery.replayRunner, intake.rematch, intake.runner,
                    intake.erasures, catalogue.runner, services.catalogFeed.feeds, schedules, intake.intake,
                ]
                : [delivery.sequencer, services.catalogFeed.feeds, schedules, intake.intake],
            logger: logger)
    }

    /// What the routes call, on the parts that send and take in.
    private static func services(
        _ settings: Settings, database: any Database, master: MasterKey, delivery: DeliveryParts, intake: IntakeParts,
        catalogue: ImportParts, ids: IDGenerator, logger: Logger
    ) -> APIServices {
        let time = TimeSource.system
        let changes = catalogue.changes
        let products = ProductService(
            publisher: delivery.publisher, rematch: intake.rematch, changes: changes, ids: ids)
        let catalogFeed = CatalogFeedServices(
            settings, database: database, master: master, products: products, changes: changes, ids: ids,
            logger: logger)
        return APIServices(
            intake: intake.intake, connections: intake.connections, inbox: intake.inbox, products: products,
            categories: CategoryService(database: database, ids: ids, time: time), imports: catalogue.imports,
            collections: CollectionService(database: database, ids: ids, time: time),
            customers: CustomerService(publisher: delivery.publisher, ids: ids),
            orders: OrderService(publisher: delivery.publisher, ids: ids),
            ownTypes: OwnTypeService(publisher: delivery.publisher, ids: ids),
            mappings: VariantMappingService(database: database, rematch: intake.rematch, ids: ids, time: time),
            locations: LocationService(database: database, ids: ids, time: time),
            inventory: InventoryService(publisher: delivery.publisher, ids: ids, time: time),
            subscriptions: delivery.subscriptions,
            feed: FeedFollower(reader: FeedReader(database: database), watch: delivery.sequencer.watch),
            log: EventLog(database: database, leases: delivery.dispatcher.leasesInMemory), replays: delivery.replays,
            erasure: ErasureService(database: database, runner: intake.erasures, time: time),
            workflows: intake.workflows,
            catalogFeed: catalogFeed)
    }

    /// The days must be there before the first row comes. Without them rows still find a place, so that a store which
    /// is busy right now keeps nobody from starting.
    private static func addDays(to database: any Database, logger: Logger) async {
        do {
            try await DayPartitions(database: database).addDays(now: TimeSource.system.now())
        } catch {
            logger.warning("adding days failed; it is tried again within the hour", metadata: ["error": "\(error)"])
        }
    }

    @Sendable static func randomNumber() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return random.next()
    }

    private static func authorities(_ settings: Settings) throws -> TrustRoots? {
        guard let path = settings.egressCAFile else { return nil }
        func unusable(_ reason: String) -> SettingError {
            SettingError(
                key: SettingKey.egressCAFile.rawValue, source: path,
                detail: "\(reason); it must be \(SettingKey.egressCAFile.allowed)")
        }
        let bytes: [UInt8]
        do { bytes = try SettingsFile.bytes(at: path) } catch { throw unusable("can't be read: \(error)") }
        guard let roots = TrustRoots(pem: bytes) else { throw unusable("holds no certificate that can be read") }
        return roots
    }

    private static func verifier(
        _ settings: Settings, _ client: ProviderClient, _ logger: Logger
    ) throws -> TokenVerifier {
        switch settings.tokens {
        case .own:
            try DataDirectory.make(settings.dataDirectory)
            let issuer = try TokenIssuer.loadOrCreate(directory: settings.dataDirectory)
            return TokenVerifier(rules: issuer.rules, source: issuer.source, log: logger)
        case .file(let path, let issuer, let audience):
            return TokenVerifier(
                rules: TokenRules(issuer: issuer, audience: audience), source: .file(path), log: logger)
        case .address(let url, let issuer, let audience):
            return TokenVerifier(
                rules: TokenRules(issuer: issuer, audience: audience), source: .address(url, exchange: client),
                log: logger)
        }
    }

    private static func expose(_ database: any Database, _ intake: IntakeParts, on registry: PrometheusRegistry) {
        registry.gauge("tradewind_sql_statements_total") { Double(database.statementCount) }
        registry.gauge("tradewind_intake_waiting") { Double(intake.intake.waitingCount) }
        registry.gauge("tradewind_import_backlog") { Double(intake.runner.backlog) }
    }
}
