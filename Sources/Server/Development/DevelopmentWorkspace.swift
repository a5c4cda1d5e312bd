import API
import Commerce
import Events
import Integrations
import Kernel
import Signing
import Webhooks

/// What `tradewind dev` works in: always the same tenant, with a small catalogue, two connections and a subscription.
struct DevelopmentWorkspace: Sendable {
    /// Recognisable and the same at every start, so that a token or a curl line of an earlier one still fits.
    static let principal = Principal(
        tenant: ID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001),
        organisation: ID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0002),
        user: ID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0003), role: .admin)

    /// A variant that the recorded store sells and the catalogue below leaves out.
    static let missingSKU = "HUB-TEE-WHI-L"
    static let gatewayName = "dev-gateway"
    private static let storeName = "dev-store"
    private static let receiverName = "built-in receiver of tradewind dev"

    let store: Connection
    let gateway: Connection
    /// What deliveries to the gateway's connection are signed with.
    let gatewaySecret: Secret
    let subscription: Subscription
    let subscriptionSecret: Secret
    /// Whether an earlier start made it.
    let isOld: Bool
    /// A SKU that no variant has.
    let freeSKU: String

    /// Finds the workspace or makes what is missing of it, the way any caller would: through the services.
    static func prepare(_ server: RunningServer, receiverPort: Int, ids: IDGenerator) async throws -> Self {
        let scope = principal.scope
        try await TenantRegistry(database: server.database).ensure(scope)
        let services = server.services
        let known = try await services.connections.list(scope: scope, onlyActive: false)
        let skus = try await prepareCatalogue(services.products)
        let store = try await connection(storeName, provider: "woocommerce", among: known, services.connections)
        let gateway = try await connection(gatewayName, provider: "unified", among: known, services.connections)
        // Each start, so that a connection whose secret was changed in between hears the recordings again.
        _ = try await rotate(store, overlapHours: 0, secret: DevelopmentRecording.secret, services.connections)
        let secret = try await rotate(gateway, overlapHours: 24, secret: nil, services.connections)
        let (subscription, subscriptionSecret) = try await subscribe(
            services.subscriptions, "http://127.0.0.1:\(receiverPort)\(DevelopmentReceiver.path)")
        let suffix = ids.next(DevelopmentWorkspace.self).ulid.suffix(6)
        return DevelopmentWorkspace(
            store: store, gateway: gateway, gatewaySecret: secret, subscription: subscription,
            subscriptionSecret: subscriptionSecret, isOld: known.contains { $0.externalID == storeName },
            freeSKU: skus.contains(missingSKU) ? "HUB-NEW-\(suffix)" : missingSKU)
    }

    // MARK: Connections

    private static func connection(
        _ name: String, provider: String, among known: [Connection], _ connections: ConnectionService
    ) async throws -> Connection {
        if let found = known.first(where: { $0.externalID == name }) { return found }
        let document = JSONWriter.object { writer in
            writer.field("connection_id", name)
            writer.field("provider", provider)
        }
        let request = try read(document) { ConnectionService.Request($0) }
        return try await connections.save(request, scope: principal.scope).0
    }

    private static func rotate(
        _ connection: Connection, overlapHours: Int, secret: String?, _ connections: ConnectionService
    ) async throws -> Secret {
        let document = JSONWriter.object { writer in
            writer.key("overlap_hours")
            writer.integer(overlapHours)
            if let secret { writer.field("secret", secret) }
        }
        let rotation = try read(document) { ConnectionService.Rotation($0) }
        return try await connections.rotateSecret(of: connection.id, rotation, scope: principal.scope)
    }

    // MARK: Subscription

    /// The receiver's port is another one at each start, so its subscription is a new one too.
    private static func subscribe(
        _ subscriptions: SubscriptionService, _ url: String
    ) async throws -> (Subscription, Secret) {
        let scope = principal.scope
        var after: SubscriptionID?
        while true {
            let page = try await subscriptions.list(scope: scope, after: after, limit: Limits.pageRows)
            for old in page where old.description == receiverName {
                try await subscriptions.delete(old.id, scope: scope)
            }
            guard page.count == Limits.pageRows else { break }
            after = page.last?.id
        }
        let rules = try await subscriptions.rules(for: scope.tenant)
        let document = JSONWriter.object { writer in
            writer.field("url", url)
            writer.field("description", receiverName)
            writer.arrayField("event_types") { writer in writer.string("*") }
        }
        let request = try read(document) { SubscriptionRequest($0, rules: rules) }
        return try await subscriptions.create(request, scope: scope)
    }

    // MARK: Catalogue

    private static let catalogue = """
        [
          {"title": "Café Crème Mug", "status": "active", "variants": [
            {"sku": "HUB-MUG-01", "price": 9.99, "currency": "USD"}]},
          {"title": "Hub Tee", "status": "active", "variants": [
            {"sku": "HUB-TEE-BLA-S", "title": "Black, S", "price": 21, "currency": "USD"},
            {"sku": "HUB-TEE-BLA-M", "title": "Black, M", "price": 21, "currency": "USD"}]},
          {"title": "Spoon", "status": "active", "variants": [
            {"sku": "HUB-SPN-01", "price": 4.25, "currency": "USD"}]},
          {"title": "湯のみ", "status": "active", "variants": [
            {"sku": "HUB-JP-01", "price": 1980, "currency": "JPY"}]}
        ]
        """

    /// Makes the products none of whose SKUs is there; gives every SKU of the workspace.
    private static func prepareCatalogue(_ products: ProductService) async throws -> Set<String> {
        let scope = principal.scope
        var skus: Set<String> = []
        var query = ProductQuery(limit: Limits.pageRows)
        while true {
            let page = try await products.list(query, scope: scope)
            for product in page { skus.formUnion(product.variants.compactMap(\.sku)) }
            guard page.count == Limits.pageRows, let last = page.last else { break }
            query.cursor = query.cursor(behind: last)
        }
        for document in try JSONValue(parsing: Array(catalogue.utf8)).array ?? [] {
            let new = try FieldReader.read(document) { NewProduct($0) }
            let own = new.variants.compactMap(\.sku)
            if !skus.isDisjoint(with: own) { continue }
            _ = try await products.create(new, scope: scope, actor: principal.actor)
            skus.formUnion(own)
        }
        return skus
    }

    private static func read<T>(_ document: [UInt8], _ body: (FieldReader) throws -> T) throws -> T {
        try FieldReader.read(try JSONValue(parsing: document), body)
    }
}
