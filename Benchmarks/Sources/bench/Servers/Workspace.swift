import FoundationEssentials

/// A tenant with one connection, one product and what is needed to sign and to call in its name.
struct Workspace: Sendable {
    let tenant: UUID
    let client: ControlClient
    private let connection: String
    private let secret: String
    private let sku: String

    /// - Parameter tenant: the one that kept events were made for; a new one otherwise.
    init(on server: TradewindServer, tenant: UUID = UUID()) async throws {
        let organisation = UUID(uuid: tenant.uuid)
        let printed = try await ChildProcess.output(
            of: server.launch.binary,
            [
                "token", "--data-dir", server.launch.dataFolder, "--tenant", Self.text(tenant),
                "--org", Self.text(organisation), "--user", Self.text(UUID()), "--role", "admin",
            ], environment: server.launch.environment, in: server.launch.dataFolder + "/..")
        let token = printed.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
        self.tenant = tenant
        client = ControlClient(
            address: "http://127.0.0.1:\(server.port)",
            headers: [
                ("authorization", "Bearer \(token)"), ("x-tenant-id", Self.text(tenant)),
                ("x-org-id", Self.text(organisation)),
            ])
        let mark = Self.run()
        connection = "bench-\(mark)"
        sku = "BOOT-\(mark)"
        let made = try await client.post(
            "/api/v1/integrations/callback",
            json: #"{"connection_id":"\#(connection)","provider":"unified","category":"commerce"}"#)
        let answer: ConnectionMade = try client.require(made, 201, "making a connection").decoded()
        secret = answer.connection.webhook_secret
        let product = try await client.post(
            "/api/v1/pim/products",
            json: """
                {"title":"Boots","status":"active","variants":[{"sku":"\(sku)","price":149.99,"currency":"USD"}]}
                """)
        _ = try client.require(product, 201, "making a product")
    }

    /// The shape of a run's orders: unless the run is named, their ids are met nowhere else in the store.
    func orders(run: String = Workspace.run()) -> OrderShape {
        OrderShape(connection: connection, secret: secret, sku: sku, run: run)
    }

    /// What subscribing answers: the secret is the one that deliveries are signed with.
    struct Subscribed: Decodable {
        let id: UUID
        let secret: String
    }

    /// Subscribes a URL to events, all those of orders if no others are named.
    ///
    /// - Parameter more: further members of the subscription, with a comma in front.
    func subscribe(_ url: String, types: String = "order.*", more: String = "") async throws -> Subscribed {
        let made = try await client.post(
            "/api/v1/webhooks/subscriptions", json: #"{"url":"\#(url)","event_types":["\#(types)"]\#(more)}"#)
        return try client.require(made, 201, "subscribing").decoded()
    }

    private static func text(_ id: UUID) -> String { id.uuidString.lowercased() }

    /// Eight characters that name a run of orders.
    static func run() -> String {
        let text = String(UInt32.random(in: 0 ... .max), radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    // The names are those of the wire.
    private struct ConnectionMade: Decodable {
        struct Connection: Decodable { let webhook_secret: String }
        let connection: Connection
    }
}
