import HTTPTypes
import Kernel
import TestSupport
import Testing

/// Several requests on one connection before the first answer (RFC 9112, 9.3.2).
@Suite struct PipelineTests {
    @Test(
        "Requests that come at once are answered in their order, whoever answers them", arguments: TestEngine.allCases)
    func order(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let first = try Self.delivery(shop, "o-1")
            let second = try Self.delivery(shop, "o-2")
            let health = Array("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
            let unknown = Array("GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
            let peer = try await RawConnection.open(server)
            await peer.send(first + health + second + first + health + unknown)
            try await until("the connection is closed after its last answer") { peer.isClosed }

            let answers = peer.text.split(separator: "HTTP/1.1 ").map { answer in
                let body = answer.split(separator: "\r\n\r\n").last ?? ""
                for word in ["accepted", "duplicate"] where body.contains(word) { return "\(answer.prefix(3)) \(word)" }
                return String(answer.prefix(3))
            }
            #expect(answers == ["200 accepted", "200", "200 accepted", "200 duplicate", "200", "404"], "\(peer.text)")
            await peer.close()
        }
    }

    @Test("A peer that sends its delivery and no more still hears the answer", arguments: TestEngine.allCases)
    func halfClosed(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let peer = try await RawConnection.open(server)
            await peer.send(try Self.delivery(shop, "o-1"))
            await peer.finish()
            #expect(try await peer.outcome() == 200, "\(peer.text)")
            #expect(peer.text.contains("accepted"))
            await peer.close()
        }
    }

    @Test("A delivery whose bytes come one by one is taken in like any other", arguments: TestEngine.allCases)
    func crumbs(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let shop = try await Shop.open(server)
            let peer = try await RawConnection.open(server)
            await peer.send(oneByOne: try Self.delivery(shop, "o-1"))
            #expect(try await peer.outcome() == 200, "\(peer.text)")
            #expect(peer.text.contains("accepted"))
            await peer.close()
        }
    }

    private static func delivery(_ shop: Shop, _ order: String) throws -> [UInt8] {
        let body = shop.orderEvent(order)
        let signature = try #require(try shop.signature(of: body).first)
        let head = """
            POST /unified/webhook HTTP/1.1\r
            Host: x\r
            \(signature.name.rawName): \(signature.value)\r
            Content-Length: \(body.count)\r\n\r\n
            """
        return Array(head.utf8) + body
    }
}
