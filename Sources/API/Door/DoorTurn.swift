/// Whose turn it is on one connection: a request that is taken at the door, or requests that the router answers.
///
/// Answers leave in the order of their requests (RFC 9112, 9.3.2), so a request is taken at the door only while the
/// router owes no answer, and what follows one is held until it is answered. Pure: parts in, actions out.
struct DoorTurn {
    enum Action: Equatable {
        /// The part goes on to the router.
        case pass
        /// The part belongs to the request that is being read.
        case collect
        /// The request is read whole; it is to be taken and answered.
        case take
        /// The part comes after a request that has no answer yet.
        case hold
    }

    private enum State: Equatable {
        case open
        case collecting
        case answering
    }

    private var state = State.open
    /// Requests whose answers the router owes.
    private var owed = 0

    /// Whether a request that comes now may be taken.
    var isFree: Bool { state == .open && owed == 0 }
    var isCollecting: Bool { state == .collecting }
    var isAnswering: Bool { state == .answering }

    mutating func head(isTaken: Bool) -> Action {
        switch state {
        case .answering, .collecting: return .hold
        case .open:
            if isTaken, owed == 0 {
                state = .collecting
                return .collect
            }
            owed += 1
            return .pass
        }
    }

    func body() -> Action {
        switch state {
        case .open: .pass
        case .collecting: .collect
        case .answering: .hold
        }
    }

    mutating func end() -> Action {
        switch state {
        case .open: return .pass
        case .collecting:
            state = .answering
            return .take
        case .answering: return .hold
        }
    }

    /// The request that is being read will not end: it is to be answered as it is.
    mutating func breakOff() { if state == .collecting { state = .answering } }

    /// The request has its answer; what was held is to be gone through again.
    mutating func answered() { state = .open }

    /// The router has written the last part of an answer.
    mutating func routerAnswered() { owed -= 1 }
}
