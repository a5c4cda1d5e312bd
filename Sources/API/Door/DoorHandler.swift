import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Takes the door's requests out of a connection's stream and answers them; everything else goes on to the router.
final class DoorHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The request that is being read or answered.
    private struct Visit {
        let call: DoorCall
        let head: HTTPRequest
        let start: NIODeadline
        var body: [UInt8] = []
        var ticket: UInt64?
    }

    /// Parts of later requests that may wait in memory; beyond that the socket is not read.
    private static let heldMost = 64

    private let shared: Door
    private var turn = DoorTurn()
    private var visit: Visit?
    private var held: [HTTPRequestPart] = []
    private var isReadHeld = false
    /// The peer said that it sends no more, while its request had no answer yet.
    private var heldEvents: [Any] = []

    init(_ shared: Door) { self.shared = shared }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data), context) }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            // Asked for only where it may be taken: it reads the path, and counts the caller's calls. The channel knows
            // its peer, where the context would ask the system.
            let call = turn.isFree ? shared.call(of: head, from: context.channel.remoteAddress) : nil
            let action = turn.head(isTaken: call != nil)
            if action == .collect, let call {
                visit = Visit(call: call, head: head, start: .now())
            } else {
                go(action, part, context)
            }
        case .body(let buffer):
            let action = turn.body()
            guard action == .collect else { return go(action, part, context) }
            visit?.body.append(contentsOf: buffer.readableBytesView)
        case .end:
            let action = turn.end()
            if action == .take { hand(context) } else { go(action, part, context) }
        }
    }

    private func go(_ action: DoorTurn.Action, _ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if action == .hold { held.append(part) } else { context.fireChannelRead(wrapInboundOut(part)) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Only bodies that did not come whole with their heads are watched.
        if turn.isCollecting, visit?.ticket == nil { visit?.ticket = shared.watch?.begin(context.channel) }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if turn.isAnswering, held.count >= Self.heldMost { isReadHeld = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The router ends a connection whose peer sends no more: not before the request is answered.
        if turn.isAnswering, case ChannelEvent.inputClosed? = event as? ChannelEvent {
            heldEvents.append(event)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard turn.isCollecting else { return context.fireErrorCaught(error) }
        // The body took too long, or ended before its announced length.
        turn.breakOff()
        finish(.failure(BodyReader.problem(of: error)), context, closing: true)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endWatch()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { endWatch() }

    private func endWatch() {
        if let ticket = visit?.ticket { shared.watch?.end(ticket) }
        visit?.ticket = nil
    }

    // MARK: Answering

    private func hand(_ context: ChannelHandlerContext) {
        endWatch()
        guard let visit else { return }
        let mailbox = shared.mailbox(of: context.eventLoop)
        let place = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        visit.call.take(visit.body, mailbox.post) { result in
            place.value.handler.finish(result, place.value.context, closing: false)
        }
    }

    private func finish(
        _ result: Result<JSONResponse, any Error>, _ context: ChannelHandlerContext, closing: Bool
    ) {
        endWatch()
        guard let visit else { return }
        self.visit = nil
        var (head, body) = shared.answer(result, to: visit.head, visit.call, since: visit.start)
        let isLast = closing || visit.head.headerFields[.connection]?.lowercased() == "close"
        if isLast { head.headerFields[.connection] = "close" }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
        if isLast {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            context.close(promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        turn.answered()
        resume(context)
    }

    /// Goes through what was held, until the next request of the door among it.
    private func resume(_ context: ChannelHandlerContext) {
        if !held.isEmpty {
            let parts = held
            held = []
            for part in parts { take(part, context) }
            context.fireChannelReadComplete()
        }
        if turn.isAnswering { return }
        let events = heldEvents
        heldEvents = []
        for event in events { context.fireUserInboundEventTriggered(event) }
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { turn.routerAnswered() }
        context.write(data, promise: promise)
    }
}
