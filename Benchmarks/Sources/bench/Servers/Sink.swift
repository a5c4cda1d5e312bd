import Crypto
import NIOCore
import NIOPosix
import Synchronization

/// The endpoint of all subscriptions: answers 200 to whatever is posted to it.
final class Sink: Sendable {
    /// Sees each delivery on the sink's loop: head, body, time in nanoseconds.
    typealias Observer = @Sendable (UnsafeRawBufferPointer, UnsafeRawBufferPointer, Int64) -> Void

    let port: Int
    var url: String { "http://127.0.0.1:\(port)/deliveries" }
    var received: Int { counters.received.load(ordering: .relaxed) }

    private let channel: any Channel
    private let counters: Counters

    final class Counters: Sendable {
        let received = Atomic<Int>(0)
        let heldForMilliseconds = Atomic<Int64>(0)
    }

    init(on group: any EventLoopGroup, observer: Observer? = nil) async throws {
        let counters = Counters()
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SinkLane(counters: counters, observer: observer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.counters = counters
        port = channel.localAddress?.port ?? 0
    }

    /// Makes every answer wait, so that deliveries pile up in the server; zero lets them flow.
    func hold(_ milliseconds: Int64) { counters.heldForMilliseconds.store(milliseconds, ordering: .relaxed) }

    func stop() async throws { try await channel.close().get() }

    /// Whether a delivery carries the signature that its subscription's secret makes.
    static func isSigned(head: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer, secret: String) -> Bool {
        guard let given = HTTPFrame.field("synq-signature:", in: head) else { return false }
        let key = SymmetricKey(data: Array(secret.utf8))
        let digits = Array("0123456789abcdef".utf8)
        let made = HMAC<SHA256>.authenticationCode(for: Array(body), using: key)
            .flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return given == String(decoding: made, as: UTF8.self)
    }
}

private final class SinkLane: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let counters: Sink.Counters
    private let observer: Sink.Observer?
    private var unfinished: ByteBuffer?
    private let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    init(counters: Sink.Counters, observer: Sink.Observer?) {
        self.counters = counters
        self.observer = observer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        if var earlier = unfinished {
            earlier.writeBuffer(&input)
            input = earlier
            unfinished = nil
        }
        while input.readableBytes > 0 {
            switch input.withUnsafeReadableBytes(HTTPFrame.scan) {
            case .incomplete:
                unfinished = input
                return
            case .malformed:
                context.close(promise: nil)
                return
            case .frame(let frame):
                take(frame, of: input, context: context)
                input.moveReaderIndex(forwardBy: frame.length)
            }
        }
    }

    private func take(_ frame: HTTPFrame, of input: ByteBuffer, context: ChannelHandlerContext) {
        if let observer {
            input.withUnsafeReadableBytes { bytes in
                let head = UnsafeRawBufferPointer(rebasing: bytes[..<frame.headLength])
                let body = UnsafeRawBufferPointer(rebasing: bytes[frame.headLength..<frame.length])
                observer(head, body, LoadRun.now())
            }
        }
        counters.received.add(1, ordering: .relaxed)
        let held = counters.heldForMilliseconds.load(ordering: .relaxed)
        if held == 0 {
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        } else {
            waitForRelease(context: NIOLoopBound(context, eventLoop: context.eventLoop), atMost: held)
        }
    }

    /// Looks every 50 ms whether the hold is over, so that a release is felt at once.
    private func waitForRelease(context: NIOLoopBound<ChannelHandlerContext>, atMost left: Int64) {
        let counters = counters
        let answer = answer
        @Sendable func look(_ left: Int64) {
            if left <= 0 || counters.heldForMilliseconds.load(ordering: .relaxed) == 0 {
                if context.value.channel.isActive {
                    context.value.writeAndFlush(NIOAny(answer), promise: nil)
                }
            } else {
                context.value.eventLoop.scheduleTask(in: .milliseconds(50)) { look(left - 50) }
            }
        }
        look(left)
    }
}
