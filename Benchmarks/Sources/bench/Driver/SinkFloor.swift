import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What bare client loops can do against the sink that deliveries went to, with the very same bytes.
///
/// They post to all of its endpoints in turn, as deliveries did: a client that has one host to call has one pool of
/// connections to look after, and the same few sockets ready over and over.
struct SinkFloor {
    let lab: Lab
    let sink: Sink
    /// The first so many of the sink's endpoints.
    let endpoints: Int
    let sample: SampleDelivery
    let group: MultiThreadedEventLoopGroup

    private var seconds: Double { min(lab.seconds, 5) }

    /// Posts a second by NIOHTTP1's handlers alone. Each endpoint has a connection at least.
    func bareLoop() async throws -> Double {
        let (headers, body) = try sample.parts()
        return try await PostLoop(
            hosts: (0..<endpoints).map(Sink.host), port: sink.port, path: "/deliveries", headers: headers, body: body,
            connections: max(lab.options.connections, endpoints), seconds: seconds, on: group.next()
        ).run()
    }

    /// Posts a second by AsyncHTTPClient, whose callers go from one endpoint to the next.
    func clientLoop() async throws -> Double {
        let (headers, body) = try sample.parts()
        let requests = (0..<endpoints).map { endpoint in
            var request = HTTPClientRequest(url: sink.url(of: endpoint))
            request.method = .POST
            request.headers = headers
            request.body = .bytes(ByteBuffer(bytes: body))
            return request
        }
        return try await clientLoop(requests)
    }

    private func clientLoop(_ requests: [HTTPClientRequest]) async throws -> Double {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = lab.options.connections
        let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let (seconds, connections) = (seconds, lab.options.connections)
        let began = LoadRun.now()
        let end = began + Int64((seconds + 1) * 1e9)
        do {
            let sent = try await withThrowingTaskGroup(of: Int.self) { group in
                for caller in 0..<connections {
                    group.addTask {
                        var (sent, turn) = (0, caller)
                        while true {
                            let request = requests[turn % requests.count]
                            turn += connections
                            let response = try await client.execute(request, timeout: .seconds(10))
                            _ = try await response.body.collect(upTo: 1 << 16)
                            let now = LoadRun.now()
                            if now >= end { return sent }
                            if now >= began + 1_000_000_000 { sent += 1 }
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            try await client.shutdown()
            return Double(sent) / seconds
        } catch {
            try await client.shutdown()
            throw error
        }
    }
}

/// The first delivery that came, so that the bare loops can post the very same bytes and fields.
final class SampleDelivery: Sendable {
    private let kept = Mutex<(head: [UInt8], body: [UInt8])?>(nil)

    func keepFirst(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
        kept.withLock { kept in
            if kept == nil { kept = (Array(head), Array(body)) }
        }
    }

    /// Its fields, but for those that tell of host, length and connection, and its body.
    func parts() throws -> (headers: HTTPHeaders, body: [UInt8]) {
        guard let (head, body) = kept.withLock({ $0 }) else { throw BenchError("no delivery came") }
        var headers = HTTPHeaders()
        for line in String(decoding: head, as: UTF8.self).split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            if name == "host" || name == "content-length" || name == "connection" { continue }
            headers.add(name: name, value: String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        return (headers, body)
    }
}
