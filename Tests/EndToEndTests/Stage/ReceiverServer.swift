import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// The socket behind a receiver, straight on NIO's channels: a server of async sequences may be in the middle of
/// accepting a connection when a test ends, and NIO then ends the whole process.
final class ReceiverServer: Sendable {
    typealias Taker = @Sendable (ReceivedDelivery) async -> Reply

    /// What a receiver says to a delivery.
    struct Reply: Sendable {
        let status: Int
        var body = ""
    }

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

    var port: Int { channel.localAddress?.port ?? 0 }

    /// Listens on a free port and answers each request with what `take` gives.
    static func open(_ take: @escaping Taker) async throws -> ReceiverServer {
        let peers = Peers()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelInitializer { channel in
                peers.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(Handler(take, closed: { peers.remove($0) }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ReceiverServer(channel, peers)
    }

    /// Stops listening and closes what is open.
    func close() async {
        try? await channel.close()
        for peer in peers.all { try? await peer.close() }
    }

    /// One connection: collects a request, asks what to say, answers.
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
            let status = HTTPResponseStatus(statusCode: reply.status)
            var head = HTTPResponseHead(version: .http1_1, status: status)
            if reply.status != 204 { head.headers.add(name: "Content-Length", value: "\(reply.body.utf8.count)") }
            channel.write(HTTPServerResponsePart.head(head), promise: nil)
            if !reply.body.isEmpty {
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: reply.body))), promise: nil)
            }
            channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
        }
    }
}
