#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// A server on a free loopback port that does with each request what a test wants, by TLS or without.
final class TestPeer: Sendable {
    enum Reply: Sendable {
        /// Head and body as they go on the wire.
        case text(String)
        /// A head with the body's length, then the body.
        case body(bytes: Int)
        /// Byte by byte, each a millisecond after the one before.
        case trickle(String)
        case textThenClose(String)
        case silence
        case close
        /// Closes so that the peer sees a reset and not an end.
        case reset

        static let noContent = Reply.text("HTTP/1.1 204 No Content\r\n\r\n")
        static let ok = Reply.text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }

    struct Request: Sendable {
        /// The whole request, or its head alone from a peer that answers heads.
        let text: String
        /// Counted from 1.
        let connection: Int
        let numberInConnection: Int

        var path: Substring { text.split(separator: " ", maxSplits: 2).dropFirst().first ?? "" }
    }

    private struct Seen {
        var requests: [Request] = []
        var connections: [any Channel] = []
        var open = 0
        var watcher: AsyncStream<Void>.Continuation?
    }

    let port: Int
    private let seen: Mutex<Seen>
    private let reply: @Sendable (Request) -> Reply

    private init(port: Int, reply: @escaping @Sendable (Request) -> Reply) {
        self.port = port
        self.reply = reply
        seen = Mutex(Seen())
    }

    var url: String { "http://127.0.0.1:\(port)/" }
    var requests: [Request] { seen.withLock { $0.requests } }
    var connectionsCount: Int { seen.withLock { $0.connections.count } }
    var openCount: Int { seen.withLock { $0.open } }

    /// Returns once the condition holds of the peer; it is looked at after each request, opening and closing.
    func wait(until condition: @Sendable (TestPeer) -> Bool) async {
        let changes = AsyncStream<Void>(bufferingPolicy: .bufferingNewest(1)) { continuation in
            seen.withLock { $0.watcher = continuation }
        }
        if condition(self) { return }
        for await _ in changes where condition(self) { return }
    }

    /// Closes all its connections, as a server does with idle ones.
    func closeConnections() {
        for connection in seen.withLock({ $0.connections }) { connection.close(promise: nil) }
    }

    /// Runs a peer for the time of `body`.
    ///
    /// - Parameters:
    ///   - greeting: sent before anything is asked.
    ///   - answersHeads: whether a request is answered before its body is read.
    static func run(
        certificate: TestCertificate? = nil, greeting: String? = nil, answersHeads: Bool = false,
        reply: @escaping @Sendable (Request) -> Reply = { _ in .noContent },
        _ body: (TestPeer) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let tls = try certificate.map { try NIOSSLContext(configuration: $0.serverConfiguration()) }
        let late = Mutex<TestPeer?>(nil)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let peer = late.withLock({ $0 }) else { throw ChannelError.inappropriateOperationForState }
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    let number = peer.opened(channel)
                    try channel.pipeline.syncOperations.addHandler(
                        PeerHandler(peer: peer, number: number, greeting: greeting, answersHeads: answersHeads))
                }
            }
            .childChannelOption(.autoRead, value: true)
            .bind(to: SocketAddress(ipAddress: "127.0.0.1", port: 0)).get()
        let peer = TestPeer(port: listener.localAddress?.port ?? 0, reply: reply)
        late.withLock { $0 = peer }
        let result: Result<Void, any Error>
        do { result = .success(try await body(peer)) } catch { result = .failure(error) }
        late.withLock { $0 = nil }
        try await listener.close()
        peer.closeConnections()
        try result.get()
    }

    private func opened(_ channel: any Channel) -> Int {
        channel.closeFuture.whenComplete { _ in self.change { $0.open -= 1 } }
        return change { seen in
            seen.connections.append(channel)
            seen.open += 1
            return seen.connections.count
        }
    }

    @discardableResult
    private func change<T: Sendable>(_ body: (inout sending Seen) -> sending T) -> T {
        let (result, watcher) = seen.withLock { seen in (body(&seen), seen.watcher) }
        watcher?.yield()
        return result
    }

    fileprivate func take(_ request: Request, on channel: any Channel) {
        let reply = reply(request)
        if case .textThenClose(let text) = reply {
            channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
        } else {
            act(reply, on: channel)
        }
        change { $0.requests.append(request) }
    }

    private func act(_ reply: Reply, on channel: any Channel) {
        switch reply {
        case .text(let text), .textThenClose(let text):
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        case .body(let bytes):
            channel.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n"), promise: nil)
            channel.writeAndFlush(ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes), promise: nil)
        case .trickle(let text):
            for (number, byte) in text.utf8.enumerated() {
                channel.eventLoop.scheduleTask(in: .milliseconds(Int64(number))) {
                    channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil)
                }
            }
        case .silence:
            break
        case .close:
            channel.close(promise: nil)
        case .reset:
            // To linger for no time is to drop the connection with a reset.
            let option = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            option?.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}

/// Cuts the incoming bytes into requests by their `Content-Length`.
private final class PeerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let peer: TestPeer
    private let number: Int
    private let greeting: String?
    private let answersHeads: Bool
    private var pending = ""
    private var bodyLeft = 0
    private var count = 0

    init(peer: TestPeer, number: Int, greeting: String?, answersHeads: Bool) {
        self.peer = peer
        self.number = number
        self.greeting = greeting
        self.answersHeads = answersHeads
    }

    func channelActive(context: ChannelHandlerContext) {
        if let greeting { context.channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += String(buffer: unwrapInboundIn(data))
        while let head = pending.firstRange(of: "\r\n\r\n") {
            let lengthLine = pending[..<head.lowerBound].split(separator: "\r\n")
                .first { $0.lowercased().hasPrefix("content-length:") }
            let length = lengthLine.flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
            if answersHeads, length > 0 {
                // What follows is never read: the window fills, and the client is left with its unsent body.
                context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
                return take(String(pending[..<head.upperBound]), context)
            }
            guard pending[head.upperBound...].utf8.count >= length else { return }
            let end = pending.utf8.index(head.upperBound, offsetBy: length)
            let request = String(pending[..<end])
            pending = String(pending[end...])
            take(request, context)
        }
    }

    private func take(_ text: String, _ context: ChannelHandlerContext) {
        count += 1
        peer.take(.init(text: text, connection: number, numberInConnection: count), on: context.channel)
    }
}
