import API
import Kernel
import Server
import Testing

@Suite struct DevelopmentCommandsTests {
    private let commands = DevelopmentCommands(
        address: "http://127.0.0.1:8080", token: "aaa.bbb.ccc",
        principal: Principal(
            tenant: ID(high: 1, low: 1), organisation: ID(high: 1, low: 2), user: ID(high: 1, low: 3), role: .admin),
        connection: "dev-gateway", secret: Secret("0123456789abcdef"), freeSKU: "HUB-NEW-1")

    @Test("The three headers are the token's, the tenant's and the organisation's")
    func headers() {
        #expect(
            commands.headers == [
                "Authorization: Bearer aaa.bbb.ccc", "X-Tenant-ID: 00000000-0000-0001-0000-000000000001",
                "X-Org-ID: 00000000-0000-0001-0000-000000000002",
            ])
    }

    @Test("Each line that asks for a tenant's data carries all three headers and the address")
    func credentials() {
        for line in [commands.listOrders, commands.readFeed, commands.createProduct] {
            for header in commands.headers { #expect(line.contains("-H '\(header)'")) }
            #expect(line.contains("'http://127.0.0.1:8080/"))
        }
    }

    @Test("The line that posts an order signs the very text that it sends, and needs no token")
    func signedLine() {
        #expect(commands.postOrder.hasPrefix("body='{\"connection_id\":\"dev-gateway\","))
        #expect(commands.postOrder.contains("printf %s \"$body\" | openssl dgst -sha256 -hmac '0123456789abcdef' -r"))
        #expect(commands.postOrder.contains("--data-binary \"$body\""))
        #expect(!commands.postOrder.contains("Bearer"))
    }

    @Test("The product that is made has the missing SKU")
    func product() {
        #expect(commands.createProduct.contains("\"sku\":\"HUB-NEW-1\""))
    }

    @Test("Every line to paste is one line, behind a comment that says what it does")
    func lines() {
        let lines = commands.lines
        #expect(lines.count == 12)
        #expect(lines.allSatisfy { !$0.contains("\n") })
        #expect(lines.count { $0.hasPrefix("# ") } == 4)
    }
}
