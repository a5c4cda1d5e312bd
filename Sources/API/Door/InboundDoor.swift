import HTTPTypes
import Hummingbird
import Integrations
import Kernel
import Logging
import NIOCore
import Synchronization

/// What the connections of one server share for taking deliveries in at the door.
///
/// A delivery's way from the socket to the store and back has no task in it: it is read, checked and handed over on
/// the connection's event loop, and answered there after the commit. The router has the same routes for whatever
/// comes in an unusual form, and answers in the same words.
package final class InboundDoor: Sendable {
    let intake: Intake
    let bodyLimit: Int
    let watch: SlowBodyWatch?
    private let ids: IDGenerator
    private let metrics: RouteMetrics
    private let time: TimeSource
    private let logger: Logger
    private let mailboxes = Mutex<[ObjectIdentifier: LoopMailbox]>([:])
    private let date = Mutex<(second: Int64, text: String)>((.min, ""))

    private enum RequestRow {}

    /// Nil where inbound requests are limited by address: the router counts those.
    package init?(_ dependencies: APIDependencies, intake: Intake, logger: Logger) {
        guard dependencies.settings.inboundRequestsPerMinute == 0 else { return nil }
        self.intake = intake
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

    // MARK: Which requests

    /// The door that a request knocks at, when it is a delivery in its usual form: a POST with an announced length.
    func door(of head: HTTPRequest) -> Intake.Door? {
        guard head.method == .post, let path = head.path, head.headerFields[.transferEncoding] == nil,
            head.headerFields[.expect] == nil,
            let length = head.headerFields[.contentLength].flatMap({ Int($0) }), (1...bodyLimit).contains(length)
        else { return nil }
        if path == InboundRoutes.unifiedPath { return .unified }
        guard path.hasPrefix(InboundRoutes.nativePrefix) else { return nil }
        let parts = path.dropFirst(InboundRoutes.nativePrefix.count).split(
            separator: "/", omittingEmptySubsequences: false)
        // Anything with an escape or a query is left to the router's own reading of paths.
        guard parts.count == 2, let connection = ConnectionID(String(parts[1])) else { return nil }
        return .native(provider: String(parts[0]), connection: connection)
    }

    static func route(of door: Intake.Door) -> String {
        switch door {
        case .unified: InboundRoutes.unifiedPath
        case .native: InboundRoutes.nativePattern
        }
    }

    // MARK: Answers

    /// An answer's head and body, with the id by which the log knows the request.
    func answer(
        _ result: Result<Intake.Answer, any Error>, to head: HTTPRequest, at door: Intake.Door, since start: NIODeadline
    ) -> (head: HTTPResponse, body: [UInt8]) {
        let id = EdgeMiddleware.acceptable(head.headerFields[.requestID]) ?? ids.next(RequestRow.self).description
        var status = HTTPResponse.Status.ok
        var fields: HTTPFields
        let body: [UInt8]
        switch result {
        case .success(let answer):
            fields = [.contentType: "application/json"]
            body = InboundRoutes.body(of: answer)
        case .failure(let error):
            let problem = problem(of: error, id: id, door: door)
            status = problem.status
            fields = problem.headers
            fields[.contentType] = Problem.contentType
            body = problem.body(requestID: id)
        }
        fields[.contentLength] = String(body.count)
        fields[.date] = dateText()
        fields[.requestID] = id
        metrics.count(route: Self.route(of: door), method: .post, status: status.code, since: start)
        return (HTTPResponse(status: status, headerFields: fields), body)
    }

    private func problem(of error: any Error, id: String, door: Intake.Door) -> Problem {
        let problem = Problem(error)
        if problem == nil || problem?.status.code ?? 500 >= 500 {
            logger.log(
                level: problem == nil ? .error : .warning, "delivery not taken in",
                metadata: ["error": "\(error)", "route": "\(Self.route(of: door))", "request_id": "\(id)"])
        }
        return problem ?? .fault
    }

    private func dateText() -> String {
        let now = time.now()
        return date.withLock { date in
            if date.second != now.seconds { date = (now.seconds, HTTPDate.text(of: now)) }
            return date.text
        }
    }
}
