import Crypto
import NIOCore
import NIOPosix
import Synchronization

/// The endpoint of all subscriptions, or many of them: answers 200 to whatever is posted to it.
final class Sink: Sendable {
    /// Sees each delivery on the sink's loop: head, body, and when its first byte came, in nanoseconds.
    typealias Observer = @Sendable (UnsafeRawBufferPointer, UnsafeRawBufferPointer, Int64) -> Void

    let port: Int
    var url: String { url(of: 0) }
    var received: Int { counters.received.load(ordering: .relaxed) }
    /// Deliveries that are not answered yet, and the most that there were of them.
    var holding: Int { counters.holding.load(ordering: .relaxed) }
    var heldMost: Int { counters.heldMost.load(ordering: .relaxed) }

    private let channels: [any Channel]
    private let counters: Counters

    final class Counters: Sendable {
        let received = Atomic<Int>(0)
        let holding = Atomic<Int>(0)
        let heldMost = Atomic<Int>(0)
        let heldForMilliseconds = Atomic<Int64>(0)
    }

    /// - Parameter endpoints: so many loopback addresses are listened on, at one port: a client takes them for hosts.
    init(on group: any EventLoopGroup, endpoints: Int = 1, observer: Observer? = nil) async throws {
        let counters = Counters()
        let bootstrap = ServerBootstrap(group: group)
            // Ten thousand calls may come at once.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SinkLane(counters: counters, observer: observer))
                }
            }
        let first = try await bootstrap.bind(host: Self.host(of: 0), port: 0).get()
        port = first.localAddress?.port ?? 0
        var channels = [first]
        for number in 1..<max(1, endpoints) {
            channels.append(try await bootstrap.bind(host: Self.host(of: number), port: port).get())
        }
        self.channels = channels
        self.counters = counters
    }

    /// The address of one of its endpoints.
    func url(of endpoint: Int) -> String { "http://\(Self.host(of: endpoint)):\(port)/deliveries" }

    static func host(of endpoint: Int) -> String {
        endpoint == 0 ? "127.0.0.1" : "127.1.\(endpoint / 250).\(endpoint % 250 + 1)"
    }

    /// Makes every answer wait, so that deliveries pile up in the server; zero lets them flow.
    func hold(_ milliseconds: Int64) { counters.heldForMilliseconds.store(milliseconds, ordering: .relaxed) }

    func stop() async throws { for channel in channels { try await channel.close().get() } }

    /// Deliveries a second between the first and the last tenth of `count` that come after the first `start` ones;
    /// returns when all have come.
    func rate(of count: Int, after start: Int) async throws -> Double {
        let first = try await moment(when: start + count / 10)
        let last = try await moment(when: start + count / 10 * 9)
        _ = try await moment(when: start + count)
        return Double(last.count - first.count) * 1e9 / Double(max(1, last.at - first.at))
    }

    /// When that many had come, and how many they were when it was seen.
    func moment(when received: Int) async throws -> (count: Int, at: Int64) {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let count = self.received
            if count >= received { return (count, LoadRun.now()) }
            if ContinuousClock.now > deadline {
                throw BenchError("\(received - count) deliveries did not come in two minutes")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

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
    private var beganAt: Int64 = 0
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
        } else if observer != nil {
            beganAt = LoadRun.now()
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
                observer(head, body, beganAt)
            }
        }
        counters.received.add(1, ordering: .relaxed)
        let held = counters.heldForMilliseconds.load(ordering: .relaxed)
        if held == 0 {
            context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        } else {
            let holding = counters.holding.add(1, ordering: .relaxed).newValue
            counters.heldMost.max(holding, ordering: .relaxed)
            waitForRelease(context: NIOLoopBound(context, eventLoop: context.eventLoop), atMost: held)
        }
    }

    /// Looks every 50 ms whether the hold is over, so that a release is felt at once; where thousands are held, twice a
    /// second, or looking would be all that is done. A caller that has gone away is held no longer.
    private func waitForRelease(context: NIOLoopBound<ChannelHandlerContext>, atMost left: Int64) {
        let counters = counters
        let answer = answer
        @Sendable func look(_ left: Int64) {
            let isOpen = context.value.channel.isActive
            if !isOpen || left <= 0 || counters.heldForMilliseconds.load(ordering: .relaxed) == 0 {
                counters.holding.subtract(1, ordering: .relaxed)
                if isOpen { context.value.writeAndFlush(NIOAny(answer), promise: nil) }
            } else {
                let step: Int64 = counters.holding.load(ordering: .relaxed) < 1_000 ? 50 : 500
                context.value.eventLoop.scheduleTask(in: .milliseconds(min(step, left))) { look(left - step) }
            }
        }
        look(left)
    }
}
