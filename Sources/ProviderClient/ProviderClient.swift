import AsyncHTTPClient
import HTTPTypes
import Kernel
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// Outgoing HTTP/1.1 calls over AsyncHTTPClient, guarded by an `EgressPolicy`.
///
/// The guard judges the URL, then every address that its host resolves to (remembered for some seconds), and last the
/// address that a new connection really has, before a request is written to it. The client resolves the name itself
/// when it connects, so a name whose answer changes in between is caught only there: by then the forbidden address has
/// seen a TCP connection and, for https, the start of a TLS session, but no byte of a request.
///
/// Nothing is read from the environment's proxy settings, bodies are not decompressed, and a connection that fails is
/// not tried again: that is the caller's decision.
package final class ProviderClient: HTTPExchange {
    /// A URL that was read and judged, in the shape the client wants it.
    private struct Destination: Sendable {
        let url: EgressURL
        let hostKey: String
        let authority: String
        let template: HTTPClient.Request
    }

    private struct DestinationKey: Hashable, Sendable {
        let method: String
        let url: String
    }

    /// Also bounds how long a request waits for a free connection of its host, which the client counts together.
    private static let connectTimeout = TimeAmount.seconds(5)
    /// Shorter than the keep-alive time of common servers, or a request meets a connection that is just being closed.
    private static let idleTimeout = TimeAmount.seconds(15)
    /// Endpoints and provider routes in use at once; past it all are read anew, a few microseconds each.
    private static let destinationsLimit = 4096

    private let policy: EgressPolicy
    private let client: HTTPClient
    private let hosts: HostGuard
    private let destinations = Mutex<[DestinationKey: Destination]>([:])

    /// The loops are the caller's and outlive the client; `shutdown()` must be awaited before the last reference goes.
    package convenience init(
        policy: EgressPolicy, eventLoopGroup: any EventLoopGroup, connectionsPerHost: Int = 64, logger: Logger
    ) {
        self.init(
            policy: policy, resolver: SystemResolver(), eventLoopGroup: eventLoopGroup,
            connectionsPerHost: connectionsPerHost, logger: logger)
    }

    /// `resolver` is what the guard asks; the client itself always asks the system.
    init(
        policy: EgressPolicy, resolver: any AddressResolver, eventLoopGroup: any EventLoopGroup,
        connectionsPerHost: Int, logger: Logger
    ) {
        self.policy = policy
        hosts = HostGuard(policy: policy, resolver: resolver, timers: eventLoopGroup)
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: ProviderClient.connectTimeout),
            connectionPool: HTTPClient.Configuration.ConnectionPool(
                idleTimeout: ProviderClient.idleTimeout,
                concurrentHTTP1ConnectionsPerHostSoftLimit: connectionsPerHost),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // The client's own way is to try for the whole connect timeout, which holds a caller's slot for 5 s per request
        // to a dead endpoint.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { channel in judgeConnection(channel, by: policy) }
        client = HTTPClient(
            eventLoopGroup: eventLoopGroup, configuration: configuration, backgroundActivityLogger: logger)
    }

    /// Fails what is under way and closes all connections.
    package func shutdown() async throws {
        try await client.shutdown().get()
        try await hosts.shutdown()
    }

    /// Judges a URL and the addresses of its host without connecting, as is done before an endpoint is saved.
    package func check(url: String, timeout: Duration = .seconds(5)) async throws(ExchangeError) {
        let destination = try destination(method: .GET, url: url)
        try await hosts.admit(destination.url, key: destination.hostKey, before: .now() + TimeAmount(timeout))
    }

    /// Answers with any status as soon as the kept part of the body is there. Cancelling the task ends the call with
    /// the class timeout; the caller knows of its own cancelling.
    package func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
        let deadline = NIODeadline.now() + TimeAmount(request.timeout)
        let destination = try destination(method: HTTPMethod(rawValue: request.method.rawValue), url: request.url)
        try await hosts.admit(destination.url, key: destination.hostKey, before: deadline)

        var call = destination.template
        call.headers = requestHeaders(request.headers, host: destination.authority)
        if !request.body.isEmpty { call.body = .byteBuffer(ByteBuffer(bytes: request.body)) }
        let keeper = ResponseKeeper(keptBytesLimit: request.responseLimit)
        let task = client.execute(request: call, delegate: keeper, deadline: deadline)
        task.futureResult.whenFailure { keeper.fail(ExchangeError(cause: $0)) }
        let response = await withTaskCancellationHandler {
            await keeper.response()
        } onCancel: {
            task.cancel()
        }
        return try response.get()
    }

    private func destination(method: HTTPMethod, url text: String) throws(ExchangeError) -> Destination {
        let key = DestinationKey(method: method.rawValue, url: text)
        if let known = destinations.withLock({ $0[key] }) { return known }
        let url: EgressURL
        do throws(EgressRefusal) { url = try policy.judge(url: text) } catch {
            throw ExchangeError(.refusedAddress, error.sentence)
        }
        let template: HTTPClient.Request
        // From the normal form, so that no other reading of the text can lead elsewhere.
        do { template = try HTTPClient.Request(url: url.text, method: method) } catch {
            throw ExchangeError(.refusedAddress, ExchangeError(cause: error).detail)
        }
        let destination = Destination(
            url: url, hostKey: HostGuard.key(of: url), authority: url.authority, template: template)
        destinations.withLock { destinations in
            if destinations.count >= ProviderClient.destinationsLimit { destinations.removeAll(keepingCapacity: true) }
            destinations[key] = destination
        }
        return destination
    }
}

/// Fails the start of a connection whose other end is not allowed, and closes it.
private func judgeConnection(_ channel: any Channel, by policy: EgressPolicy) -> EventLoopFuture<Void> {
    do {
        // A connection that has lost its address is about to be closed by its peer.
        guard let peer = channel.remoteAddress, let address = peer.withSockAddr({ peer, _ in IPAddress(peer) }),
            let port = peer.port
        else {
            throw ExchangeError(.connect, "the connection was closed while it was made")
        }
        try policy.judge(address: address, port: port)
        return channel.eventLoop.makeSucceededVoidFuture()
    } catch {
        // Later than the failure, so that the pool takes the connection for one that never began.
        channel.eventLoop.execute { channel.close(promise: nil) }
        return channel.eventLoop.makeFailedFuture(error)
    }
}
