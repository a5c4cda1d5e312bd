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
    package let collections: CollectionService
    package let customers: CustomerService
    package let orders: OrderService
    package let subscriptions: SubscriptionService
    package let feed: FeedFollower
    package let workflows: WorkflowService
    package let catalogFeed: CatalogFeedServices

    package init(
        intake: Intake, connections: ConnectionService, inbox: InboxService, products: ProductService,
        categories: CategoryService, collections: CollectionService, customers: CustomerService,
        orders: OrderService, subscriptions: SubscriptionService, feed: FeedFollower, workflows: WorkflowService,
        catalogFeed: CatalogFeedServices
    ) {
        self.intake = intake
        self.connections = connections
        self.inbox = inbox
        self.products = products
        self.categories = categories
        self.collections = collections
        self.customers = customers
        self.orders = orders
        self.subscriptions = subscriptions
        self.feed = feed
        self.workflows = workflows
        self.catalogFeed = catalogFeed
    }
}
