import API
import Kernel

/// Lines to paste into a shell. Each works by itself: address, token and secret are written out in it.
package struct DevelopmentCommands: Sendable {
    /// Without a slash at the end.
    package let address: String
    package let token: String
    package let principal: Principal
    /// The `connection_id` of the gateway's connection.
    package let connection: String
    /// What deliveries of that connection are signed with.
    package let secret: Secret
    /// A SKU that no variant has and that a line of an order has.
    package let freeSKU: String

    package init(
        address: String, token: String, principal: Principal, connection: String, secret: Secret, freeSKU: String
    ) {
        self.address = address
        self.token = token
        self.principal = principal
        self.connection = connection
        self.secret = secret
        self.freeSKU = freeSKU
    }

    /// The three headers of every authenticated request.
    package var headers: [String] {
        [
            "Authorization: Bearer \(token)", "X-Tenant-ID: \(principal.tenant)", "X-Org-ID: \(principal.organisation)",
        ]
    }

    package var listOrders: String { "curl -sS -w '\\n' \(credentials) '\(address)/api/v1/oms/orders?limit=5'" }

    package var readFeed: String {
        "curl -sS -w '\\n' \(credentials) '\(address)/api/v1/webhooks/events?per_page=5'"
    }

    package var createProduct: String {
        let product = """
            {"title":"Made by hand","status":"active","variants":[{"sku":"\(freeSKU)","price":21,"currency":"USD"}]}
            """
        return "curl -sS -w '\\n' \(credentials) -H 'Content-Type: application/json' -d '\(product)' "
            + "'\(address)/api/v1/pim/products'"
    }

    /// Signs in the shell, so that the body can be changed; each second makes another order.
    package var postOrder: String {
        let key = secret.revealText(for: "a line that signs on the developer's own machine")
        let line = "{\"sku\":\"HUB-MUG-01\",\"name\":\"Mug\",\"quantity\":2,\"unit_amount\":9.99}"
        return "body='{\"connection_id\":\"\(connection)\",\"event\":\"order.created\",\"data\":"
            + "{\"id\":\"TRY-'$(date +%s)'\",\"currency\":\"USD\",\"line_items\":[\(line)]}}'; "
            + "curl -sS -w '\\n' -H 'Content-Type: application/json' -H \"X-Unified-Signature: "
            + "$(printf %s \"$body\" | openssl dgst -sha256 -hmac '\(key)' -r | cut -d' ' -f1)\" "
            + "--data-binary \"$body\" '\(address)/unified/webhook'"
    }

    package var lines: [String] {
        let named = [
            ("list the orders", listOrders),
            ("post an order as the gateway does; openssl signs the body", postOrder),
            ("read the event feed from its beginning", readFeed),
            ("make the missing variant; the orders that wait for it are matched again", createProduct),
        ]
        return named.flatMap { ["", "# \($0.0)", $0.1] }
    }

    private var credentials: String { headers.map { "-H '\($0)'" }.joined(separator: " ") }
}
