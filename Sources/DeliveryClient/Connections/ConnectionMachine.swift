import Kernel

/// What one connection goes through, from request to request. Pure: the shell hands in what happens and carries out
/// what is told.
struct ConnectionMachine: Sendable {
    enum Action {
        case none
        /// The call has its answer, and the connection is free for another.
        case answered(Answer)
        /// The call has its answer; the rest of the body is being read off, and `release` or `close` follows.
        case answeredEarly(Answer)
        case answeredLast(Answer)
        case release
        case failed(ExchangeError)
        /// The peer closed a kept connection just when the next request came: it may go out again, on a new one.
        case sendAnew
        /// Nobody waits for anything here.
        case close
    }

    struct Answer {
        let head: AnswerHead
        let body: [UInt8]
    }

    private enum State {
        case idle
        case asked
        case draining
        case closed
    }

    /// Of a body that nobody keeps, this much is read so that the connection can serve on; a new one costs about that.
    private static let drainedBytesLimit = 256 << 10

    /// Requests that were sent here.
    private(set) var uses = 0
    /// What the peer said about how long it keeps an idle connection.
    private(set) var keepAliveSeconds: Int?

    private var state = State.idle
    private var reader = AnswerReader()
    private var isWritten = true
    private let usesLimit: Int

    init(usesLimit: Int) {
        self.usesLimit = usesLimit
    }

    /// A request goes out. `isWritten` is false for one whose writing takes a while; `written()` follows then.
    mutating func ask(isHEAD: Bool, keptLimit: Int, isWritten: Bool = true) {
        uses += 1
        state = .asked
        self.isWritten = isWritten
        reader.expect(afterHEAD: isHEAD, keptLimit: keptLimit)
    }

    mutating func written() { isWritten = true }

    mutating func received(_ bytes: UnsafeRawBufferPointer) -> Action {
        switch state {
        case .asked: return afterReading(reader.read(bytes))
        case .draining: return afterDraining(reader.read(bytes))
        // Bytes that nobody asked for: what they would be taken for is not worth finding out.
        case .idle: return closing(.close)
        case .closed: return .none
        }
    }

    /// The connection is gone; `cause` is what the transport said, if it said anything.
    mutating func ended(_ cause: ExchangeError?) -> Action {
        let before = state
        state = .closed
        switch before {
        case .idle, .draining: return .close
        case .closed: return .none
        case .asked:
            if uses > 1, reader.isUntouched { return .sendAnew }
            switch reader.end() {
            case .ended where cause == nil: return answer().map { .answeredLast($0) } ?? .close
            case .failed(let words): return .failed(cause ?? ExchangeError(.body, words))
            default: return .failed(cause ?? ExchangeError(.body, "the connection broke"))
            }
        }
    }

    /// The shell closes for a reason of its own; what still comes is of no interest.
    mutating func close() { state = .closed }

    private mutating func afterReading(_ progress: AnswerReader.Progress) -> Action {
        switch progress {
        case .more: return .none
        case .failed(let words): return closing(.failed(ExchangeError(.body, words)))
        case .full:
            guard let answer = answer() else { return .none }
            guard reader.mayDrain(within: Self.drainedBytesLimit), mayServeOn(answer.head) else {
                return closing(.answeredLast(answer))
            }
            state = .draining
            return .answeredEarly(answer)
        case .ended(let withLeftover):
            guard let answer = answer() else { return closing(.close) }
            keepAliveSeconds = answer.head.keepAliveSeconds
            guard !withLeftover, isWritten, mayServeOn(answer.head) else { return closing(.answeredLast(answer)) }
            state = .idle
            return .answered(answer)
        }
    }

    private mutating func afterDraining(_ progress: AnswerReader.Progress) -> Action {
        switch progress {
        case .more, .full:
            return reader.bodyBytes <= Self.drainedBytesLimit ? .none : closing(.close)
        case .ended(withLeftover: false) where isWritten:
            keepAliveSeconds = reader.head?.keepAliveSeconds
            state = .idle
            return .release
        case .ended, .failed:
            return closing(.close)
        }
    }

    private func mayServeOn(_ head: AnswerHead) -> Bool {
        head.keepsAlive && head.status != 101 && head.framing(afterHEAD: reader.isAfterHEAD) != .untilClose
            && uses < usesLimit
    }

    private func answer() -> Answer? {
        reader.head.map { Answer(head: $0, body: reader.kept) }
    }

    private mutating func closing(_ action: Action) -> Action {
        state = .closed
        return action
    }
}
