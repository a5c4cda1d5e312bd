import HTTPTypes
import Kernel
import NIOCore
import NIOSSL
import NIOTLS

/// The last handler of a channel: carries out what the `ConnectionMachine` says.
///
/// Unchecked: it is touched on its lane's loop only.
final class Connection: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Requests up to here go out as one piece, which the socket takes at once.
    private static let onePieceLimit = 16 << 10

    let endpoint: String
    let bornAt: NIODeadline
    /// Where it stands in the pool while it is idle.
    var slot: Int?

    private let lane: Lane
    private var machine: ConnectionMachine
    private var context: ChannelHandlerContext?
    private var error: ExchangeError?
    /// The call that it is being opened for.
    private var opener: Call?
    /// The call that it serves.
    private var call: Call?

    init(lane: Lane, opener: Call, usesLimit: Int, now: NIODeadline) {
        self.lane = lane
        self.opener = opener
        endpoint = opener.route.endpoint
        bornAt = now
        machine = ConnectionMachine(usesLimit: usesLimit)
    }

    /// What the peer said about how long it keeps an idle connection.
    var peerKeeps: TimeAmount? { machine.keepAliveSeconds.map { .seconds(Int64(min($0, 86_400))) } }

    /// Writes the call's request; false when the connection is no more.
    func serve(_ call: Call) -> Bool {
        guard let context, context.channel.isActive else { return false }
        opener = nil
        self.call = call
        call.place = .on(self)
        let request = call.request
        let isSmall = request.body.count <= Connection.onePieceLimit
        machine.ask(isHEAD: request.method == .head, keptLimit: request.responseLimit, isWritten: isSmall)
        let head = lane.bytes { buffer in
            call.route.write(request, to: &buffer)
            if isSmall { buffer.writeBytes(request.body) }
        }
        guard !isSmall else {
            context.writeAndFlush(wrapOutboundOut(head), promise: nil)
            return true
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.machine.written() }
        context.write(wrapOutboundOut(head), promise: nil)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: request.body)), promise: promise)
        return true
    }

    /// Closes without another word to the lane.
    func close() {
        machine.close()
        opener = nil
        call = nil
        context?.close(promise: nil)
    }

    /// The call that it serves has ended for another reason than an answer.
    func abandon(_ call: Call) {
        if self.call === call { close() }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted = event, let opener else {
            return context.fireUserInboundEventTriggered(event)
        }
        if let name = opener.route.serverName, !isPeer(name, in: context) {
            error = ExchangeError(.tls, "the certificate is not for \(name)")
            context.close(promise: nil)
        } else {
            lane.opened(self, for: opener)
        }
    }

    private func isPeer(_ name: String, in context: ChannelHandlerContext) -> Bool {
        do {
            let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate()
            return certificate.map { names($0, name) } ?? false
        } catch {
            return false
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        let action = buffer.withUnsafeReadableBytes { machine.received($0) }
        if let call, call.phases.firstByte == nil { call.phases.firstByte = Duration(.now() - call.begin) }
        perform(action)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Many servers close without the closing alert. The machine knows whether an answer was complete by then.
        if case NIOSSLError.uncleanShutdown = error, opener == nil { return }
        if self.error == nil { self.error = ExchangeError(broken: error, inHandshake: opener != nil) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let opener {
            self.opener = nil
            let words = "the peer closed the connection during the handshake"
            lane.openingBroke(error ?? ExchangeError(.tls, words), for: opener)
        } else {
            perform(machine.ended(error))
        }
    }

    private func perform(_ action: ConnectionMachine.Action) {
        let call = call
        switch action {
        case .none:
            return
        case .answeredEarly(let answer):
            call?.succeed(answer, now: .now())
        case .answered(let answer):
            self.call = nil
            if let call { lane.finish(call, with: .success(answer)) }
            lane.park(self)
        case .release:
            self.call = nil
            if let call { lane.forget(call) }
            lane.park(self)
        case .answeredLast(let answer):
            close()
            if let call { lane.finish(call, with: .success(answer)) }
        case .failed(let error):
            close()
            if let call { lane.finish(call, with: .failure(error)) }
        case .sendAnew:
            close()
            if let call { lane.open(call, now: .now()) }
        case .close:
            close()
            lane.unpark(self)
            if let call { lane.forget(call) }
        }
    }
}
