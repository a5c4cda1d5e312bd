#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import NIOCore
import NIOPosix
import Synchronization

/// A server on a free loopback port that answers each request with bytes a test chose, HTTP or not.
final class RawServer: Sendable {
    enum Reply: Sendable {
        /// Head and body as they go on the wire.
        case text(String)
        /// A head with the body's length, then the body.
        case body(bytes: Int)
        /// Some bytes, after which nothing more comes.
        case textThenSilence(String)
        case silence
        case close
        /// Closes so that the peer sees a reset and not an end.
        case reset

        static let noContent = Reply.text("HTTP/1.1 204 No Content\r\n\r\n")
    }

    private struct Seen {
        var requests: [String] = []
        var connections: [any Channel] = []
        var requestsContinuation: AsyncStream<String>.Continuation?
    }

    private let seen = Mutex(Seen())
    private let reply: @Sendable (String) -> Reply

    private init(reply: @escaping @Sendable (String) -> Reply) {
        self.reply = reply
    }

    /// Every whole request so far, in the order of arrival.
    var requests: [String] { seen.withLock { $0.requests } }
    var connectionsCount: Int { seen.withLock { $0.connections.count } }

    /// The requests from now on, as they arrive.
    func arrivals() -> AsyncStream<String> {
        AsyncStream { continuation in seen.withLock { $0.requestsContinuation = continuation } }
    }

    /// Runs a server for the time of `body`, which gets its port. A greeting is sent before anything is asked.
    static func run(
        greeting: String? = nil,
        reply: @escaping @Sendable (String) -> Reply = { _ in .noContent },
        _ body: (RawServer, Int) async throws -> Void
    ) async throws {
        let server = RawServer(reply: reply)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                server.seen.withLock { $0.connections.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RawHandler(server: server, greeting: greeting))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(server, listener.localAddress?.port ?? 0))
        } catch {
            result = .failure(error)
        }
        try await listener.close()
        for connection in server.seen.withLock({ $0.connections }) { connection.close(promise: nil) }
        try result.get()
    }

    fileprivate func take(_ request: String, on channel: any Channel) {
        seen.withLock { seen in
            seen.requests.append(request)
            seen.requestsContinuation?.yield(request)
        }
        switch reply(request) {
        case .text(let text), .textThenSilence(let text):
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        case .body(let bytes):
            channel.write(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n"), promise: nil)
            channel.writeAndFlush(ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes), promise: nil)
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
private final class RawHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: RawServer
    private let greeting: String?
    private var pending = ""

    init(server: RawServer, greeting: String?) {
        self.server = server
        self.greeting = greeting
    }

    func channelActive(context: ChannelHandlerContext) {
        if let greeting { context.channel.writeAndFlush(ByteBuffer(string: greeting), promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += String(buffer: unwrapInboundIn(data))
        while let head = pending.firstRange(of: "\r\n\r\n") {
            let lengthLine = pending[..<head.lowerBound].split(separator: "\r\n")
                .first { $0.lowercased().hasPrefix("content-length:") }
            let length = lengthLine.flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
            guard pending[head.upperBound...].utf8.count >= length else { return }
            let end = pending.utf8.index(head.upperBound, offsetBy: length)
            let request = String(pending[..<end])
            pending = String(pending[end...])
            server.take(request, on: context.channel)
        }
    }
}
