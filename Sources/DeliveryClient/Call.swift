import Kernel
import NIOCore

/// One call on its way through a lane.
///
/// Unchecked: its maker sets the continuation and hands the call over through the lane's lock; from then on it is
/// touched on the lane's loop only.
final class Call: @unchecked Sendable {
    typealias Answer = Result<IncomingResponse, ExchangeError>

    /// How far the call has come.
    enum Place {
        /// Not yet with the lane, or waiting for its host's addresses.
        case waiting
        case opening(Opening)
        case on(Connection)
        case over
    }

    enum Purpose {
        case send
        /// Only the addresses are asked for and judged; the answer has the status 0.
        case check
    }

    let purpose: Purpose
    let route: Route
    let request: OutgoingRequest
    let begin: NIODeadline
    let deadline: NIODeadline
    var continuation: UnsafeContinuation<Answer, Never>?
    var place = Place.waiting
    /// Where the lane has it in its list.
    var index: Int?
    var isCancelled = false
    var phases = CallPhases()

    init(_ request: OutgoingRequest, over route: Route, begin: NIODeadline, purpose: Purpose = .send) {
        self.purpose = purpose
        self.route = route
        self.request = request
        self.begin = begin
        deadline = begin + TimeAmount(request.timeout)
    }

    /// When the lane has to look after the call.
    var due: NIODeadline {
        if case .opening(let opening) = place, let next = opening.nextTry { return min(next, deadline) }
        return deadline
    }

    /// The one way to answer the caller; the first answer counts.
    func settle(_ answer: Answer) {
        guard let continuation else { return }
        self.continuation = nil
        continuation.resume(returning: answer)
    }

    func succeed(_ answer: ConnectionMachine.Answer, now: NIODeadline) {
        let head = answer.head
        phases.total = Duration(now - begin)
        settle(
            .success(IncomingResponse(status: head.status, headers: head.fields, body: answer.body, phases: phases)))
    }

    func fail(_ error: ExchangeError, now: NIODeadline) {
        phases.total = Duration(now - begin)
        settle(.failure(ExchangeError(error.errorClass, error.detail, phases: phases)))
    }
}

/// The making of a connection for one call. Unchecked: it is touched on its lane's loop only.
final class Opening: @unchecked Sendable {
    var race: ConnectRace
    /// When the first address was tried.
    let startedAt: NIODeadline
    /// When the next address gets its turn although none has failed.
    var nextTry: NIODeadline?
    /// When one of the addresses had accepted; what follows is the handshake.
    var connectedAt: NIODeadline?
    /// What is to be closed if the call ends now.
    var channels: [any Channel] = []

    init(_ race: ConnectRace, at now: NIODeadline) {
        self.race = race
        startedAt = now
    }
}
