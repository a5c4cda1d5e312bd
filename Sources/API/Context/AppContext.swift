import Hummingbird
import Logging
import NIOCore

/// What is known of a request from its first byte on: its connection, its id, and later who is calling.
package struct AppContext: RequestContext, RemoteAddressRequestContext {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel
    /// Set by `EdgeMiddleware`; empty only before it has run.
    package var requestID = ""
    /// How bodies of this server are read; set by `EdgeMiddleware` too.
    package var bodies = BodyReader.standard
    /// Set by `Authenticator`; the routes behind it read it from `TenantContext`, where it cannot be missing.
    package var principal: Principal?
    /// What the rate limit of tokens counts by.
    package var credential: CredentialKey?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    package var remoteAddress: SocketAddress? { channel.remoteAddress }

    /// The request's logger with the id that the caller was shown. Made on demand: most requests log nothing.
    package var log: Logger {
        var logger = logger
        logger[metadataKey: "request_id"] = .string(requestID)
        return logger
    }
}

/// Contexts whose requests have an id and a connection: what reading bodies and writing problems needs.
package protocol IdentifiedContext: RequestContext {
    var requestID: String { get }
    var channel: any Channel { get }
    var bodies: BodyReader { get }
}

extension AppContext: IdentifiedContext {}
