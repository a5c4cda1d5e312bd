import HTTPTypes
import Hummingbird
import HummingbirdCore
import Kernel
import Logging
import NIOCore
import Synchronization

/// What the connections of one server share for answering requests in front of the router.
///
/// A request that is taken here has no task on its way from the socket to the store and back: it is read, checked and
/// handed over on the connection's event loop, and answered there after the commit. The router has the same routes for
/// whatever comes in an unusual form, and answers in the same words.
package final class Door: Sendable {
    let bodyLimit: Int
    let watch: SlowBodyWatch?
    private let routes: [any DoorRoute]
    private let ids: IDGenerator
    private let metrics: RouteMetrics
    private let time: TimeSource
    private let logger: Logger
    private let mailboxes = Mutex<[ObjectIdentifier: LoopMailbox]>([:])
    private let date = Mutex<(second: Int64, text: String)>((.min, ""))

    /// The door of these services, with the routes whose own work is small beside a task's.
    package convenience init(_ dependencies: APIDependencies, _ services: APIServices, logger: Logger) {
        var routes: [any DoorRoute] = []
        // Where deliveries are limited by address, the router counts them.
        if dependencies.settings.inboundRequestsPerMinute == 0 { routes.append(InboundDoor(intake: services.intake)) }
        routes.append(
            ProductDoor(products: services.products, callers: DoorCallers(dependencies, needing: .member)))
        self.init(dependencies, routes: routes, logger: logger)
    }

    init(_ dependencies: APIDependencies, routes: [any DoorRoute], logger: Logger) {
        self.routes = routes
        self.logger = logger
        bodyLimit = dependencies.bodies.limit
        watch = dependencies.bodies.watch
        ids = dependencies.ids
        metrics = RouteMetrics(factory: dependencies.registry)
        time = dependencies.time
    }

    /// The mailbox of the loop that a connection lives on.
    func mailbox(of loop: any EventLoop) -> LoopMailbox {
        mailboxes.withLock { mailboxes in
            if let known = mailboxes[ObjectIdentifier(loop)] { return known }
            let made = LoopMailbox(loop)
            mailboxes[ObjectIdentifier(loop)] = made
            return made
        }
    }

    /// The call that a request makes, when it comes in its route's usual form: a POST with an announced length.
    func call(of head: HTTPRequest, from peer: SocketAddress?) -> DoorCall? {
        guard head.method == .post, let path = head.path, head.headerFields[.transferEncoding] == nil,
            head.headerFields[.expect] == nil,
            let length = head.headerFields[.contentLength].flatMap({ Int($0) }), (1...bodyLimit).contains(length)
        else { return nil }
        for route in routes {
            if let call = route.call(at: path, head.headerFields, length: length, from: peer) { return call }
        }
        return nil
    }

    // MARK: Answers

    /// An answer's head and body, with the id by which the log knows the request.
    func answer(
        _ result: Result<JSONResponse, any Error>, to head: HTTPRequest, _ call: DoorCall, since start: NIODeadline
    ) -> (head: HTTPResponse, body: [UInt8]) {
        let id = EdgeMiddleware.requestID(of: head.headerFields, ids)
        let status: HTTPResponse.Status
        var fields: HTTPFields
        let body: [UInt8]
        switch result {
        case .success(let answer):
            status = answer.status
            fields = answer.fields
            body = answer.bytes
        case .failure(let error):
            let problem = Problem.told(of: error, .post, call.route, log: log(id))
            status = problem.status
            fields = problem.headers
            fields[.contentType] = Problem.contentType
            body = problem.body(requestID: id)
        }
        for field in call.fields { fields[field.name] = field.value }
        fields[.contentLength] = String(body.count)
        fields[.date] = dateText()
        fields[.requestID] = id
        metrics.count(route: call.route, method: .post, status: status.code, since: start)
        if logger.logLevel <= .debug { log(id).answered(.post, call.route, status.code, since: start) }
        return (HTTPResponse(status: status, headerFields: fields), body)
    }

    private func log(_ id: String) -> Logger {
        var logger = logger
        logger[metadataKey: "request_id"] = .string(id)
        return logger
    }

    private func dateText() -> String {
        let now = time.now()
        return date.withLock { date in
            if date.second != now.seconds { date = (now.seconds, HTTPDate.text(of: now)) }
            return date.text
        }
    }
}
