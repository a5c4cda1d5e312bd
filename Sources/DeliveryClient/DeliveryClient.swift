import HTTPTypes
import Kernel
import Logging
import NIOCore
import NIOSSL

/// Outgoing HTTP/1.1 calls for webhook deliveries, guarded by an `EgressPolicy`.
///
/// The URL is judged, its host resolved, every address of it judged, and the connection made to one of those very
/// addresses: there is no second look-up that could give another answer. The certificate is checked against the URL's
/// host. Answers of any status are answers; redirects are not followed. A request goes out a second time only when its
/// kept connection turned out to be closed before a byte of an answer came.
///
/// The caller bounds how many calls run at once. Each endpoint belongs to one event loop, which keeps its connections.
package final class DeliveryClient: HTTPExchange {
    private let routes: RouteCache
    private let addresses: AddressBook
    private let lanes: [Lane]

    /// The loops are the caller's and outlive the client; `shutdown()` must be awaited before the last reference goes.
    package init(
        policy: EgressPolicy, eventLoopGroup: any EventLoopGroup, resolver: any AddressResolver = SystemResolver(),
        options: DeliveryOptions = DeliveryOptions(), logger: Logger
    ) {
        let tls = DeliveryClient.tlsContext(trustRoots: options.trustRoots)
        if case .failure(let error) = tls {
            logger.error("no https call can be made", metadata: ["reason": "\(error.detail)"])
        }
        routes = RouteCache(policy: policy)
        addresses = AddressBook(resolver)
        let parts = LaneParts(policy: policy, addresses: addresses, tls: tls, options: options)
        let loops = Array(eventLoopGroup.makeIterator())
        lanes = loops.map { Lane(on: $0, parts, idleInAll: max(1, options.idleInAll / loops.count)) }
    }

    /// Fails what is under way and closes all connections.
    package func shutdown() async throws {
        for lane in lanes { try await lane.close() }
        addresses.shutdown()
    }

    /// Judges a URL and the addresses of its host without connecting, as is done before an endpoint is saved.
    package func check(url: String, timeout: Duration = .seconds(5)) async throws(ExchangeError) {
        _ = try await perform(OutgoingRequest(method: .get, url: url, timeout: timeout), purpose: .check)
    }

    /// Answers with any status as soon as the kept part of the body is there. Cancelling the task ends the call with
    /// the class timeout; the caller knows of its own cancelling.
    package func send(_ request: OutgoingRequest) async throws(ExchangeError) -> IncomingResponse {
        try await perform(request, purpose: .send)
    }

    /// Calls under way, idle connections and endpoints that have any.
    func counts() async throws -> (calls: Int, idle: Int, endpoints: Int) {
        var sum = (calls: 0, idle: 0, endpoints: 0)
        for lane in lanes {
            let counts = try await lane.counts()
            sum = (sum.calls + counts.calls, sum.idle + counts.idle, sum.endpoints + counts.endpoints)
        }
        return sum
    }

    private func perform(
        _ request: OutgoingRequest, purpose: Call.Purpose
    ) async throws(ExchangeError) -> IncomingResponse {
        let begin = NIODeadline.now()
        let route = try routes.route(to: request.url)
        let lane = lanes[route.spread % lanes.count]
        let call = Call(request, over: route, begin: begin, purpose: purpose)
        let answer: Call.Answer = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                call.continuation = continuation
                lane.submit(call)
            }
        } onCancel: {
            lane.cancel(call)
        }
        return try answer.get()
    }

    private static func tlsContext(trustRoots: TrustRoots?) -> Result<NIOSSLContext, ExchangeError> {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // A peer that does not answer our closing keeps the socket for no longer.
        configuration.shutdownTimeout = .seconds(1)
        if let trustRoots { configuration.additionalTrustRoots = [.certificates(trustRoots.certificates)] }
        do {
            return .success(try NIOSSLContext(configuration: configuration))
        } catch {
            return .failure(ExchangeError(.tls, String(describing: error)))
        }
    }
}
