import FoundationEssentials

/// One subscription, by the ids that its rows carry.
struct Endpoint: Sendable {
    let tenant: UUID
    let subscription: UUID

    /// The most that a tenant may set for its active subscriptions.
    private static let ofTenantMost = 100

    /// Subscribes that many endpoints of a sink to order events, for as few tenants as may have them.
    ///
    /// - Parameter more: further members of each subscription, with a comma in front.
    static func subscribe(
        _ count: Int, of sink: Sink, on server: TradewindServer, more: String = ""
    ) async throws -> [Endpoint] {
        var made: [Endpoint] = []
        var workspace = try await roomy(on: server)
        for number in 0..<count {
            if number > 0, number % ofTenantMost == 0 { workspace = try await roomy(on: server) }
            let subscription = try await workspace.subscribe(sink.url(of: number), more: more)
            made.append(Endpoint(tenant: workspace.tenant, subscription: subscription.id))
        }
        return made
    }

    private static func roomy(on server: TradewindServer) async throws -> Workspace {
        let workspace = try await Workspace(on: server)
        let settings = try await workspace.client.patch(
            "/api/v1/webhooks/settings", json: #"{"max_subscriptions":\#(ofTenantMost)}"#)
        _ = try workspace.client.require(settings, 200, "allowing more subscriptions")
        return workspace
    }
}
