import HTTPTypes
import Kernel
import NIOCore
import Logging
import NIOPosix
import Testing

@testable import ProviderClient

@Suite struct ProviderClientTests {
    @Test("A post carries its body, the URL's host and the caller's fields in their spelling, and brings the answer")
    func exchange() async throws {
        let answer = [
            "HTTP/1.1 201 Created", "Set-Cookie: a=1", "X-Request-Id: r1", "set-cookie: b=2", "Content-Length: 4", "",
            "done",
        ].joined(separator: "\r\n")
        try await RawServer.run(reply: { _ in .text(answer) }) { server, port in
            try await withClient(loopbackPolicy()) { client in
                var headers = HTTPFields()
                headers.append(HTTPField(name: try #require(HTTPField.Name("X-Webhook-Signature")), value: "abc"))
                headers.append(HTTPField(name: try #require(HTTPField.Name("Host")), value: "evil.example"))
                let response = try await client.send(
                    OutgoingRequest(
                        method: .post, url: "http://127.0.0.1:\(port)/in/%2F//x?a=1&b[]=%20+%25", headers: headers,
                        body: Array("{\"a\":1}".utf8)))

                #expect(response.status == 201)
                #expect(response.body == Array("done".utf8))
                #expect(response.headers[values: .setCookie] == ["a=1", "b=2"])
                let request = try #require(server.requests.first)
                let lines = request.split(separator: "\r\n", omittingEmptySubsequences: false)
                #expect(lines.first == "POST /in/%2F//x?a=1&b%5B%5D=%20+%25 HTTP/1.1")
                #expect(lines.filter { $0.lowercased().hasPrefix("host:") } == ["Host: 127.0.0.1:\(port)"])
                #expect(lines.contains("X-Webhook-Signature: abc"))
                #expect(lines.contains("Content-Length: 7"))
                #expect(lines.last == "{\"a\":1}")
            }
        }
    }

    @Test("A get has no body, and an answer without one is whole")
    func noContent() async throws {
        try await RawServer.run { server, port in
            try await withClient(loopbackPolicy()) { client in
                let response = try await client.send(OutgoingRequest(method: .get, url: "http://127.0.0.1:\(port)"))
                #expect(response.status == 204)
                #expect(response.body.isEmpty)
                #expect(server.requests.first?.hasPrefix("GET / HTTP/1.1\r\n") == true)
                #expect(server.requests.first?.lowercased().contains("content-length") == false)
            }
        }
    }

    @Test("A redirect is the answer and isn't followed", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        let answer = "HTTP/1.1 \(status) Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        try await RawServer.run(reply: { _ in .text(answer) }) { server, port in
            try await withClient(loopbackPolicy()) { client in
                let response = try await client.send(OutgoingRequest(method: .post, url: "http://127.0.0.1:\(port)/a"))
                #expect(response.status == status)
                #expect(response.headers[.location] == "/elsewhere")
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("Of a body of 10 MiB only the kept part is held, and the next call is served", arguments: [0, 1, 16 << 10])
    func longBody(limit: Int) async throws {
        try await RawServer.run(reply: { $0.contains("/long") ? .body(bytes: 10 << 20) : .noContent }) { _, port in
            try await withClient(loopbackPolicy()) { client in
                let response = try await client.send(
                    OutgoingRequest(method: .post, url: "http://127.0.0.1:\(port)/long", responseLimit: limit))
                #expect(response.status == 200)
                #expect(response.body == [UInt8](repeating: UInt8(ascii: "x"), count: limit))
                let next = try await client.send(OutgoingRequest(method: .get, url: "http://127.0.0.1:\(port)/"))
                #expect(next.status == 204)
            }
        }
    }

    @Test("The answer is there when its kept part is, whatever the rest does")
    func silenceAfterKeptPart() async throws {
        let begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"
        try await RawServer.run(reply: { _ in .textThenSilence(begun) }) { _, port in
            try await withClient(loopbackPolicy()) { client in
                let url = "http://127.0.0.1:\(port)/"
                let response = try await client.send(
                    OutgoingRequest(method: .get, url: url, timeout: .seconds(5), responseLimit: 10))
                #expect(response.body == Array("0123456789".utf8))
                let cut = OutgoingRequest(method: .get, url: url, timeout: .milliseconds(200), responseLimit: 11)
                #expect(await failure(client, cut)?.errorClass == .timeout)
            }
        }
    }

    @Test("Silence ends in a timeout, a broken connection and words that aren't HTTP in the class of the body")
    func brokenAnswers() async throws {
        let reply: @Sendable (String) -> RawServer.Reply = { request in
            switch request.split(separator: " ")[1] {
            case "/silence": .silence
            case "/close": .close
            case "/reset": .reset
            case "/half": .text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            default: .text("SSH-2.0-OpenSSH\r\n\r\n")
            }
        }
        try await RawServer.run(reply: reply) { _, port in
            try await withClient(loopbackPolicy()) { client in
                let cases: [(String, ExchangeError.Class)] = [
                    ("silence", .timeout), ("close", .body), ("reset", .body), ("half", .timeout), ("ssh", .body),
                ]
                for (path, expected) in cases {
                    let request = OutgoingRequest(
                        method: .post, url: "http://127.0.0.1:\(port)/\(path)", body: [1],
                        timeout: expected == .timeout ? .milliseconds(200) : .seconds(30))
                    let error = await failure(client, request)
                    #expect(error?.errorClass == expected, "\(path): \(String(describing: error))")
                }
            }
        }
    }

    @Test("A port where nobody listens is a failure to connect, and no time-out")
    func refusedPort() async throws {
        let port = ClosedPort()
        let url = "http://127.0.0.1:\(port.number)/"
        try await withClient(loopbackPolicy()) { client in
            #expect(await failure(client, OutgoingRequest(method: .post, url: url))?.errorClass == .connect)
        }
    }

    @Test("A server that speaks no TLS is a failure of TLS, and is sent no request")
    func notTLS() async throws {
        try await RawServer.run(greeting: "220 mail.example ESMTP\r\n") { server, port in
            try await withClient(loopbackPolicy()) { client in
                let request = OutgoingRequest(method: .post, url: "https://127.0.0.1:\(port)/", timeout: .seconds(5))
                #expect(await failure(client, request)?.errorClass == .tls)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test("A name that doesn't exist is a failure of DNS")
    func unknownName() async throws {
        let resolver = ScriptedResolver { name throws(ExchangeError) in throw ExchangeError(.dns, "\(name): unknown") }
        try await withClient(EgressPolicy(), resolver: resolver) { client in
            let request = OutgoingRequest(method: .post, url: "https://nowhere.example/")
            #expect(await failure(client, request)?.description == "dns: nowhere.example: unknown")
        }
        let error = try #require(throws: ExchangeError.self) { () throws in
            _ = try SystemResolver().addresses(of: "-.invalid")
        }
        #expect(error.errorClass == .dns)
    }

    @Test("Many hundred calls at once to one host share its connections and all are answered")
    func manyAtOnce() async throws {
        try await RawServer.run { server, port in
            try await withClient(loopbackPolicy(), connectionsPerHost: 48) { client in
                let statuses = await withTaskGroup(of: Int?.self) { group in
                    for number in 0..<500 {
                        group.addTask {
                            let request = OutgoingRequest(
                                method: .post, url: "http://127.0.0.1:\(port)/\(number % 7)", body: [1, 2, 3])
                            do { return try await client.send(request).status } catch {
                                Issue.record(error)
                                return nil
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses == [Int?](repeating: 204, count: 500))
                #expect(server.requests.count == 500)
                #expect(server.connectionsCount <= 48)
            }
        }
    }

    @Test("A cancelled call ends although no answer comes")
    func cancelled() async throws {
        try await RawServer.run(reply: { _ in .silence }) { server, port in
            try await withClient(loopbackPolicy()) { client in
                var arrivals = server.arrivals().makeAsyncIterator()
                let call = Task {
                    await failure(
                        client,
                        OutgoingRequest(method: .post, url: "http://127.0.0.1:\(port)/", timeout: .seconds(60)))
                }
                _ = await arrivals.next()
                call.cancel()
                #expect(await call.value?.errorClass == .timeout)
            }
        }
    }

    @Test("After the shutdown a call fails instead of waiting")
    func afterShutdown() async throws {
        let client = ProviderClient(
            policy: try loopbackPolicy(), eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
        try await client.shutdown()
        for host in ["127.0.0.1", "localhost"] {
            let request = OutgoingRequest(method: .post, url: "http://\(host):1/", timeout: .seconds(5))
            #expect(await failure(client, request)?.errorClass != .timeout)
        }
    }
}
