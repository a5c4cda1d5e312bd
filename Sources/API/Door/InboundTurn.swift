/// Whose turn it is on one connection: a delivery that is taken in at the door, or requests that the router answers.
///
/// Answers leave in the order of their requests (RFC 9112, 9.3.2), so a delivery is taken at the door only while the
/// router owes no answer, and what follows one is held until it is answered. Pure: parts in, actions out.
struct InboundTurn: Equatable {
    enum Action: Equatable {
        /// The part goes on to the router.
        case pass
        /// The part belongs to the delivery that is being read.
        case collect
        /// The delivery is read; it is to be stored and answered.
        case store
        /// The part comes after a delivery that has no answer yet.
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

    var isCollecting: Bool { state == .collecting }
    var isAnswering: Bool { state == .answering }

    mutating func head(isDelivery: Bool) -> Action {
        switch state {
        case .answering, .collecting: return .hold
        case .open:
            if isDelivery, owed == 0 {
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
            return .store
        case .answering: return .hold
        }
    }

    /// The delivery that is being read will not end: it is to be answered as it is.
    mutating func breakOff() { if state == .collecting { state = .answering } }

    /// The delivery has its answer; what was held is to be gone through again.
    mutating func answered() { state = .open }

    /// The router has written the last part of an answer.
    mutating func routerAnswered() { owed -= 1 }
}
