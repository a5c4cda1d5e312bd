#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

/// The socket behind a receiver, straight on NIO's channels: a server of async sequences may be in the middle of
/// accepting a connection when a test ends, and NIO then ends the whole process.
final class ReceiverServer: Sendable {
    /// What a request is answered with.
    struct Reply: Sendable {
        var status: Int
        var headers: HTTPFields = [:]
        var body: [UInt8] = []
        /// Whether the connection is closed instead of an answer, so that the caller sees a reset.
        var isReset = false
    }

    typealias Taker = @Sendable (ReceivedDelivery) async -> Reply

    private let channel: any Channel
    private let peers: Peers

    /// Connections that are open, so that they can be closed with the server.
    private final class Peers: Sendable {
        private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

        func add(_ channel: any Channel) { channels.withLock { $0[ObjectIdentifier(channel)] = channel } }
        func remove(_ channel: any Channel) { channels.withLock { $0[ObjectIdentifier(channel)] = nil } }
        var all: [any Channel] { channels.withLock { Array($0.values) } }
    }

    private init(_ channel: any Channel, _ peers: Peers) {
        self.channel = channel
        self.peers = peers
    }

    private var port: Int { channel.localAddress?.port ?? 0 }

    /// Listens on a free port, and answers each request with what `take` gives, while the body runs.
    ///
    /// - Parameter certificate: under which it speaks TLS; nil for plain text.
    static func run<T>(
        certificate: TestCertificate? = nil, _ take: @escaping Taker, _ body: (_ port: Int) async throws -> T
    ) async throws -> T {
        let server = try await open(certificate: certificate, take)
        let result: Result<T, any Error>
        do { result = .success(try await body(server.port)) } catch { result = .failure(error) }
        await server.close()
        return try result.get()
    }

    private static func open(
        certificate: TestCertificate?, _ take: @escaping Taker
    ) async throws -> ReceiverServer {
        let peers = Peers()
        let tls = try certificate.map { try NIOSSLContext(configuration: $0.serverConfiguration()) }
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                peers.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(Handler(take, closed: { peers.remove($0) }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ReceiverServer(channel, peers)
    }

    /// Stops listening and closes what is open.
    private func close() async {
        try? await channel.close()
        for peer in peers.all { try? await peer.close() }
    }

    /// One connection: collects a request, asks for the reply, answers.
    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let take: Taker
        private let closed: @Sendable (any Channel) -> Void
        private var headers = HTTPFields()
        private var body: [UInt8] = []

        init(_ take: @escaping Taker, closed: @escaping @Sendable (any Channel) -> Void) {
            self.take = take
            self.closed = closed
        }

        func channelInactive(context: ChannelHandlerContext) { closed(context.channel) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                headers = HTTPFields()
                body = []
                for (name, value) in head.headers {
                    if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
                }
            case .body(let part): body += part.readableBytesView
            case .end:
                Self.answer(ReceivedDelivery(headers: headers, body: body), take, on: context.channel)
            }
        }

        private static func answer(_ delivery: ReceivedDelivery, _ take: @escaping Taker, on channel: any Channel) {
            Task { answer(await take(delivery), on: channel) }
        }

        private static func answer(_ reply: Reply, on channel: any Channel) {
            if reply.isReset {
                // To linger for no time is to drop the connection with a reset.
                let option = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                option?.whenComplete { _ in channel.close(promise: nil) }
                return
            }
            var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: reply.status))
            for field in reply.headers { head.headers.add(name: field.name.rawName, value: field.value) }
            if reply.status != 204 { head.headers.add(name: "Content-Length", value: String(reply.body.count)) }
            channel.write(HTTPServerResponsePart.head(head), promise: nil)
            if !reply.body.isEmpty {
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: reply.body))), promise: nil)
            }
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }
}
