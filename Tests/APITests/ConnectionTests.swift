import Dispatch
import Foundation
import Hummingbird
import HummingbirdTesting
import Kernel
import Logging
import Signing
import TestSupport
import Testing

@testable import API

/// What only shows on a real socket: bodies that stall, and connections that break off in the middle of one.
@Suite struct ConnectionTests {
    /// Says `text` on a new connection and returns what comes back until the other side closes.
    private func talk(_ text: String, port: Int, thenHangUp: Bool = false) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Self.exchange(text, port: port, thenHangUp: thenHangUp))
            }
        }
    }

    private static func exchange(_ text: String, port: Int, thenHangUp: Bool) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count
        else { return "no connection" }
        if thenHangUp { shutdown(descriptor, Int32(SHUT_WR)) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return String(decoding: answer, as: UTF8.self) }
            if count < 0 { return "not closed: " + String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }

    private func withServer(
        _ body: @escaping @Sendable (_ port: Int, _ client: any TestClientProtocol) async throws -> Void
    ) async throws {
        var settings = APISettings()
        settings.bodyTimeout = .milliseconds(50)
        settings.bodyBytesLimit = 1000
        try await withAPI(settings: settings) { api in
            let router = buildRouter(api.dependencies)
            router.post("/test/echo") { request, context in
                _ = try await context.body(of: request)
                return Response(status: .ok)
            }
            router.post("/test/pieces") { request, context in
                _ = try await context.bodies.pieces(of: request, on: context.channel, size: 100, limit: 1000) { _, _ in
                }
                return Response(status: .ok)
            }
            let app = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await app.test(.live) { client in try await body(try #require(client.port), client) }
        }
    }

    @Test("A body that stalls is answered 408 and its connection closed")
    func stalled() async throws {
        try await withServer { port, client in
            let answer = await talk(
                "POST /test/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"half\":", port: port)

            #expect(answer.hasPrefix("HTTP/1.1 408"))
            #expect(answer.contains("application/problem+json"))
            let other = try await client.execute(uri: "/healthz", method: .get)
            #expect(other.status == .ok)
        }
    }

    @Test(
        "A connection that breaks off in the middle of a body harms nobody else",
        arguments: [
            "Content-Length: 100\r\n\r\n{\"half\":", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"hal",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: 5\r\n\r\n",
        ])
    func brokenOff(_ rest: String) async throws {
        try await withServer { port, client in
            let answer = await talk("POST /test/echo HTTP/1.1\r\nHost: x\r\n\(rest)", port: port, thenHangUp: true)

            #expect(!answer.hasPrefix("not closed"))
            #expect(!answer.contains(" 200 "))
            #expect(!answer.contains(" 500 "))
            let other = try await client.execute(uri: "/healthz", method: .get)
            #expect(other.status == .ok)
        }
    }

    @Test(
        "A sender that goes on after its 413 is cut off, whether its body is read whole or in pieces",
        arguments: ["/test/echo", "/test/pieces"],
        [
            "Content-Length: 5000\r\n\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3E9\r\n" + String(repeating: "a", count: 1001) + "\r\n",
        ])
    func tooLarge(_ path: String, _ rest: String) async throws {
        try await withServer { port, _ in
            let answer = await talk("POST \(path) HTTP/1.1\r\nHost: x\r\n\(rest)", port: port)

            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
        }
    }
}
