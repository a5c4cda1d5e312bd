import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What bare client loops can do against the sink that deliveries went to, with the very same bytes.
struct SinkFloor {
    let lab: Lab
    let sink: Sink
    let sample: SampleDelivery
    let group: MultiThreadedEventLoopGroup

    private var seconds: Double { min(lab.seconds, 5) }

    /// Posts a second by NIOHTTP1's handlers alone.
    func bareLoop() async throws -> Double {
        let (headers, body) = try sample.parts()
        return try await PostLoop(
            port: sink.port, path: "/deliveries", headers: headers, body: body, connections: lab.options.connections,
            seconds: seconds, on: group.next()
        ).run()
    }

    /// Posts a second by AsyncHTTPClient.
    func clientLoop() async throws -> Double {
        let (headers, body) = try sample.parts()
        var request = HTTPClientRequest(url: sink.url)
        request.method = .POST
        request.headers = headers
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await clientLoop(request)
    }

    private func clientLoop(_ request: HTTPClientRequest) async throws -> Double {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = lab.options.connections
        let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let (seconds, connections) = (seconds, lab.options.connections)
        let began = LoadRun.now()
        let end = began + Int64((seconds + 1) * 1e9)
        do {
            let sent = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<connections {
                    group.addTask {
                        var sent = 0
                        while true {
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
