import NIOCore

/// One connection of a run: one request in flight, the next one written as soon as the run says so.
final class LoadLane: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Which request is in flight and when its latency began.
    private(set) var number = 0
    private(set) var startedAt: Int64 = 0

    private let run: LoadRun
    private let requests: any RequestSource
    private var request: ByteBuffer
    private var unfinished: ByteBuffer?
    private var context: ChannelHandlerContext?
    private var isClosing = false

    init(run: LoadRun, requests: any RequestSource) {
        self.run = run
        self.requests = requests
        request = ByteBufferAllocator().buffer(capacity: requests.length)
    }

    func send(_ number: Int, startedAt: Int64) {
        self.number = number
        self.startedAt = startedAt
        requests.write(number, into: &request)
        guard let context else { return }
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func close() {
        isClosing = true
        context?.close(promise: nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        run.becameReady(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var answer = unwrapInboundIn(data)
        if var earlier = unfinished {
            earlier.writeBuffer(&answer)
            answer = earlier
            unfinished = nil
        }
        switch answer.withUnsafeReadableBytes(HTTPFrame.scan) {
        case .incomplete: unfinished = answer
        case .malformed: run.fail(BenchError("an answer that the driver can't read"))
        case .frame(let frame): run.answered(self, status: frame.status)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        if !isClosing { run.fail(BenchError("the server closed a connection")) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { run.fail(error) }
}
