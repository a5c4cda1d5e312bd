import HTTPTypes
import Kernel
import TestSupport
import Testing

@testable import DeliveryClient

@Suite struct KeptConnectionTests {
    @Test("A connection that its peer closes between two requests costs no attempt", arguments: [false, true])
    func closedBetween(isSecured: Bool) async throws {
        try await TestPeer.run(certificate: isSecured ? .good : nil) { peer in
            try await withClient { client in
                let scheme = isSecured ? "https" : "http"
                let request = OutgoingRequest(method: .post, url: "\(scheme)://127.0.0.1:\(peer.port)/", body: [1])
                for round in 1...3 {
                    let response = try await client.send(request)
                    #expect(response.status == 204)
                    // After the wait only a new connection can serve; later the closing may come behind the request.
                    #expect(round < 3 ? peer.connectionsCount == round : 2...3 ~= peer.connectionsCount)
                    peer.closeConnections()
                    if round == 1 { await peer.wait { $0.openCount == 0 } }
                }
            }
            // A server that is closing a secured connection may still read what comes, and answers it no more.
            #expect(isSecured ? 3...5 ~= peer.requests.count : peer.requests.count == 3)
        }
    }

    @Test(
        "A connection that its peer closes as the next request arrives costs no attempt either",
        arguments: [
            TestPeer.Reply.close, .reset,
        ])
    func closedUnderTheRequest(ending: TestPeer.Reply) async throws {
        try await TestPeer.run(reply: { $0.numberInConnection == 2 ? ending : .noContent }) { peer in
            try await withClient { client in
                let request = OutgoingRequest(method: .post, url: peer.url, body: [1])
                _ = try await client.send(request)
                let second = try await client.send(request)
                #expect(second.status == 204)
                // The call made a connection after all.
                #expect(second.phases?.connect != nil)
            }
            #expect(peer.requests.map(\.connection) == [1, 1, 2])
        }
    }

    @Test("A request is sent anew once, and not after a byte of its answer")
    func sentAnewOnce() async throws {
        let reply: @Sendable (TestPeer.Request) -> TestPeer.Reply = { request in
            if request.numberInConnection == 1, request.connection == 1 { return .noContent }
            return request.path == "/begun" ? .textThenClose("HTTP/1.1 2") : .close
        }
        try await TestPeer.run(reply: reply) { peer in
            try await withClient { client in
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                let request = OutgoingRequest(method: .post, url: peer.url)
                #expect(await failure(client, request)?.errorClass == .body)
            }
            #expect(peer.requests.map(\.connection) == [1, 1, 2])
        }
        try await TestPeer.run(reply: reply) { peer in
            try await withClient { client in
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                let request = OutgoingRequest(method: .post, url: "\(peer.url)begun")
                #expect(await failure(client, request)?.errorClass == .body)
            }
            #expect(peer.requests.map(\.connection) == [1, 1])
        }
    }

    @Test("A large request is sent anew whole")
    func largeSentAnew() async throws {
        try await TestPeer.run(reply: { $0.numberInConnection == 2 ? .reset : .noContent }) { peer in
            try await withClient { client in
                let request = OutgoingRequest(
                    method: .post, url: peer.url, body: [UInt8](repeating: UInt8(ascii: "a"), count: 200_000))
                for _ in 0..<2 {
                    let response = try await client.send(request)
                    #expect(response.status == 204)
                }
            }
            #expect(peer.requests.map(\.text.utf8.count).min() ?? 0 > 200_000)
        }
    }

    @Test("A connection serves a bounded number of requests")
    func uses() async throws {
        var options = DeliveryOptions()
        options.usesPerConnection = 3
        try await TestPeer.run { peer in
            try await withClient(options: options) { client in
                for _ in 0..<7 { _ = try await client.send(OutgoingRequest(method: .post, url: peer.url)) }
            }
            #expect(peer.requests.map(\.connection) == [1, 1, 1, 2, 2, 2, 3])
        }
    }

    @Test("An idle connection is closed after its time, which is shorter when the peer says so")
    func idleTime() async throws {
        var options = DeliveryOptions()
        options.idleTime = .milliseconds(50)
        try await TestPeer.run { peer in
            try await withClient(options: options) { client in
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                await peer.wait { $0.openCount == 0 }
                let counts = try await client.counts()
                #expect(counts == (0, 0, 0))
            }
        }
        let hint = "HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=1\r\n\r\n"
        try await TestPeer.run(reply: { _ in .text(hint) }) { peer in
            try await withClient { client in
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                let idle = try await client.counts().idle
                #expect(idle == 0)
            }
        }
    }

