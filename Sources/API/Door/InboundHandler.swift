import Hummingbird
import HTTPTypes
import Integrations
import NIOCore
import NIOHTTPTypes

/// Takes deliveries out of a connection's stream of requests and answers them; everything else goes on to the router.
final class InboundHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The delivery that is being read or answered.
    private struct Delivery {
        let door: Intake.Door
        let head: HTTPRequest
        let start: NIODeadline
        var body: [UInt8] = []
        var ticket: UInt64?
    }

    /// Parts of later requests that may wait in memory; beyond that the socket is not read.
    private static let heldMost = 64

    private let shared: InboundDoor
    private var turn = InboundTurn()
    private var delivery: Delivery?
    private var held: [HTTPRequestPart] = []
    private var isReadHeld = false
    /// The peer said that it sends no more, while its delivery had no answer yet.
    private var heldEvents: [Any] = []

    init(_ shared: InboundDoor) { self.shared = shared }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data), context) }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            // Asked for only where it may be taken, since it reads the path.
            let door = turn == InboundTurn() ? shared.door(of: head) : nil
            let action = turn.head(isDelivery: door != nil)
            if action == .collect, let door {
                delivery = Delivery(door: door, head: head, start: .now())
            } else {
                go(action, part, context)
            }
        case .body(let buffer):
            let action = turn.body()
            guard action == .collect else { return go(action, part, context) }
            delivery?.body.append(contentsOf: buffer.readableBytesView)
        case .end:
            let action = turn.end()
            if action == .store { store(context) } else { go(action, part, context) }
        }
    }

    private func go(_ action: InboundTurn.Action, _ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if action == .hold { held.append(part) } else { context.fireChannelRead(wrapInboundOut(part)) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Only bodies that did not come whole with their heads are watched.
        if turn.isCollecting, delivery?.ticket == nil { delivery?.ticket = shared.watch?.begin(context.channel) }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if turn.isAnswering, held.count >= Self.heldMost { isReadHeld = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The router ends a connection whose peer sends no more: not before the delivery is answered.
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
        if let ticket = delivery?.ticket { shared.watch?.end(ticket) }
        delivery?.ticket = nil
    }

    // MARK: Answering

    private func store(_ context: ChannelHandlerContext) {
        endWatch()
        guard let delivery else { return }
        let mailbox = shared.mailbox(of: context.eventLoop)
        let place = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        shared.intake.accept(
            at: delivery.door, body: delivery.body, headers: delivery.head.headerFields, relay: mailbox.post
        ) { result in
            place.value.handler.finish(result, place.value.context, closing: false)
        }
    }

    private func finish(
        _ result: Result<Intake.Answer, any Error>, _ context: ChannelHandlerContext, closing: Bool
    ) {
        endWatch()
        guard let delivery else { return }
        self.delivery = nil
        var (head, body) = shared.answer(result, to: delivery.head, at: delivery.door, since: delivery.start)
        let isLast = closing || delivery.head.headerFields[.connection]?.lowercased() == "close"
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

    /// Goes through what was held, until the next delivery among it.
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
