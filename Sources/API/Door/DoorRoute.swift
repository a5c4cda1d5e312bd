import HTTPTypes
import NIOCore

/// A route whose requests in their usual form are answered at the door.
protocol DoorRoute: Sendable {
    /// The call that a POST makes, when it is one of this route's; nil leaves it to the router, which has to answer all
    /// that is unusual, and everything that is to be refused before its body is read.
    ///
    /// - Parameters:
    ///   - path: as it came: anything with an escape or a query is left to the router's own reading of paths.
    ///   - length: the body's, as announced: at least one byte, and no more than a body may have.
    func call(at path: String, _ headers: HTTPFields, length: Int, from peer: SocketAddress?) -> DoorCall?
}

/// A request that is answered at the door.
struct DoorCall: Sendable {
    /// Runs a piece of work on the connection's loop, behind what it was given before.
    typealias Relay = @Sendable (@escaping @Sendable () -> Void) -> Void
    typealias Reply = @Sendable (Result<JSONResponse, any Error>) -> Void

    /// The route's pattern, as figures count it.
    let route: String
    /// What each of its answers says, whatever becomes of it.
    var fields: HTTPFields = [:]
    /// Takes the whole body and replies once, on the loop: right away, or through the relay.
    let take: @Sendable (_ body: [UInt8], _ relay: @escaping Relay, _ reply: @escaping Reply) -> Void
}
