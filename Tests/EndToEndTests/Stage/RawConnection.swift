import Kernel
import NIOCore
import NIOPosix
import Synchronization

/// A bare TCP connection, for what no HTTP client would send.
final class RawConnection: Sendable {
    private struct State {
        var received: [UInt8] = []
        var isClosed = false
    }

    /// Keeps what comes in; everything happens on the channel's loop, and tests look from outside.
    private final class Keeper: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let connection: RawConnection

        init(_ connection: RawConnection) { self.connection = connection }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).readableBytesView)
            connection.state.withLock { $0.received += bytes }
        }

        func channelInactive(context: ChannelHandlerContext) {
            connection.state.withLock { $0.isClosed = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)

    private init() {}

    static func open(_ server: TestServer) async throws -> RawConnection {
        let connection = RawConnection()
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(60))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Keeper(connection))
                }
            }
            .connect(host: "127.0.0.1", port: server.port).get()
        connection.channel.withLock { $0 = channel }
        return connection
    }

    /// What the server has said so far.
    var text: String { String(decoding: state.withLock { $0.received }, as: UTF8.self) }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The status of the first answer; nil while there is none.
    var status: Int? {
        let line = text.prefix { $0 != "\r\n" && $0 != "\n" }
        let words = line.split(separator: " ")
        return words.count >= 2 && words[0].hasPrefix("HTTP/1.") ? Int(words[1]) : nil
    }

    /// Writes and does not care whether anybody is left to read it.
    func send(_ bytes: some Sequence<UInt8>) async {
        guard let channel = channel.withLock({ $0 }) else { return }
        try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ text: String) async { await send(Array(text.utf8)) }

    /// Writes each byte by itself once the one before it has gone. All of it happens on the channel's loop: the server
    /// gives a body its time, and a task that waits for each byte needs the longer the more tests run.
    func send(oneByOne bytes: [UInt8]) async {
        guard let channel = channel.withLock({ $0 }) else { return }
        try? await Self.write(bytes[...], to: channel).get()
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to channel: any Channel) -> EventLoopFuture<Void> {
        guard let byte = bytes.first else { return channel.eventLoop.makeSucceededVoidFuture() }
        return channel.writeAndFlush(ByteBuffer(bytes: [byte])).flatMap { write(bytes.dropFirst(), to: channel) }
    }

    /// Says that nothing more will come, and goes on reading.
    func finish() async {
        guard let channel = channel.withLock({ $0 }) else { return }
        try? await channel.close(mode: .output)
    }

    func close() async {
        guard let channel = channel.withLock({ $0 }) else { return }
        try? await channel.close()
    }

    /// Waits for an answer or for the end of the connection; nil when it ended without one.
    func outcome(within limit: Duration = .seconds(30)) async throws -> Int? {
        try await until("the server answers or closes", within: limit, every: .milliseconds(20)) {
            status != nil || isClosed
        }
        return status
    }
}
