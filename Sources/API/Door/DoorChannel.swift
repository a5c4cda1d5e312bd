import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// An HTTP/1.1 connection of the server: the parser, then the door, then the router's task.
package struct DoorChannel: ServerChildChannel, HTTPChannelHandler {
    package typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    package let responder: HTTPChannelHandler.Responder
    private let door: Door
    private let idleTimeout: Duration

    /// - Parameter idleTimeout: closes what never finishes its headers or its TLS-terminating proxy forgot about.
    package init(responder: @escaping HTTPChannelHandler.Responder, door: Door, idleTimeout: Duration) {
        self.responder = responder
        self.door = door
        self.idleTimeout = idleTimeout
    }

    /// The order of handlers decides who sees what: parts pass them from the socket to the router in this one.
    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false)
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            // Before the door, so that it sees the door's answers too: it counts what a stop has to wait for.
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
            try pipeline.addHandler(DoorHandler(door))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    package func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
