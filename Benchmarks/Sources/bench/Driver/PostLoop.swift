import NIOCore
import NIOHTTP1
import NIOPosix

/// A bare NIOHTTP1 client: some connections of one loop, spread over the hosts, each posting the same request again as
/// soon as it is answered.
///
/// Every field is touched on that loop only, which is also why it may cross tasks.
final class PostLoop: @unchecked Sendable {
    private let hosts: [String]
    private let port: Int
    private let connections: Int
    private let seconds: Double
    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let loop: any EventLoop
    private let finished: EventLoopPromise<Double>
    private var channels: [any Channel] = []
    private var answered = 0
    private var isOver = false

    init(
        hosts: [String], port: Int, path: String, headers: HTTPHeaders, body: [UInt8], connections: Int,
        seconds: Double, on loop: any EventLoop
    ) {
        self.hosts = hosts
        self.port = port
        self.connections = connections
        self.seconds = seconds
        self.loop = loop
        self.body = ByteBuffer(bytes: body)
        var headers = headers
        headers.replaceOrAdd(name: "host", value: "\(hosts[0]):\(port)")
        headers.replaceOrAdd(name: "content-length", value: "\(body.count)")
        head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        finished = loop.makePromise()
    }

    /// Answers a second, after a second of warming up.
    func run() async throws -> Double {
        let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                self.channels.append(channel)
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(PostLane(loop: self))
            }
        }
        for number in 0..<connections {
            bootstrap.connect(host: hosts[number % hosts.count], port: port).whenFailure { self.end(.failure($0)) }
        }
        loop.scheduleTask(in: .seconds(1)) {
            let before = self.answered
            self.loop.scheduleTask(in: .nanoseconds(Int64(self.seconds * 1e9))) {
                self.end(.success(Double(self.answered - before) / self.seconds))
            }
        }
        return try await finished.futureResult.get()
    }

    fileprivate func post(_ context: ChannelHandlerContext) {
        context.write(NIOAny(HTTPClientRequestPart.head(head)), promise: nil)
        context.write(NIOAny(HTTPClientRequestPart.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(NIOAny(HTTPClientRequestPart.end(nil)), promise: nil)
    }

    fileprivate func answered(_ context: ChannelHandlerContext) {
        answered += 1
        if !isOver { post(context) }
    }

    fileprivate func end(_ result: Result<Double, any Error>) {
        guard !isOver else { return }
        isOver = true
        for channel in channels { channel.close(promise: nil) }
        finished.completeWith(result)
    }
}

private final class PostLane: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let loop: PostLoop

    init(loop: PostLoop) { self.loop = loop }

    func channelActive(context: ChannelHandlerContext) { loop.post(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) { loop.answered(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        loop.end(.failure(BenchError("the sink closed a connection")))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { loop.end(.failure(error)) }
}
