import HTTPTypes
import Kernel
import Signing
import Testing

/// A tenant at a server with one connection, and the store behind that connection, which signs what it sends.
struct Shop: Sendable {
    let api: Caller
    let connection: String
    let externalID: String
    let secret: String

    /// Connects a gateway connection.
    static func open(_ server: TestServer, externalID: String = "conn-1") async throws -> Shop {
        try await open(try await server.caller(token: server.token()), externalID: externalID)
    }

    static func open(
        _ api: Caller, externalID: String = "conn-1", provider: String = "unified"
    ) async throws -> Shop {
        let answer = try await api.post(
            "/api/v1/integrations/callback",
            #"{"connection_id": "\#(externalID)", "provider": "\#(provider)", "category": "commerce"}"#)
        #expect(answer.status == 201, "\(answer.text)")
        let connection = try #require(answer["connection"])
        return Shop(
            api: api, connection: try connection.text("id"), externalID: externalID,
            secret: try connection.text("webhook_secret"))
    }

    /// The same shop at another address, after a restart or at another copy.
    func at(_ address: String) -> Shop {
        Shop(
            api: Caller(address: address, headers: api.headers, timeout: api.timeout), connection: connection,
            externalID: externalID, secret: secret)
    }

    // MARK: The store's side

    static let shirt = #"{"item_id": "a", "sku": "SHIRT-M", "name": "Shirt", "quantity": 2, "unit_amount": 74.99}"#
    static let mystery = #"{"item_id": "b", "sku": "NOPE", "name": "Nope", "quantity": 1, "unit_amount": 1}"#

    /// An event of the gateway with an order in it.
    func orderEvent(
        _ id: String, lines: [String] = [shirt], event: String = "accounting.order.created", more: String = ""
    ) -> [UInt8] {
        Array(
            """
            {"connection_id": "\(externalID)", "event": "\(event)", "data": {"id": "\(id)", "currency": "USD",\(more)
            "line_items": [\(lines.joined(separator: ", "))]}}
            """.utf8)
    }

    /// Posts a body under the connection's secret.
    func deliver(_ body: [UInt8]) async throws -> Answer {
        try await api.bare.send(.post, "/unified/webhook", body, signature(of: body))
    }

    func signature(of body: [UInt8]) throws -> HTTPFields {
        let key = try #require(SigningKey(Secret(secret)))
        let content = SignedContent(id: "", time: Timestamp(milliseconds: 0), body: body)
        return SignatureCatalog.unifiedInbound.sign(content, key: key, older: [])
    }

    // MARK: The tenant's side

    /// Creates a product with one variant.
    @discardableResult
    func makeProduct(_ title: String, sku: String, price: String = "74.99") async throws -> Answer {
        let answer = try await api.post(
            "/api/v1/pim/products",
            """
            {"title": "\(title)", "status": "active",
             "variants": [{"sku": "\(sku)", "price": \(price), "currency": "USD"}]}
            """)
        #expect(answer.status == 201, "\(answer.text)")
        return answer
    }

    /// Subscribes an endpoint; returns the subscription's id and its secret.
    func subscribe(_ url: String, to types: String = "order.*") async throws -> (id: String, secret: String) {
        let answer = try await api.post(
            "/api/v1/webhooks/subscriptions",
            #"{"url": "\#(url)", "event_types": ["\#(types)"], "headers": {"X-Subscriber": "abc-123"}}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return (try answer.text("id"), try answer.text("secret"))
    }

    /// The order of an id of the source, once it is there.
    func order(_ externalID: String, within limit: Duration = .seconds(30)) async throws -> JSONValue {
        try await eventually("there is an order \(externalID)", within: limit) {
            try await api.get("/api/v1/oms/orders?limit=100").page().first { $0["external_id"]?.string == externalID }
        }
    }

    /// The newest entries of the inbound log.
    func inbox() async throws -> [JSONValue] {
        try await api.get("/api/v1/integrations/connections/\(connection)/inbox?limit=100").page()
    }

    /// One entry of the inbound log, once it is no longer queued.
    func settled(_ id: String) async throws -> JSONValue {
        try await eventually("the inbox entry \(id) is settled") {
            try await inbox().first { $0["id"]?.string == id && $0["state"]?.string != "queued" }
        }
    }

    /// The whole feed, oldest first.
    func feed() async throws -> [JSONValue] {
        var events: [JSONValue] = []
        var cursor = ""
        while true {
            let answer = try await api.get("/api/v1/webhooks/events?limit=1000\(cursor)")
            events += try answer.page()
            guard answer["has_more"]?.bool == true else { return events }
            cursor = "&after=\(try answer.text("next_cursor"))"
        }
    }
}

extension Caller {
    /// The same address without the tenant's headers.
    var bare: Caller { Caller(address: address, timeout: timeout) }
}
