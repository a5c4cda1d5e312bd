import Commerce
import Durable
import Integrations
import Webhooks

/// What the routes of the product call: one service a resource.
package struct APIServices: Sendable {
    package let intake: Intake
    package let connections: ConnectionService
    package let inbox: InboxService
    package let products: ProductService
    package let categories: CategoryService
    package let imports: ImportService
    package let collections: CollectionService
    package let customers: CustomerService
    package let orders: OrderService
    package let ownTypes: OwnTypeService
    package let mappings: VariantMappingService
    package let locations: LocationService
    package let inventory: InventoryService
    package let subscriptions: SubscriptionService
    package let feed: FeedFollower
    package let log: EventLog
    package let replays: ReplayService
    package let erasure: ErasureService
    package let workflows: WorkflowService
    package let catalogFeed: CatalogFeedServices

    package init(
        intake: Intake, connections: ConnectionService, inbox: InboxService, products: ProductService,
        categories: CategoryService, imports: ImportService, collections: CollectionService,
        customers: CustomerService,
        orders: OrderService, ownTypes: OwnTypeService, mappings: VariantMappingService, locations: LocationService,
        inventory: InventoryService, subscriptions: SubscriptionService, feed: FeedFollower, log: EventLog,
        replays: ReplayService, erasure: ErasureService, workflows: WorkflowService, catalogFeed: CatalogFeedServices
    ) {
        self.intake = intake
        self.connections = connections
        self.inbox = inbox
        self.products = products
        self.categories = categories
        self.imports = imports
        self.collections = collections
        self.customers = customers
        self.orders = orders
        self.ownTypes = ownTypes
        self.mappings = mappings
        self.locations = locations
        self.inventory = inventory
        self.subscriptions = subscriptions
        self.feed = feed
        self.log = log
        self.replays = replays
        self.erasure = erasure
        self.workflows = workflows
        self.catalogFeed = catalogFeed
    }
}
