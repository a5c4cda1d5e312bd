import HTTPTypes
import Kernel
import Signing
import Testing

@testable import Server

@Suite struct ArrivalLogTests {
    private static let now = Timestamp(milliseconds: 1_795_224_546_500)
    private let secret = Secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    private let log = ArrivalLog(time: TimeSource { Self.now })

    private func body(_ payload: String) -> [UInt8] {
        Array(
            """
            {"event_id":"a","event_type":"order.created","timestamp":"2026-11-21T01:29:06.000Z","payload":\(payload)}
            """.utf8)
    }

    private func signed(_ body: [UInt8]) throws -> HTTPFields {
        let key = try #require(SigningKey(secret))
        let content = SignedContent(id: "a", time: Self.now, body: body)
        var headers = SignatureCatalog.synq.sign(content, key: key, older: [])
        headers.append(contentsOf: SignatureCatalog.standardV1.sign(content, key: key, older: []))
        return headers
    }

    @Test("A delivery that both signatures hold for is verified and named by the order's external id")
    func verified() throws {
        log.expect(secret)
        let body = body("{\"external_id\":\"39\",\"order_id\":\"b\"}")
        #expect(log.receive(headers: try signed(body), body: body))
        let arrival = try #require(log.take().arrivals.first)
        #expect(arrival.isVerified)
        #expect(arrival.eventType == "order.created")
        #expect(arrival.subject == "39")
        #expect(arrival.delay == .milliseconds(500))
        #expect(!arrival.isSincePost)
    }

    @Test("A changed byte, a lacking signature and a secret that is not known yet all fail, and are shown")
    func refused() throws {
        let body = body("{}")
        let headers = try signed(body)
        #expect(!log.receive(headers: headers, body: body))
        log.expect(secret)
        #expect(!log.receive(headers: headers, body: body + [0x20]))
        for header in headers {
            var fewer = headers
            fewer[header.name] = nil
            #expect(!log.receive(headers: fewer, body: body))
        }
        #expect(log.take().arrivals.allSatisfy { !$0.isVerified })
    }

    @Test("The delay counts from the POST for orders that are being played, until the clocks are stopped")
    func clocks() throws {
        let body = body("{\"external_id\":\"39\"}")
        log.begin(order: "39")
        _ = log.receive(headers: [:], body: body)
        log.stopClocks()
        _ = log.receive(headers: [:], body: body)
        #expect(log.take().arrivals.map(\.isSincePost) == [true, false])
    }

    @Test("Bytes that are no JSON are kept as an arrival of nothing known")
    func garbage() throws {
        _ = log.receive(headers: [:], body: [0xFF])
        let arrival = try #require(log.take().arrivals.first)
        #expect(arrival.eventType == "-")
        #expect(arrival.subject == "-")
        #expect(arrival.delay == .zero)
    }

    @Test("Arrivals that nobody takes are bounded: the oldest go, and are counted")
    func bounded() {
        for _ in 0..<ArrivalLog.most + 3 { _ = log.receive(headers: [:], body: [0x7B, 0x7D]) }
        let (arrivals, dropped) = log.take()
        #expect(arrivals.count == ArrivalLog.most)
        #expect(dropped == 3)
        #expect(log.take().arrivals.isEmpty)
        #expect(log.take().dropped == 0)
    }
}
