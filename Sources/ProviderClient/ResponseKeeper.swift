import AsyncHTTPClient
import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1
import Synchronization

/// Keeps the head and the first bytes of one answer. The caller has its answer as soon as the kept part is full; what
/// follows is read and dropped so that the connection can serve again, up to a bound at which it is cut.
final class ResponseKeeper: HTTPClientResponseDelegate {
    typealias Response = Void

    /// The body went past the bound: thrown at the client so that it closes the connection.
    private struct BodyBoundReached: Error {}

    private struct State {
        var status = 0
        var headers = HTTPFields()
        var kept: [UInt8] = []
        var bytesSeen = 0
    }

    /// Reading more than this only to keep a connection costs more than a new connection does.
    private static let drainedBytesLimit = 1 << 20

    private let keptBytesLimit: Int
    private let answer = OneShot<Result<IncomingResponse, ExchangeError>>()
    private let state = Mutex(State())

    init(keptBytesLimit: Int) {
        self.keptBytesLimit = max(0, keptBytesLimit)
    }

    /// The answer, or why there is none; to be awaited once.
    func response() async -> Result<IncomingResponse, ExchangeError> {
        await answer.value()
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let headers = httpFields(head.headers)
        state.withLock { state in
            state.status = Int(head.status.code)
            state.headers = headers
        }
        if keptBytesLimit == 0 { answerWithKept() }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let (isFull, isTooLong) = state.withLock { state in
            let room = keptBytesLimit - state.kept.count
            if room > 0 { state.kept += buffer.readableBytesView.prefix(room) }
            state.bytesSeen += buffer.readableBytes
            return (
                room > 0 && state.kept.count == keptBytesLimit,
                state.bytesSeen > max(keptBytesLimit, ResponseKeeper.drainedBytesLimit)
            )
        }
        if isFull { answerWithKept() }
        if isTooLong { return task.eventLoop.makeFailedFuture(BodyBoundReached()) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {
        answerWithKept()
    }

    /// The end without an answer. After an answer was given it tells only of the dropped rest, which nobody waits for.
    func fail(_ error: ExchangeError) {
        answer.fulfil(.failure(error))
    }

    private func answerWithKept() {
        let response = state.withLock { IncomingResponse(status: $0.status, headers: $0.headers, body: $0.kept) }
        answer.fulfil(.success(response))
    }
}
