import HTTPTypes
import Kernel
import NIOPosix
import TestSupport
import Testing

@testable import DeliveryClient

@Suite struct DeliveryClientTests {
    @Test("A post carries its body, the URL's host and the caller's fields in their spelling, and brings the answer")
    func post() async throws {
        let answer =
            "HTTP/1.1 201 Created\r\nX-Answer: yes\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 4\r\n\r\nmade"
        try await TestPeer.run(reply: { _ in .text(answer) }) { peer in
            try await withClient { client in
                var headers = HTTPFields()
                headers[try #require(HTTPField.Name("Synq-Signature"))] = "abc"
                headers[try #require(HTTPField.Name("Host"))] = "evil.example"
                headers[.contentLength] = "7"
                headers[.transferEncoding] = "chunked"
                let response = try await client.send(
                    OutgoingRequest(
                        method: .post, url: "\(peer.url)a?b=c", headers: headers, body: Array("{\"a\":1}!".utf8)))
                #expect(response.status == 201)
                #expect(response.body == Array("made".utf8))
                #expect(response.headers[try #require(HTTPField.Name("x-answer"))] == "yes")
                #expect(response.headers[values: .setCookie] == ["a", "b"])
            }
            #expect(
                peer.requests.map(\.text) == [
                    "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:\(peer.port)\r\nSynq-Signature: abc\r\n"
                        + "Content-Length: 8\r\n\r\n{\"a\":1}!"
                ])
        }
    }

    @Test("Every status is an answer, redirects too, and none is followed", arguments: [204, 301, 302, 410, 429, 500])
    func statuses(status: Int) async throws {
        let text =
            "HTTP/1.1 \(status) X\r\nLocation: /elsewhere\r\nRetry-After: 3\r\n"
            + (status == 204 ? "\r\n" : "Content-Length: 0\r\n\r\n")
        try await TestPeer.run(reply: { _ in .text(text) }) { peer in
            try await withClient { client in
                for _ in 0..<2 {
                    let response = try await client.send(OutgoingRequest(method: .post, url: peer.url))
                    #expect(response.status == status)
                    #expect(response.headers[.location] == "/elsewhere")
                    #expect(response.headers[.retryAfter] == "3")
                }
            }
            #expect(peer.requests.count == 2)
            #expect(peer.connectionsCount == 1)
        }
    }

    @Test("Every shape of an answer is read, whole or byte by byte, and the connection serves on where it may")
    func shapes() async throws {
        struct Shape {
            let text: String
            let status: Int
            let body: String
            let isKept: Bool
        }
        let shapes: [String: Shape] = [
            "/100": .init(
                text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200,
                body: "ok", isKept: true),
            "/103": .init(
                text:
                    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
                status: 202, body: "", isKept: true),
            "/chunked": .init(
                text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\n"
                    + "Trailer: t\r\n\r\n", status: 200, body: "abc0123456789", isKept: true),
            "/close": .init(
                text: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok",
                isKept: false),
            "/old": .init(
                text: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", isKept: false),
        ]
        for isTrickled in [false, true] {
            try await TestPeer.run(reply: { request in
                let text = shapes[String(request.path)]?.text ?? ""
                return isTrickled ? .trickle(text) : .text(text)
            }) { peer in
                for (path, shape) in shapes {
                    try await withClient { client in
                        let response = try await client.send(
                            OutgoingRequest(method: .post, url: peer.url.dropLast() + path, body: [1]))
                        #expect(response.status == shape.status, "\(path)")
                        #expect(String(decoding: response.body, as: UTF8.self) == shape.body, "\(path)")
                        let idle = try await client.counts().idle
                        #expect(idle == (shape.isKept ? 1 : 0), "\(path)")
                    }
                }
            }
        }
    }

    @Test("An answer without a length ends with its connection")
    func closeDelimited() async throws {
        for certificate in [nil, TestCertificate.good] {
            try await TestPeer.run(
                certificate: certificate, reply: { _ in .textThenClose("HTTP/1.1 200 OK\r\n\r\nto the end") }
            ) { peer in
                let scheme = certificate == nil ? "http" : "https"
                try await withClient { client in
                    let response = try await client.send(
                        OutgoingRequest(method: .post, url: "\(scheme)://127.0.0.1:\(peer.port)/"))
                    #expect(String(decoding: response.body, as: UTF8.self) == "to the end")
                }
            }
        }
    }

    @Test("Of a body of 10 MiB only the kept part is held, and the next call is served", arguments: [0, 1, 16 << 10])
    func longBody(limit: Int) async throws {
        try await TestPeer.run(reply: { $0.path == "/long" ? .body(bytes: 10 << 20) : .noContent }) { peer in
            try await withClient { client in
                let response = try await client.send(
                    OutgoingRequest(method: .post, url: "\(peer.url)long", responseLimit: limit))
                #expect(response.status == 200)
                #expect(response.body == [UInt8](repeating: UInt8(ascii: "x"), count: limit))
                let next = try await client.send(OutgoingRequest(method: .get, url: peer.url))
                #expect(next.status == 204)
            }
            #expect(peer.connectionsCount == 2)
        }
    }

    @Test("A rest of the body that is small enough is read off, and its connection serves on")
    func drained() async throws {
        try await TestPeer.run(reply: { $0.path == "/long" ? .body(bytes: 100 << 10) : .noContent }) { peer in
            try await withClient { client in
                let response = try await client.send(
                    OutgoingRequest(method: .post, url: "\(peer.url)long", responseLimit: 10))
                #expect(response.body.count == 10)
                while try await client.counts().idle == 0 { await Task.yield() }
                _ = try await client.send(OutgoingRequest(method: .get, url: peer.url))
            }
            #expect(peer.connectionsCount == 1)
        }
    }

    @Test("An answer that comes before the request was read is the answer, and its connection is left")
    func earlyAnswer() async throws {
        let refusal = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
        try await TestPeer.run(answersHeads: true, reply: { _ in .text(refusal) }) { peer in
            try await withClient { client in
                let body = [UInt8](repeating: UInt8(ascii: "a"), count: 32 << 20)
                let response = try await client.send(OutgoingRequest(method: .post, url: peer.url, body: body))
                #expect(response.status == 413)
                let idle = try await client.counts().idle
                #expect(idle == 0)
            }
        }
    }

    @Test("Silence ends in a timeout, a broken connection and words that aren't HTTP in the class of the body")
    func brokenAnswers() async throws {
        let longHead = "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 40_000) + "\r\n\r\n"
        let manyInterim = String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", count: 1000)
        let reply: @Sendable (TestPeer.Request) -> TestPeer.Reply = { request in
            switch request.path {
            case "/silence": .silence
            case "/close": .close
            case "/reset": .reset
            case "/half": .text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            case "/cut": .textThenClose("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            case "/head": .textThenClose("HTTP/1.1 200 OK\r\nContent-")
            case "/chunk": .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
            case "/long": .text(longHead)
            case "/interim": .text(manyInterim)
            case "/slow": .trickle(String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 1000))
            default: .text("SSH-2.0-OpenSSH\r\n\r\n")
            }
        }
        try await TestPeer.run(reply: reply) { peer in
            try await withClient { client in
                let cases: [(String, ExchangeError.Class)] = [
                    ("silence", .timeout), ("close", .body), ("reset", .body), ("half", .timeout), ("cut", .body),
                    ("head", .body), ("chunk", .body), ("long", .body), ("interim", .body), ("slow", .timeout),
                    ("ssh", .body),
                ]
                for (path, expected) in cases {
                    let request = OutgoingRequest(
                        method: .post, url: peer.url + path, body: [1],
                        timeout: expected == .timeout ? .milliseconds(200) : .seconds(30))
                    let error = await failure(client, request)
                    #expect(error?.errorClass == expected, "\(path): \(String(describing: error))")
                    #expect(error?.phases?.total != nil)
                }
            }
            // None of them was sent twice.
            #expect(peer.requests.count == 11)
        }
    }

    @Test("The phases of a call tell what it did: all of them on a new connection, the answer's alone on a kept one")
    func phases() async throws {
        let resolver = try StubResolver(["hooks.example": [["127.0.0.1"]]])
        try await TestPeer.run(certificate: .good) { peer in
            try await withClient(resolver: resolver) { client in
                let request = OutgoingRequest(method: .post, url: "https://hooks.example:\(peer.port)/", body: [1])
                let first = try #require(try await client.send(request).phases)
                let dns = try #require(first.dns)
                let connect = try #require(first.connect)
                let tls = try #require(first.tls)
                let firstByte = try #require(first.firstByte)
                let total = try #require(first.total)
                #expect(dns >= .zero && connect > .zero && tls > .zero)
                #expect(dns + connect + tls <= firstByte && firstByte <= total)

                let second = try #require(try await client.send(request).phases)
                #expect(second.dns == nil && second.connect == nil && second.tls == nil)
                #expect(try #require(second.firstByte) <= #require(second.total))
            }
        }
    }

    @Test("A cancelled call ends although no answer comes, and so does one that was cancelled before it began")
    func cancelled() async throws {
        try await TestPeer.run(reply: { _ in .silence }) { peer in
            try await withClient { client in
                let request = OutgoingRequest(method: .post, url: peer.url, timeout: .seconds(60))
                let call = Task { await failure(client, request) }
                await peer.wait { !$0.requests.isEmpty }
                call.cancel()
                #expect(await call.value?.errorClass == .timeout)

                let early = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await failure(client, request)
                }
                #expect(await early.value?.errorClass == .timeout)
                let left = try await client.counts().calls
                #expect(left == 0)
            }
        }
    }

    @Test("A shutdown ends the calls under way; after it a call fails instead of waiting")
    func shutdown() async throws {
        try await TestPeer.run(reply: { _ in .silence }) { peer in
            let client = DeliveryClient(
                policy: try loopbackPolicy(), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
            let request = OutgoingRequest(method: .post, url: peer.url, timeout: .seconds(60))
            let call = Task { await failure(client, request) }
            await peer.wait { !$0.requests.isEmpty }
            try await client.shutdown()
            #expect(await call.value?.errorClass == .connect)
            await peer.wait { $0.openCount == 0 }
            for host in ["127.0.0.1", "localhost"] {
                let late = OutgoingRequest(method: .post, url: "http://\(host):1/", timeout: .seconds(5))
                #expect(await failure(client, late)?.errorClass == .connect)
            }
        }
    }
}
