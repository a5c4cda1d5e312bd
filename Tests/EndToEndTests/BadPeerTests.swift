import Foundation
import HTTPTypes
import Kernel
import TestSupport
import Testing

@Suite("Peers that do not keep to HTTP")
struct BadPeerTests {
    /// Resident memory that a debug build may have at the end, in KiB.
    private static let memoryMost = 250 << 10

    private static func resident(_ server: TestServer) throws -> Int {
        let process = try #require(server.process)
        let status = try Program.text(of: "/proc/\(process.identifier)/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    /// What is written, and the statuses that may come back; an end without an answer is as good.
    private static let garbage: [(name: String, text: String)] = [
        ("a TLS greeting", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{FC}\u{3}\u{3}"),
        ("no HTTP", "HELO example.org\r\n\r\n"),
        ("nothing but line ends", String(repeating: "\r\n", count: 10_000)),
        ("a header without a colon", "GET /healthz HTTP/1.1\r\nHost x\r\n\r\n"),
        ("a header's name with a blank", "GET /healthz HTTP/1.1\r\nHo st: x\r\n\r\n"),
        ("two lengths", "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na"),
        ("a length below zero", "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        (
            "a length beyond 64 bits",
            "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"
        ),
        ("a bad chunk", "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        (
            "length and chunks",
            "POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        ),
        ("ten thousand headers", "GET /healthz HTTP/1.1\r\nHost: x\r\n" + flood + "\r\n"),
        ("a header of a megabyte", "GET /healthz HTTP/1.1\r\nX: \(String(repeating: "x", count: 1 << 20))\r\n\r\n"),
        ("an address of a megabyte", "GET /\(String(repeating: "x", count: 1 << 20)) HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]

    private static let flood = (0..<10_000).map { "X-Flood-\($0): \($0)\r\n" }.joined()

    @Test("After garbage, floods, slow and broken bodies the same process serves on", arguments: TestEngine.allCases)
    func peers(_ engine: TestEngine) async throws {
        try await withServer(engine) { server in
            let process = try #require(server.process)
            let shop = try await Shop.open(server)
            let slow = try await RawConnection.open(server)
            await slow.send("POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            let half = try await RawConnection.open(server)
            await half.send("POST /unified/webhook HTTP/1.1\r\nHo")

            for (name, text) in Self.garbage {
                let peer = try await RawConnection.open(server)
                await peer.send(text)
                await peer.finish()
                let status = try await peer.outcome()
                #expect(status.map { (200..<500).contains($0) } ?? true, "\(name): \(peer.text)")
                await peer.close()
            }
            let cutOff = try await RawConnection.open(server)
            await cutOff.send("POST /unified/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"a\"")
            await cutOff.finish()
            let answered = try await cutOff.outcome()
            #expect(answered == nil || answered == 400, "\(cutOff.text)")

            #expect(try await shop.deliver(shop.orderEvent("o-1")).status == 200)
            _ = try await shop.order("o-1")
            // The slow body is given up after 20 seconds, a few more because they are looked at together.
            #expect(try await slow.outcome(within: .seconds(40)) == 408, "\(slow.text)")
            try await until("the slow peer's connection is closed") { slow.isClosed }
            await half.close()
            #expect(!process.hasEnded)
            #expect(try Self.resident(server) < Self.memoryMost)
        }
    }

    @Test(
        "Two thousand peers at once all get an answer, and one of them stores the event", arguments: TestEngine.allCases
    )
    func crowd(_ engine: TestEngine) async throws {
        try raiseFileLimit(to: 8192)
        try await withServer(engine) { server in
            let process = try #require(server.process)
            let shop = try await Shop.open(server)
            let body = shop.orderEvent("o-1")
            let signature = try #require(try shop.signature(of: body).first)
            let head = """
                POST /unified/webhook HTTP/1.1\r
                Host: x\r
                Connection: close\r
                \(signature.name.rawName): \(signature.value)\r
                Content-Length: \(body.count)\r\n\r\n
                """
            let request = Array(head.utf8) + body

            // One after the other they would outlast what an idle connection is kept for, where the tests are slow.
            let peers = try await withThrowingTaskGroup(of: RawConnection.self) { group in
                for _ in 0..<2000 { group.addTask { try await RawConnection.open(server) } }
                return try await group.reduce(into: [RawConnection]()) { $0.append($1) }
            }
            await withTaskGroup(of: Void.self) { group in
                for peer in peers { group.addTask { await peer.send(request) } }
            }
            for peer in peers {
                #expect(try await peer.outcome(within: .seconds(60)) == 200, "\(peer.text)")
            }
            try await until("all connections are closed") { peers.allSatisfy(\.isClosed) }

            #expect(peers.count { $0.text.contains(#""accepted""#) } == 1)
            #expect(peers.count { $0.text.contains(#""duplicate""#) } == 1999)
            for peer in peers { await peer.close() }
            #expect(try await shop.inbox().count == 1)
            #expect(!process.hasEnded)
            #expect(try Self.resident(server) < Self.memoryMost)
        }
    }
}

/// Lets this process, and the servers that it starts from now on, have that many files open.
private func raiseFileLimit(to count: rlim_t) throws {
    let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(files, &limit) == 0 else { throw Overdue(description: "no limit of files: \(errno)") }
    if limit.rlim_cur >= count { return }
    limit.rlim_cur = min(count, limit.rlim_max)
    guard setrlimit(files, &limit) == 0, limit.rlim_cur == count else {
        throw Overdue(description: "this test needs \(count) open files; the system allows \(limit.rlim_max)")
    }
}
