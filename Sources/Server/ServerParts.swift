import API
import CatalogFeed
import Commerce
import DeliveryClient
import Durable
import Integrations
import Kernel
import Logging
import Signing
import Storage
import Webhooks

/// The parts that send: subscriptions, the dispatcher, the feed's sequencer, and the publisher in front of them.
struct DeliveryParts {
    let subscriptions: SubscriptionService
    let dispatcher: Dispatcher
    let sequencer: FeedSequencer
    let publisher: EventPublisher
    let retention: RetentionPolicy
    let replayRunner: WorkflowRunner
    let replays: ReplayService

    init(
        _ settings: Settings, database: any Database, box: SecretBox, client: DeliveryClient, ids: IDGenerator,
        logger: Logger
    ) {
        let time = TimeSource.system
        let directory = EndpointDirectory(database: database, secrets: box, time: time)
        let sender = AttemptSender(
            exchange: client, directory: directory, time: time, userAgent: "Tradewind/\(ServerBuilder.version)")
        sequencer = FeedSequencer(database: database, logger: logger)
        dispatcher = Dispatcher(
            database: database, sender: sender, time: time, random: ServerBuilder.randomNumber, logger: logger,
            watch: .health(ids: ids, time: time, writer: ServerBuilder.randomNumber(), sequencer: sequencer))
        publisher = EventPublisher(
            database: database, dispatcher: dispatcher, sequencer: sequencer, ids: ids, time: time)
        subscriptions = SubscriptionService(
            database: database, secrets: box, factory: SecretFactory(), directory: directory, dispatcher: dispatcher,
            policy: settings.egress,
            addresses: AddressCheck { (url) throws(ExchangeError) in try await client.check(url: url) }, ids: ids,
            time: time)
        retention = RetentionPolicy(daysMost: settings.retentionDaysMost)
        replayRunner = WorkflowRunner(
            kind: ReplayWorkflow(database: database, dispatcher: dispatcher, ids: ids, time: time),
            database: database, time: time, random: ServerBuilder.randomNumber, logger: logger)
        replays = ReplayService(
            database: database, sequencer: sequencer, dispatcher: dispatcher, runner: replayRunner,
            policy: retention, ids: ids, time: time)
    }
}

/// The parts that take in: connections, the inbox, the import and the re-matching of orders.
struct IntakeParts {
    let connections: ConnectionService
    let intake: Intake
    let inbox: InboxService
    let runner: WorkflowRunner
    let rematch: WorkflowRunner
    let erasures: WorkflowRunner
    let workflows: WorkflowService

    init(
        _ settings: Settings, database: any Database, box: SecretBox, delivery: DeliveryParts, ids: IDGenerator,
        logger: Logger
    ) throws {
        let publisher = delivery.publisher
        let time = TimeSource.system
        let directory = ConnectionDirectory(database: database, secrets: box, time: time)
        connections = ConnectionService(
            database: database, secrets: box, factory: SecretFactory(), directory: directory, ids: ids, time: time)
        let orderImport = OrderImport(publisher: publisher, importer: OrderImporter(ids: ids))
        runner = WorkflowRunner(
            kind: orderImport, database: database, time: time, random: ServerBuilder.randomNumber, logger: logger)
        rematch = WorkflowRunner(
            kind: OrderRematch(publisher: publisher, ids: ids), database: database, time: time,
            random: ServerBuilder.randomNumber, logger: logger)
        erasures = WorkflowRunner(
            kind: CustomerErasureWorkflow(database: database, time: time), database: database, time: time,
            random: ServerBuilder.randomNumber, logger: logger)
        workflows = WorkflowService(
            database: database,
            runners: [
                OrderImport.kind: runner, OrderRematch.kind: rematch, ReplayWorkflow.kind: delivery.replayRunner,
                CustomerErasureWorkflow.kind: erasures,
            ], time: time)
        intake = Intake(
            database: database, directory: directory,
            gatewayKeys: settings.gatewaySecret.flatMap { SigningKey($0) }.map { [$0] } ?? [],
            orderImport: orderImport, runner: runner, ids: ids, time: time, logger: logger)
        inbox = InboxService(database: database, connections: connections, workflows: workflows)
    }
}

/// The parts that bring catalogue files in.
struct ImportParts {
    let changes = CatalogueChanges()
    let runner: WorkflowRunner
    let imports: ImportService

    init(database: any Database, delivery: DeliveryParts, intake: IntakeParts, ids: IDGenerator, logger: Logger) {
        let time = TimeSource.system
        runner = WorkflowRunner(
            kind: ImportWorkflow(
                publisher: delivery.publisher, rematch: intake.rematch, changes: changes, ids: ids, time: time),
            database: database, time: time, random: ServerBuilder.randomNumber, logger: logger)
        imports = ImportService(database: database, runner: runner, ids: ids, time: time)
    }
}

extension CatalogFeedServices {
    /// The catalogue's feeds, whose files lie in the data folder: each copy of the server builds its own.
    init(
        _ settings: Settings, database: any Database, master: MasterKey, products: ProductService,
        changes: CatalogueChanges, ids: IDGenerator, logger: Logger
    ) {
        self.init(
            feeds: CatalogFeeds(
                database: database, directory: DataDirectory.feeds(settings.dataDirectory), bell: changes.bell(),
                ids: ids, logger: logger),
            settings: FeedSettingService(database: database),
            search: CatalogSearch(products: products, database: database),
            addresses: FeedAddresses(key: master.derived(for: "catalogue feed addresses")),
            publicURL: settings.publicURL)
    }
}

/// Duties that recur.
enum Duties {
    /// Stored answers of idempotent calls are kept for a day, and cleared out in bites that hold nobody up.
    static func forgetIdempotencyKeys(_ store: IdempotencyStore) -> Schedule {
        Schedule(name: "forget_idempotency_keys", interval: .seconds(3600)) { _ in
            while try await store.removeExpired(limit: 1000) == 1000 {}
        }
    }

    /// Forgets uploads that never ended and imports that ended long ago.
    static func clearImports(_ imports: ImportService) -> Schedule {
        Schedule(name: "clear_imports", interval: .seconds(3600)) { _ in try await imports.clear() }
    }

    /// The record of admin actions, likewise.
    static func forgetAudit(_ store: AuditStore) -> Schedule {
        Schedule(name: "forget_audit", interval: .seconds(86_400)) { _ in
            while try await store.removeExpired(limit: 1000) == 1000 {}
        }
    }

    /// Clears out what is held no longer, in turns short enough that other duties get theirs.
    static func clearOut(_ keeper: RetentionKeeper) -> Schedule {
        Schedule(name: "retention", interval: .seconds(600)) { _ in try await keeper.clear() }
    }

    /// Adds PostgreSQL's days a week before they are needed. Tables cut by days get statistics of the whole from
    /// nobody else.
    static func addDays(_ days: DayPartitions, time: TimeSource) -> Schedule {
        Schedule(name: "add_days", interval: .seconds(3600)) { _ in
            if try await days.addDays(now: time.now()) > 0 { try await days.analyze() }
        }
    }
}
