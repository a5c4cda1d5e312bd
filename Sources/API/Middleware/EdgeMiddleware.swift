import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NIOCore

/// The first to see a request and the last to see its answer: gives it an id, turns every error into a problem,
/// counts and times it. One middleware instead of four, because each costs every request a suspension.
package struct EdgeMiddleware: RouterMiddleware {
    package typealias Context = AppContext

    private enum RequestRow {}

    private let bodies: BodyReader
    private let ids: IDGenerator
    private let metrics: RouteMetrics

    package init(bodies: BodyReader, ids: IDGenerator, metrics: RouteMetrics) {
        self.bodies = bodies
        self.ids = ids
        self.metrics = metrics
    }

    package func handle(
        _ request: Request, context: AppContext, next: (Request, AppContext) async throws -> Response
    ) async throws -> Response {
        let start = NIODeadline.now()
        var context = context
        context.requestID = EdgeMiddleware.requestID(of: request.headers, ids)
        context.bodies = bodies
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            let problem = Problem.told(
                of: error, request.method, context.endpointPath ?? "none", log: context.log)
            response = problem.response(requestID: context.requestID)
        }
        response.headers[.requestID] = context.requestID
        finish(request, response, context, since: start)
        return response
    }

    /// The id by which the log knows a request, and its caller too.
    static func requestID(of headers: HTTPFields, _ ids: IDGenerator) -> String {
        acceptable(headers[.requestID]) ?? ids.next(RequestRow.self).description
    }

    /// An id of the caller's is taken when it is harmless in a log line: 1 to 128 of `A-Za-z0-9._-`.
    static func acceptable(_ id: String?) -> String? {
        guard let id, (1...128).contains(id.utf8.count) else { return nil }
        let isHarmless = id.utf8.allSatisfy {
            (97...122).contains($0 | 0x20) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
        }
        return isHarmless ? id : nil
    }

    private func finish(_ request: Request, _ response: Response, _ context: AppContext, since start: NIODeadline) {
        let route = context.endpointPath ?? "none"
        let status = response.status.code
        metrics.count(route: route, method: request.method, status: status, since: start)
        if context.logger.logLevel <= .debug { context.log.answered(request.method, route, status, since: start) }
    }
}

extension Problem {
    /// What a caller is told of an error. What only we can mend stands in the log.
    static func told(
        of error: any Error, _ method: HTTPRequest.Method, _ route: String, log: @autoclosure () -> Logger
    ) -> Problem {
        func metadata() -> Logger.Metadata {
            ["error": .string("\(error)"), "method": .string(method.rawValue), "route": .string(route)]
        }
        guard let problem = Problem(error) else {
            log().error("request failed", metadata: metadata())
            return .fault
        }
        if problem.status.code >= 500 { log().warning("request not served", metadata: metadata()) }
        return problem
    }
}

extension Logger {
    /// One line a request, for those who look for what a caller did.
    func answered(_ method: HTTPRequest.Method, _ route: String, _ status: Int, since start: NIODeadline) {
        debug(
            "request answered",
            metadata: [
                "method": .string(method.rawValue), "route": .string(route), "status": .stringConvertible(status),
                "milliseconds": .stringConvertible((NIODeadline.now() - start).nanoseconds / 1_000_000),
            ])
    }
}