    @Test("A connection whose lifetime is over serves no further request, whether it was busy or idle till then")
    func lifetime() async throws {
        var options = DeliveryOptions()
        options.lifetime = .zero
        try await TestPeer.run { peer in
            try await withClient(options: options) { client in
                for _ in 0..<3 { _ = try await client.send(OutgoingRequest(method: .post, url: peer.url)) }
            }
            #expect(peer.requests.map(\.connection) == [1, 2, 3])
        }
        options.lifetime = .milliseconds(50)
        let begin = ContinuousClock.now
        try await TestPeer.run { peer in
            try await withClient(options: options) { client in
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                await peer.wait { $0.openCount == 0 }
                // Long before it would have been idle for too long.
                #expect(begin.duration(to: .now) < options.idleTime)
                _ = try await client.send(OutgoingRequest(method: .post, url: peer.url))
            }
            #expect(peer.requests.map(\.connection) == [1, 2])
        }
    }

    @Test("Of very many endpoints only a bounded number of connections is kept, and of those without one nothing")
    func manyEndpoints() async throws {
        var options = DeliveryOptions()
        options.idleInAll = 64
        try await TestPeer.run(reply: { _ in .ok }) { peer in
            try await withClient(resolver: LoopbackResolver(), options: options) { client in
                try await withThrowingTaskGroup { group in
                    for lane in 0..<16 {
                        group.addTask {
                            for number in 0..<64 {
                                let url = "http://h\(lane)-\(number).example:\(peer.port)/"
                                let response = try await client.send(OutgoingRequest(method: .post, url: url))
                                #expect(response.status == 200)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let counts = try await client.counts()
                #expect(counts.calls == 0)
                #expect(counts.idle <= 64)
                #expect(counts.endpoints <= counts.idle)
                await peer.wait { $0.openCount <= 64 }
            }
            #expect(peer.connectionsCount == 1024)
            await peer.wait { $0.openCount == 0 }
        }
    }

    @Test(
        "Whatever a peer does, and whenever a call is cancelled, each call ends once and nothing is left",
        arguments: [
            1, 2, 3,
        ])
    func faults(seed: UInt64) async throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let replies: [TestPeer.Reply] = [
            .noContent, .ok, .ok, .ok, .close, .reset, .silence, .trickle(text), .body(bytes: 300_000),
            .body(bytes: 40_000), .textThenClose("HTTP/1.1 200 OK\r\n\r\nabc"), .text("garbage\r\n\r\n"),
            .textThenClose("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), .text(text + "left over"),
            .text("HTTP/1.1 100 Continue\r\n\r\n" + text),
        ]
        let reply: @Sendable (TestPeer.Request) -> TestPeer.Reply = { request in
            guard let number = UInt64(request.path.dropFirst()) else { return .ok }
            var random = SeededRandom(seed: seed &* 100_000 &+ number)
            return replies.randomElement(using: &random) ?? .silence
        }
        for certificate in [nil, TestCertificate.good] {
            try await TestPeer.run(certificate: certificate, reply: reply) { peer in
                let scheme = certificate == nil ? "http" : "https"
                try await withClient { client in
                    let ends = await withTaskGroup(of: Int.self) { group in
                        for lane in 0..<16 {
                            group.addTask {
                                var random = SeededRandom(seed: seed &+ UInt64(lane) &* 77)
                                var ends = 0
                                for number in 0..<20 {
                                    let request = OutgoingRequest(
                                        method: .post, url: "\(scheme)://127.0.0.1:\(peer.port)/\(lane * 100 + number)",
                                        body: [1, 2, 3], timeout: .milliseconds(300))
                                    let call = Task { try? await client.send(request).status }
                                    if random.next() % 10 == 0 { call.cancel() }
                                    if let status = await call.value { #expect(200...204 ~= status) }
                                    ends += 1
                                }
                                return ends
                            }
                        }
                        return await group.reduce(0, +)
                    }
                    #expect(ends == 320)
                    let last = try await client.send(
                        OutgoingRequest(method: .post, url: "\(scheme)://127.0.0.1:\(peer.port)/", timeout: .seconds(9))
                    )
                    #expect(last.status == 200)
                }
                await peer.wait { $0.openCount == 0 }
            }
        }
    }
}

private struct LoopbackResolver: AddressResolver {
    func addresses(of name: String) throws(ExchangeError) -> [IPAddress] { [.v4(0x7F00_0001)] }
}
